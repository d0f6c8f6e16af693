"""What may be meant by a name that nothing has: the only other one that lies beside who asks, and that nobody asks for; a class that
is called so, and a word more or less. And whether a name is meant for sure, by what the repository makes of others like it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from rebirth.proof.graph import Graph
from rebirth.proof.rules.slips import is_mistyped
from rebirth.proof.things import Edge, Need, Thing, Unknown
from rebirth.proof.words import pieces

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SHARED = 2  # pieces of a class' name that are another's, too
_APPLYING = frozenset({Need.APPLIED_BY, Need.MADE_BY, Need.HEALTH})  # no use of what is in it
# What looks into the namespace of somebody else, as that of an operator's product: nothing of its own runs there.
_LOOKS_IN = frozenset({
    "CiliumNetworkPolicy", "HTTPRoute", "Ingress", "NetworkPolicy", "PodMonitor", "PrometheusRule", "Role", "RoleBinding", "Service", "ServiceMonitor",
})  # fmt: skip
_MANY = 4  # namespaces that are made for one that is missing


def unused_beside(graph: Graph, thing: Thing, use: Edge, needed: Mapping[Thing, Sequence[Edge]]) -> str:
    """The name of a Secret or ConfigMap of the same namespace, made by a file beside the one that needs `thing`, of which a word is
    shared and which nobody is known to read; "" where there is none, or several. What a chart's values name is read by it.
    """
    if thing.kind not in {"Secret", "ConfigMap"}:
        return ""
    folder, words = use.place.file.rpartition("/")[0], pieces(thing.name)
    read = {text for unknown in graph.unknowns for text in unknown.names}
    found = [
        other.name
        for other in graph.made
        if other[:2] == thing[:2] and other.milestone is thing.milestone and other != thing
        if any(edge.place.file.rpartition("/")[0] == folder for edge in graph.makers(other))
        and words & pieces(other.name) and other.name not in read
        and all(edge.need in _APPLYING for edge in needed.get(other, ()))
    ]  # fmt: skip
    return found[0] if len(found) == 1 else ""


def near_class(graph: Graph, of: Thing) -> str:
    """A class that the values of another chart, perhaps the one that makes it, call nearly so."""
    if not of.kind.endswith("Class"):
        return ""
    named = {text for unknown in graph.unknowns if of.name not in unknown.names for text in unknown.names}
    return next((text for text in sorted(named) if is_mistyped(of.name, text)), "")


def class_made_like(graph: Graph, of: Thing) -> str:
    """A class of volumes that is made here, and is called as this one, but for words."""
    if of.kind != "StorageClass":
        return ""
    return _like(of, {one.name for one in graph.made if one[:2] == of[:2] and graph.makers(one)})


def is_like_ours(graph: Graph, of: Thing, charts: Sequence[Unknown]) -> bool:
    """Whether a class is called as one that is made, used or named by others, and a word more or less."""
    names = {one.name for one in graph.things if one[:2] == of[:2] and one.name != of.name}
    return bool(_like(of, names | {text for chart in charts for text in chart.names if _NAME.fullmatch(text)}))


def _like(of: Thing, names: set[str]) -> str:
    found = pieces(of.name)
    for name in sorted(names):
        shared = found & pieces(name)
        if len(shared) >= _SHARED and shared in (found, pieces(name)):
            return name
    return ""


def is_forgotten(graph: Graph, thing: Thing) -> bool:
    """Whether it is a namespace or a ConfigMap that is missing in a repository that makes all others of its kind itself; or a
    store for the whole cluster, where most of what reads from one reads from another that is made here.
    """
    if thing.kind == "ClusterSecretStore":
        readers = Counter(
            edge.needs.name
            for edge in graph.all_edges()
            if edge.needs.kind == thing.kind and edge.by.kind == "ExternalSecret"
        )
        stores = {one.name for one in graph.made if one.kind == thing.kind and graph.makers(one)}
        return sum(readers[name] for name in stores) >= _MANY * readers[thing.name] > 0
    if thing.kind not in {"Namespace", "ConfigMap"}:
        return False
    if thing.kind == "Namespace" and {one.kind for one in graph.made if one.namespace == thing.name} <= _LOOKS_IN:
        return False
    if thing.kind == "ConfigMap" and any(
        one.name == thing.name and one.kind not in {"ConfigMap", "Secret"} for one in graph.made
    ):
        return False  # an object of that name may make it: a bundle of certificates does
    missing = len({other.label for other in graph.missing() if other.kind == thing.kind})
    made = sum(
        other[0] == thing.kind and other.milestone is thing.milestone and bool(graph.edges.get(other))
        for other in graph.made
    )
    return made >= _MANY * missing


def is_meant_by_all(graph: Graph, thing: Thing, use: Edge) -> bool:
    """Whether a Kustomization substitutes from what is made of that name in many another namespace, for those there; or a release is to
    make the namespace in which it stands itself.
    """
    if use.need is Need.VARIABLES:
        alike = {
            one.namespace
            for one in graph.made
            if (one.kind, one.name) == (thing.kind, thing.name) and graph.makers(one)
        }
        return len(alike) >= _MANY
    return thing.kind == "Namespace" and any(
        remark["namespace"] == thing.name for remark in graph.marked("makes-its-own")
    )
