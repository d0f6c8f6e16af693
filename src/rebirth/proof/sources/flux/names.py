"""Names that have to agree: of releases with who uses them, of certificates with the hosts that they are shown for; and objects
that two units apply, with one content or two.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import CERT_MANAGER

_INSTANCE = "app.kubernetes.io/instance"  # a label that charts give: the release's name
_SELECTING: dict[str, tuple[tuple[str, ...], ...]] = {
    "Service": (("selector",),),
    "ServiceMonitor": (("selector", "matchLabels"),),
    "PodMonitor": (("selector", "matchLabels"),),
    "NetworkPolicy": (("podSelector", "matchLabels"),),
    "CiliumNetworkPolicy": (("endpointSelector", "matchLabels"),),
    "PodDisruptionBudget": (("selector", "matchLabels"),),
}
_RESTARTING = ("VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret")
_SEALING = "sealedsecrets.bitnami.com/sealed-secrets-key"


def read(model: Model, graph: Graph) -> None:
    _owners(model, graph)
    _releases(model, graph)
    _certificates(model, graph)
    _keys(model, graph)


def _owners(model: Model, graph: Graph) -> None:
    """Objects that more than one unit applies: whether they are the same."""
    seen: dict[tuple[str, str, str, str], list[tuple[Manifest, Unit]]] = defaultdict(list)
    for member, unit in model.objects():
        seen[member.group, member.kind, member.namespace, member.name].append((member, unit))
    for group in seen.values():
        first = group[0]
        other = next((one for one in group[1:] if one[1] is not first[1]), None)
        if other:
            same = "yes" if _content(first[0]) == _content(other[0]) else ""
            words = f"{first[0].thing().label} is applied by {first[1].name} and {other[1].name}"
            graph.remark("two-owners", other[0].place("metadata", "name"), words, first[0].thing(), same=same)


def _content(member: Manifest) -> dict[str, object]:
    """What it does: labels and annotations say whose it is."""
    metadata = {key: value for key, value in member.mapping("metadata").items() if key not in {"labels", "annotations"}}
    return {**member.data, "metadata": metadata}


# -- releases


def _releases(model: Model, graph: Graph) -> None:
    """Releases that Flux calls otherwise than who uses them."""
    renamed: dict[tuple[str, str], Manifest] = {}
    for member, _ in model.objects("HelmRelease"):
        spec = member.mapping("spec")
        values = member.mapping("spec", "values")
        if not releases.is_release(member) or not spec.get("targetNamespace") or spec.get("releaseName"):
            continue
        if values.get("fullnameOverride") or values.get("nameOverride"):
            continue
        if not model.find("Service", str(spec["targetNamespace"]), member.name):
            renamed[str(spec["targetNamespace"]), member.name] = member
    for space, name, words in _named(model, set(renamed)) if renamed else ():
        if (space, name) in renamed:
            member = renamed.pop((space, name))
            called = releases.release_name(member)
            told = f"HelmRelease {member.namespace}/{name} becomes the release {called}, but {words}"
            place = member.place("spec", "targetNamespace")
            graph.remark("release-name", place, told, member.thing(), called=called, name=name)


def _named(model: Model, wanted: set[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Who refers to a Service of a release by the HelmRelease's own name."""
    online = model.castle.online if model.castle else None
    entrance = online.entrance if online else None
    if entrance and entrance.kind == "Service" and (entrance.namespace, entrance.name) in wanted:
        words = f"the castle waits for Service {entrance.namespace}/{entrance.name}"
        yield entrance.namespace, entrance.name, words
    for member, _ in model.objects("Ingress", "HTTPRoute"):
        for space, name in _backends(member):
            if (space, name) in wanted:
                yield space, name, f"{member.thing().label} leads to Service {name}"
    yield from _labels(model, wanted)
    yield from _restarts(model, wanted)


