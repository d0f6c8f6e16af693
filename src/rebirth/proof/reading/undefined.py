"""Puts variables into objects, and says what is to be said of those that nothing gives a value."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.reading.variables import SubstitutionError, Variables
from rebirth.proof.things import Remark

_Path = tuple[str | int, ...]
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(\}|:?[-=])")
_SUBSTITUTED = re.compile(r"\$\{([A-Za-z_]\w*)[^}]*\}")
_SEVERAL = 4  # values of as many Kustomizations: then each has its own, and no Secret that they share holds it
# Fields whose value has to be a name, an address or an amount, in whatever kind they stand.
_NAMES = frozenset({
    "name", "namespace", "secretName", "host", "hosts", "hostnames", "clusterIP", "clusterIPs", "loadBalancerIP", "storageClassName",
    "ingressClassName", "gatewayClassName", "serviceAccountName", "claimName", "targetNamespace", "releaseName", "storage",
    "dnsNames", "dnsZones",
})  # fmt: skip
# What chart, operator or program reads: only those know what a value means there.
_FREE = frozenset({
    "annotations", "args", "command", "config", "data", "env", "labels", "postRenderers", "stringData", "values",
})  # fmt: skip
# Values that charts hand on as they are: the hosts of what leads to a Service from outside.
_WAYS_IN = frozenset({"ingress", "ingresses", "route", "routes", "httpRoute", "httproute", "gateway"})
_HOSTS = frozenset({"host", "hosts", "hostnames"})
_PROGRAMS = frozenset({"args", "command"})
_FLUX = "flux-system"
_KEY = re.compile(r"[A-Za-z_]\w*")
# Objects that hold templates of others, in which `${...}` may be of a language of their own.
_TEMPLATES = frozenset({
    "apiextensions.crossplane.io", "argoproj.io", "clusterctl.cluster.x-k8s.io", "fluxcd.controlplane.io", "kro.run", "kyverno.io",
    "tekton.dev", "templates.gatekeeper.sh",
})  # fmt: skip


# What fills Secrets of another name than a file's.
_FILLING = frozenset({
    "ExternalSecret", "ClusterExternalSecret", "SealedSecret", "VaultStaticSecret", "VaultDynamicSecret", "OnePasswordItem", "InfisicalSecret",
    "BitwardenSecret", "DopplerSecret", "PasswordSecret", "SopsSecret", "Bundle",
})  # fmt: skip


def undefined(member: Manifest, path: _Path, names: list[str], own: Manifest) -> Remark:
    """A variable that nothing of the Kustomization's postBuild gives a value."""
    listed = ", ".join(f"${{{name}}}" for name in dict.fromkeys(names))
    words = f"{listed} is used in {member.thing().label}, and nothing provides it"
    left = _SUBSTITUTED.sub(lambda found: "" if found[1] in names else "x", str(member.at(*path)))
    return Remark(
        "undefined-variable", member.place(*path), words, member.thing(),
        (
            ("names", " ".join(dict.fromkeys(names))), ("unit", own.thing().label), ("path", ".".join(map(str, path))),
            ("left", left),  # of the text, where the variable is empty
            ("host", "yes" if is_host_in_values(path, member) else ""),
        ),
    )  # fmt: skip


def forgotten(units: Iterable[tuple[Manifest, list[Manifest]]], remarks: list[Remark]) -> list[Remark]:
    """The remarks, with one for each variable that a Kustomization does not give though others do, each its own value.

    A Secret that it substitutes from may hold any variable, but not such a one.
    """
    units = [*units]
    given = defaultdict[str, set[str]](set)
    for own, _ in units:
        for name, value in flux.variables_of(own).items():
            given[name].add(value)
    own_ones = {name for name, values in given.items() if len(values) >= _SEVERAL}
    found = [one for one in remarks if one.slug != "undefined-variable" or not {*one["names"].split()} <= own_ones]
    for own, members in units:
        label = own.thing().label
        for name in sorted(own_ones - flux.variables_of(own).keys()):
            seen = [
                one
                for one in remarks
                if one.slug == "undefined-variable" and one["unit"] == label and one["names"] == name
            ]
            seen = seen or [*_left_in_names(name, own, members)]
            if seen:
                found.append(replace(min(seen, key=_is_no_name), place=own.place("spec", "postBuild")))
    return found


def _left_in_names(name: str, own: Manifest, members: list[Manifest]) -> Iterator[Remark]:
    for member in members if own.mapping("spec", "postBuild") else ():
        if member.marked(f"{flux.KUSTOMIZE}/substitute") != "disabled":
            for path, value in _texts(member.data, ()):
                if f"${{{name}}}" in value and _is_strict(path, member):
                    yield undefined(member, path, [name], own)


def _is_no_name(remark: Remark) -> bool:
    return remark["path"].rpartition(".")[2] not in _NAMES


