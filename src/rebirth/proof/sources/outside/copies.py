"""Secrets and ConfigMaps that are copied from namespace to namespace, unsealed, or made of several: by Reflector, kubernetes-replicator,
Sealed Secrets, trust-manager, Kyverno. Read after everybody who needs something: a copy to wherever it may be is made where it is wanted.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import external_secrets, meeting
from rebirth.proof.things import ALWAYS, Milestone, Need, Place, Thing

_REFLECTOR = "reflector.v1.k8s.emberstack.com"
_REPLICATOR = "replicator.v1.mittwald.de"
_OF_VAULT = ("VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret")  # of the Vault Secrets Operator
_WITH_TEMPLATE: dict[str, tuple[str, ...]] = {
    "Secret": ("metadata", "annotations"),
    "ConfigMap": ("metadata", "annotations"),
    "ExternalSecret": ("spec", "target", "template", "metadata", "annotations"),
    "Certificate": ("spec", "secretTemplate", "annotations"),
    "SealedSecret": ("spec", "template", "metadata", "annotations"),
    **dict.fromkeys(_OF_VAULT, ("spec", "destination", "annotations")),
}
# What databases hand down to all that is made for them, their users' Secrets among it.
_INHERITED: dict[tuple[str, str], tuple[str, ...]] = {
    ("postgresql.cnpg.io", "Cluster"): ("spec", "inheritedMetadata", "annotations"),
    ("postgres-operator.crunchydata.com", "PostgresCluster"): ("spec", "metadata", "annotations"),
}


class _Source(NamedTuple):
    """A Secret or ConfigMap that says where it is to be copied."""

    of: Thing
    namespaces: tuple[str, ...]  # patterns; none: everywhere
    place: Place
    by: str  # the copier's name in `knowledge`


def read(model: Model, graph: Graph) -> None:
    _filled(model, graph)
    sources: dict[tuple[str, str], list[_Source]] = defaultdict(list)
    for member, _ in model.objects(*_WITH_TEMPLATE):
        for found in _sources(member, _WITH_TEMPLATE[member.kind], _made(member)):
            sources[found.of.kind, found.of.name].append(found)
        _pulled(member, graph)
    for member, _ in model.objects("Cluster", "PostgresCluster"):
        path = _INHERITED.get((member.group, member.kind), ())
        for of in _made_for(member, graph) if path and member.mapping(*path) else ():
            for found in _sources(member, path, of):
                sources[of.kind, of.name].append(found)
    for found in (one for member, _ in model.objects("ClusterPolicy") for one in _cloned(member)):
        sources[found.of.kind, found.of.name].append(found)
    _pushed(sources, graph)


def _filled(model: Model, graph: Graph) -> None:
    for member, _ in model.objects("SealedSecret"):
        _sealed(member, graph)
    for member, _ in model.objects("Bundle"):
        if member.group == "trust.cert-manager.io":
            _bundle(member, graph)


def _cloned(policy: Manifest) -> Iterator[_Source]:
    """What a policy of Kyverno copies into the namespaces that it matches."""
    for index, rule in enumerate(policy.items("spec", "rules")):
        made = rule.get("generate") if isinstance(rule, Mapping) else None
        if not isinstance(made, Mapping) or not isinstance(origin := made.get("clone"), Mapping):
            continue
        if origin.get("name") != made.get("name"):
            continue
        path = ("spec", "rules", index, "match")
        named = [*policy.items(*path, "resources", "names")]
        for part in ("any", "all"):
            for number, _ in enumerate(policy.items(*path, part)):
                named += policy.items(*path, part, number, "resources", "names")
        patterns = tuple(str(name).replace("*", ".*").replace("?", ".") for name in named)
        of = thing(str(made.get("kind")), str(origin.get("namespace")), str(origin["name"]), Milestone.MATERIALISED)
        yield _Source(of, patterns, policy.place("spec", "rules", index, "generate", "clone"), "kyverno")


def _made(member: Manifest) -> Thing:
    """The Secret or ConfigMap that `member` is or makes."""
    if member.kind == "ExternalSecret":
        return thing(
            "Secret",
            member.namespace,
            external_secrets.target(member.mapping("spec"), member.name),
            Milestone.MATERIALISED,
        )
    if member.kind == "Certificate":
        return thing(
            "Secret", member.namespace, str(member.at("spec", "secretName") or member.name), Milestone.MATERIALISED
        )
    if member.kind in _OF_VAULT:
        name = str(member.at("spec", "destination", "name") or "")
        return thing("Secret", member.namespace, name, Milestone.MATERIALISED)
    if member.kind == "SealedSecret":
        name = str(member.at("spec", "template", "metadata", "name") or member.name)
        return thing("Secret", member.namespace, name, Milestone.MATERIALISED)
    return member.thing(Milestone.MATERIALISED)


def _made_for(member: Manifest, graph: Graph) -> list[Thing]:
    """The Secrets that an operator makes for it."""
    by = member.thing(Milestone.MATERIALISED)
    return [one for one in graph.made if one.kind == "Secret" and any(edge.needs == by for edge in graph.makers(one))]


def _sources(member: Manifest, path: tuple[str, ...], of: Thing) -> Iterator[_Source]:
    notes = member.mapping(*path)
    if str(notes.get(f"{_REFLECTOR}/reflection-auto-enabled", "")).lower() == "true":
        field = f"{_REFLECTOR}/reflection-auto-namespaces"
        if not notes.get(field):
            field = f"{_REFLECTOR}/reflection-allowed-namespaces"
        yield _Source(of, _patterns(notes.get(field)), member.place(*path), "reflector")
    if notes.get(f"{_REPLICATOR}/replicate-to"):
        wanted = _patterns(notes[f"{_REPLICATOR}/replicate-to"])
        yield _Source(of, wanted, member.place(*path), "replicator")


def _patterns(value: Any) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(value or "").split(",") if part.strip())


def _fits(patterns: tuple[str, ...], namespace: str) -> bool:
    if not patterns:
        return True
    for pattern in patterns:
        try:
            if re.fullmatch(pattern, namespace):
                return True
        except re.error:
            continue
    return False


def _pulled(member: Manifest, graph: Graph) -> None:
    """A copy that names what it is a copy of."""
    path = _WITH_TEMPLATE[member.kind]
    for annotation, by in ((f"{_REFLECTOR}/reflects", "reflector"), (f"{_REPLICATOR}/replicate-from", "replicator")):
        source = member.mapping(*path).get(annotation)
        if not isinstance(source, str) or not source:
            continue
        space, _, name = source.rpartition("/")
        of = thing(member.kind, space or member.namespace, name, Milestone.MATERIALISED)
        if member.kind not in {"Secret", "ConfigMap"}:
            of = of._replace(kind="Secret")
        graph.wanted(of)
        copy, made, place = _copy(member.namespace, member.name, by), _made(member), member.place(*path, annotation)
        graph.needs(copy, member.thing(), Need.APPLIED_BY, place)
        _copied(copy, of, by, place, graph)
        graph.makes(copy, made, place, f"copied from {of.label}")
        graph.holds(made, None, place)


def _pushed(sources: Mapping[tuple[str, str], list[_Source]], graph: Graph) -> None:
    wanted = [one for one in graph.made if (one.kind, one.name) in sources and one.milestone is Milestone.MATERIALISED]
    for of in wanted:
        for source in sources[of.kind, of.name]:
            if source.of != of and _fits(source.namespaces, of.namespace):
                copy = _copy(of.namespace, of.name, source.by)
                _copied(copy, source.of, source.by, source.place, graph)
                graph.needs(copy, thing("Namespace", "", of.namespace), Need.NAMESPACE, source.place)
                graph.makes(copy, of, source.place, f"copied from {source.of.label}")
                graph.holds(of, None, source.place)


def _copy(namespace: str, name: str, by: str) -> Thing:
    return thing(f"copy by {by} of", namespace, name, Milestone.READY)


def _copied(copy: Thing, of: Thing, by: str, place: Place, graph: Graph) -> None:
    graph.where.setdefault(copy, place)
    graph.needs(copy, of, Need.SECRET if of.kind == "Secret" else Need.CONFIG, place)
    if graph.makers(knowledge.operator(by)):
        graph.needs(copy, knowledge.operator(by), Need.WORKLOAD, place, scope=ALWAYS)


def _sealed(member: Manifest, graph: Graph) -> None:
    """A SealedSecret opens only with the private key of the controller that it was sealed for."""
    done, of = meeting.runs(member, graph), _made(member)
    place = member.place("spec", "encryptedData")
    graph.makes(done, of, place)
    graph.holds(of, {*member.mapping("spec", "encryptedData"), *member.mapping("spec", "template", "data")}, place)
    graph.remark("sealed", place, f"{done.label} can be opened only with the key that it was sealed for", done)


def _bundle(member: Manifest, graph: Graph) -> None:
    """trust-manager puts a bundle's target into every namespace, or those that it selects."""
    done = meeting.runs(member, graph)
    keys = [
        str(member.at("spec", "target", field, "key"))
        for field in ("configMap", "secret")
        if member.at("spec", "target", field, "key")
    ]
    for index, source in enumerate(member.items("spec", "sources")):
        for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
            named = source.get(field) if isinstance(source, Mapping) else None
            if isinstance(named, Mapping) and named.get("name"):
                of = thing(kind, "cert-manager", str(named["name"]), Milestone.MATERIALISED)
                graph.wanted(of)
                place = member.place("spec", "sources", index, field)
                graph.needs(done, of, Need.SECRET if kind == "Secret" else Need.CONFIG, place)
    for of in [one for one in graph.made if one.name == member.name and one.milestone is Milestone.MATERIALISED]:
        if of.kind in {"Secret", "ConfigMap"}:
            graph.makes(done, of, member.place("spec", "target"))
            graph.holds(of, keys or None, member.place("spec", "target"))
