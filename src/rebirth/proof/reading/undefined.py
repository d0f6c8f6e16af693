"""What is said of variables that nothing gives a value."""

import re
from collections.abc import Iterator, Mapping

from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.things import Remark

_Path = tuple[str | int, ...]
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(\}|:?[-=])")
# Fields whose value has to be a name, an address or an amount, in whatever kind they stand.
_NAMES = frozenset({
    "name", "namespace", "secretName", "host", "hosts", "hostnames", "clusterIP", "clusterIPs", "loadBalancerIP", "storageClassName",
    "ingressClassName", "gatewayClassName", "serviceAccountName", "claimName", "targetNamespace", "releaseName", "storage",
})  # fmt: skip
# What chart, operator or program reads: only those know what a value means there.
_FREE = frozenset({
    "annotations", "args", "command", "config", "data", "env", "labels", "postRenderers", "stringData", "values",
})  # fmt: skip
# Objects that hold templates of others, in which `${...}` may be of a language of their own.
_TEMPLATES = frozenset({
    "apiextensions.crossplane.io", "argoproj.io", "clusterctl.cluster.x-k8s.io", "fluxcd.controlplane.io", "kro.run", "kyverno.io",
    "tekton.dev", "templates.gatekeeper.sh",
})  # fmt: skip


def undefined(member: Manifest, path: _Path, names: list[str], own: Manifest) -> Remark:
    """A variable that nothing of the Kustomization's postBuild gives a value."""
    listed = ", ".join(f"${{{name}}}" for name in dict.fromkeys(names))
    words = f"{listed} is used in {member.thing().label}, and nothing provides it"
    return Remark(
        "undefined-variable", member.place(*path), words, member.thing(),
        (("names", " ".join(dict.fromkeys(names))), ("unit", own.thing().label), ("path", ".".join(map(str, path)))),
    )  # fmt: skip


def literal(members: list[Manifest], own: Manifest) -> Iterator[Remark]:
    """Variables of a Kustomization that substitutes nothing, in fields that cannot hold them: the text stays as it is written."""
    for member in members:
        if member.group in _TEMPLATES or member.kind == "CustomResourceDefinition":
            continue
        for path, value in _texts(member.data, ()):
            if found := _VARIABLE.search(value):
                words = (
                    f"${{{found[1]}}} in {'.'.join(map(str, path))} of {member.thing().label} stays as it is: "
                    f"{own.thing().label} has no postBuild"
                )
                yield Remark("no-substitution", member.place(*path), words, member.thing(), (("name", found[1]),))


def _texts(value: object, path: _Path) -> Iterator[tuple[_Path, str]]:
    """Texts that have to be names, addresses or amounts."""
    if isinstance(value, str):
        last = next((part for part in reversed(path) if isinstance(part, str)), "")
        if "${" in value and last in _NAMES:
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in _FREE:
                yield from _texts(item, (*path, str(key)))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, (*path, number))