def _labels(model: Model, wanted: set[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Who selects pods or Services by the label that holds a release's name."""
    for member, _ in model.objects(*_SELECTING):
        for labels in (member.mapping("spec", *path) for path in _SELECTING[member.kind]):
            name = str(labels.get(_INSTANCE, ""))
            if (member.namespace, name) in wanted:
                yield member.namespace, name, f"{member.thing().label} selects {_INSTANCE}: {name}"


def _restarts(model: Model, wanted: set[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Workloads of a release that are to be restarted when a secret changes."""
    for member, _ in model.objects(*_RESTARTING):
        for target in member.items("spec", "rolloutRestartTargets"):
            name = str(target.get("name", "")) if isinstance(target, Mapping) else ""
            if (member.namespace, name) in wanted:
                yield member.namespace, name, f"{member.thing().label} restarts {target.get('kind')} {name}"


def _backends(member: Manifest) -> Iterator[tuple[str, str]]:
    for number, _ in enumerate(member.items("spec", "rules")):
        for one in member.items("spec", "rules", number, "backendRefs"):
            if isinstance(one, Mapping):
                yield str(one.get("namespace") or member.namespace), str(one.get("name"))
        for index, _ in enumerate(member.items("spec", "rules", number, "http", "paths")):
            path = ("spec", "rules", number, "http", "paths", index, "backend", "service", "name")
            yield member.namespace, str(member.at(*path))


# -- certificates


def _certificates(model: Model, graph: Graph) -> None:
    names: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
    for member, _ in model.objects("Certificate"):
        if member.group == CERT_MANAGER:
            names[member.namespace, str(member.at("spec", "secretName"))].append(member)
    for member, _ in model.objects("Ingress") if names else ():
        for index, entry in enumerate(member.items("spec", "tls")):
            if not isinstance(entry, Mapping):
                continue
            made = names.get((member.namespace, str(entry.get("secretName"))), [])
            for number, host in enumerate(entry.get("hosts") or []):
                if made and not _annotated(member) and not any(_covers(one, str(host)) for one in made):
                    listed = ", ".join(map(str, made[0].items("spec", "dnsNames")))
                    words = (
                        f"{member.thing().label} shows the certificate {made[0].name} for {host}, "
                        f"which is made for {listed or 'no name'}"
                    )
                    place = member.place("spec", "tls", index, "hosts", number)
                    graph.remark("certificate-host", place, words, member.thing())


def _annotated(member: Manifest) -> bool:
    return any(str(key).startswith(f"{CERT_MANAGER}/") for key in member.annotations)


def _covers(certificate: Manifest, host: str) -> bool:
    if "${" in host:
        return True
    listed: list[Any] = [*certificate.items("spec", "dnsNames"), certificate.at("spec", "commonName")]
    if any("${" in str(name) for name in listed):
        return True
    return any(
        name == host or (str(name).startswith("*.") and str(name)[1:] == host[host.find(".") :]) for name in listed
    )


# -- keys


def _keys(model: Model, graph: Graph) -> None:
    """Keys that open what was encrypted before."""
    for member, _ in model.objects("Secret", "ExternalSecret"):
        labels = {**member.labels, **member.mapping("spec", "target", "template", "metadata", "labels")}
        if _SEALING in labels:
            graph.remark(
                "sealing-key", member.place(), f"{member.thing().label} contains a sealing key", member.thing()
            )
    for member in model.seeded:
        if _SEALING in member.labels:
            graph.remark(
                "sealing-key", member.place(), f"{member.thing().label} contains a sealing key", member.thing()
            )
    for member, _ in model.objects("Kustomization"):
        name = member.at("spec", "decryption", "secretRef", "name")
        if isinstance(name, str) and name:
            place = member.place("spec", "decryption", "secretRef", "name")
            of = meeting.secret(member.namespace, name)
            graph.remark("decryption-key", place, f"Flux decrypts with Secret {name}", of)
