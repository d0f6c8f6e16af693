"""What is said of variables that nothing gives a value."""

import re
from collections.abc import Iterator, Mapping

from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.things import Remark

_Path = tuple[str | int, ...]
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*")
_ROUTES = {"HTTPRoute", "GRPCRoute", "TLSRoute"}


def undefined(member: Manifest, path: _Path, names: list[str], own: Manifest) -> Remark:
    """A variable that nothing of the Kustomization's postBuild gives a value."""
    listed = ", ".join(f"${{{name}}}" for name in dict.fromkeys(names))
    words = f"{listed} is used in {member.thing().label}, and nothing provides it"
    return Remark(
        "undefined-variable", member.place(*path), words, member.thing(),
        (("names", " ".join(dict.fromkeys(names))), ("unit", own.thing().label), ("path", ".".join(map(str, path)))),
    )  # fmt: skip


def literal(members: list[Manifest], own: Manifest) -> Iterator[Remark]:
    """Variables in names of a Kustomization that substitutes nothing: there the text stays as it is written."""
    for member in members:
        for path, value in _names(member):
            if isinstance(value, str) and (found := _VARIABLE.search(value)):
                words = f"{found[0]}}} in {member.thing().label} stays as it is: {own.thing().label} has no postBuild"
                yield Remark("no-substitution", member.place(*path), words, member.thing(), (("name", found[0][2:]),))


def _names(member: Manifest) -> Iterator[tuple[_Path, object]]:
    """Values that have to be names, where people write variables."""
    yield ("metadata", "name"), member.at("metadata", "name")
    yield ("metadata", "namespace"), member.at("metadata", "namespace")
    if member.kind == "Ingress":
        for number, rule in enumerate(member.items("spec", "rules")):
            if isinstance(rule, Mapping):
                yield ("spec", "rules", number, "host"), rule.get("host")
    elif member.kind in _ROUTES:
        for number, host in enumerate(member.items("spec", "hostnames")):
            yield ("spec", "hostnames", number), host