def settings(members: Iterable[Manifest]) -> frozenset[str]:
    """Names of the variables that a repository keeps for Flux: what its ConfigMaps and Secrets beside Flux hold."""
    return frozenset(
        key
        for member in members
        if member.kind in {"ConfigMap", "Secret"} and member.namespace == _FLUX
        for field in ("data", "stringData")
        for key in member.mapping(field)
        if _KEY.fullmatch(key)
    )


def literal(members: list[Manifest], own: Manifest, known: Collection[str]) -> Iterator[Remark]:
    """Variables of a Kustomization that substitutes nothing: the text stays as it is written. Told of fields that cannot hold it, and of
    those that are `known` as the repository's settings.
    """
    for member in members:
        if member.group in _TEMPLATES or member.kind == "CustomResourceDefinition":
            continue
        for path, value in _texts(member.data, ()):
            strict = _is_strict(path, member)
            found = _VARIABLE.search(value)
            if found and (strict or (found[1] in known and _is_plain(path, value))):
                words = (
                    f"${{{found[1]}}} in {'.'.join(map(str, path))} of {member.thing().label} stays as it is: "
                    f"{own.thing().label} has no postBuild"
                )
                facts = (("name", found[1]), ("strict", "yes" if strict else ""))
                yield Remark("no-substitution", member.place(*path), words, member.thing(), facts)


def _texts(value: object, path: _Path) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, str):
        if "${" in value:
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, str(key)))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, (*path, number))


def _is_strict(path: _Path, member: Manifest) -> bool:
    """Whether it has to be a name, an address or an amount."""
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    return (last in _NAMES and not _FREE & set(path)) or is_host_in_values(path, member)


def is_host_in_values(path: _Path, member: Manifest) -> bool:
    """Whether it is the host of an Ingress or a route that a chart makes out of the values of a HelmRelease."""
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    if member.kind != "HelmRelease" or path[:2] != ("spec", "values") or last not in _HOSTS or not _WAYS_IN & set(path):
        return False
    if not any(isinstance(part, int) for part in path):
        return False  # a value of its own: only the chart knows what it becomes
    return all(member.at(*path[:end], "enabled") is not False for end in range(3, len(path)))


def _is_plain(path: _Path, value: str) -> bool:
    """Whether no program is likely to fill it in by itself: scripts have variables of their own."""
    return "\n" not in value.strip() and not _PROGRAMS & set(path)


def put_in(own: Manifest, members: list[Manifest], variables: Variables) -> tuple[list[Manifest], list[Remark]]:
    """The objects of a Kustomization with its variables replaced, and what is wrong with them."""
    found = []
    remarks: list[Remark] = []
    for member in members:
        if member.marked(f"{flux.KUSTOMIZE}/substitute") == "disabled":
            found.append(member)
            continue
        variables.undefined.clear()
        try:
            data = variables.into(member.data)
        except SubstitutionError as error:
            piece = "text" if member.kind == "Secret" else repr(error.piece)
            words = f"{member.thing().label} contains {piece}, which Flux's substitution does not understand"
            remarks.append(Remark("bad-substitution", member.place(*error.path), words, own.thing()))
            data = member.data
        remarks += [undefined(member, path, names, own) for path, names in variables.undefined.items()]
        found.append(
            member if data is member.data else Manifest(data, member.file, member.line, member.prefix, member.listed)
        )
    return found, remarks


def filled(kind: str, namespace: str, name: str, members: Iterable[Manifest]) -> set[str] | None:
    """The keys with which an operator fills a Secret or ConfigMap that no file holds; none where nothing is known to make it, None
    where its keys are not known.
    """
    found: set[str] = set()
    for member in members:
        if member.kind == kind or name not in _called(member):
            continue
        if member.kind == "ClusterExternalSecret":
            return None
        if kind == "Secret" and member.namespace == namespace:
            keys = _keys(member)
            if keys is None:
                return None
            found |= keys
    return found


def _called(member: Manifest) -> set[str]:
    """The names under which it may make something: a target's, a destination's, or its own."""
    paths = (("target", "name"), ("destination", "name"), ("template", "metadata", "name"), ("externalSecretName",))
    return {member.name, *(str(member.at("spec", *path)) for path in paths)} if member.kind in _FILLING else set()


def _keys(member: Manifest) -> set[str] | None:
    if member.kind == "SealedSecret":
        return {str(key) for key in member.mapping("spec", "encryptedData")}
    template = member.mapping("spec", "target", "template")
    if member.kind != "ExternalSecret" or template.get("templateFrom"):
        return None
    data = {str(key) for key in member.mapping("spec", "target", "template", "data")}
    merged = not data or template.get("mergePolicy") == "Merge"
    if merged and member.items("spec", "dataFrom"):
        return None
    own = {str(one.get("secretKey")) for one in member.items("spec", "data") if isinstance(one, Mapping)}
    return data | own if merged else data
