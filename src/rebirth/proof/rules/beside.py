"""What may be meant by a name that nothing has: the only other one that lies beside who asks, and that nobody asks for; a class that
is called so, and a word more or less. And whether a name is meant for sure, by what the repository makes of others like it.
"""

import re
from collections import Counter
from collections.abc import Sequence

from rebirth.proof.graph import Graph
from rebirth.proof.rules.slips import is_mistyped, is_slip
from rebirth.proof.things import Edge, Milestone, Need, Thing, Unknown
from rebirth.proof.words import is_name, pieces

NAMELESS = "Write the name of what is meant; name and key may have changed places."
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_READ = frozenset({"Secret", "ConfigMap", "PersistentVolumeClaim"})
_SHARED = 2  # pieces of a class' name that are another's, too
_APPLYING = frozenset({Need.APPLIED_BY, Need.MADE_BY, Need.HEALTH})  # no use of what is in it
# What looks into the namespace of somebody else, as that of an operator's product: nothing of its own runs there.
_LOOKS_IN = frozenset({
    "CiliumNetworkPolicy", "HTTPRoute", "Ingress", "NetworkPolicy", "PodMonitor", "PrometheusRule", "Role", "RoleBinding", "Service", "ServiceMonitor",
})  # fmt: skip
_OWN_KEY = re.compile(r"(?=.{8})[A-Z0-9]+(_[A-Z0-9]+)+")  # keys that programs call otherwise than each other
# Kinds that make nothing of their own name, or whose makes are known; any other may be of an operator that makes Secrets for it.
_PLAIN = frozenset({
    "Certificate", "CiliumNetworkPolicy", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "CronJob", "DaemonSet", "Deployment",
    "ExternalSecret", "GatewayClass", "GrafanaDashboard", "GrafanaDatasource", "GRPCRoute", "HTTPRoute", "HelmChart", "HelmRelease",
    "HelmRepository", "HorizontalPodAutoscaler", "Ingress", "Job", "Kustomization", "Namespace", "NetworkPolicy", "OCIRepository",
    "PersistentVolume", "PersistentVolumeClaim", "Pod", "PodDisruptionBudget", "PodMonitor", "Probe", "PrometheusRule", "PushSecret",
    "ReplicationDestination", "ReplicationSource", "Role", "RoleBinding", "ScaledObject", "ScrapeConfig", "SealedSecret", "Secret",
    "SecretStore", "SecurityPolicy", "Service", "ServiceAccount", "ServiceMonitor", "StatefulSet", "VolumeSnapshot",
})  # fmt: skip
_SIGN = frozenset({"Issuer", "ClusterIssuer"})
_OTHER = {
    "Issuer": "ClusterIssuer", "ClusterIssuer": "Issuer", "SecretStore": "ClusterSecretStore", "ClusterSecretStore": "SecretStore",
}  # fmt: skip
_FAMILIES = frozenset({*_OTHER, "Gateway"})  # whoever has one in a repository has them all there
_OWN_NAMESPACE = frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim", "Issuer", "SecretStore", "Gateway"})
_HOLDING = frozenset({"ConfigMap", "Secret"})
_MANY = 4  # namespaces that are made for one that is missing


def near_name(graph: Graph, thing: Thing) -> str:
    """The name of one that is made, and differs by a slip of the finger."""
    made = {one.name for one in graph.made if one[:2] == thing[:2] and one.name != thing.name and graph.edges.get(one)}
    return next((name for name in sorted(made) if is_slip(thing.name, name)), "")


def meant(graph: Graph, thing: Thing, use: Edge, *, by_hand: bool) -> tuple[str, str, bool] | None:
    """What is probably meant by a name that nothing has: words, what to do instead, and whether that is certain."""
    if near := near_name(graph, thing):
        there = thing._replace(name=near).label
        return f"; there is {there}", f"Did you mean {near}?", not by_hand and is_mistyped(thing.name, near)
    if other := counterpart(graph, thing):
        return f"; there is {other.label}", f"Name {other.label}, with its kind.", True
    if (other := in_another_namespace(graph, thing)) and (thing.kind != "Secret" or _is_unread(graph, other)):
        return f"; there is {other.label}", "Correct the namespace, or make it here, too.", not by_hand
    if beside := unused_beside(graph, thing, use):
        return (
            f"; {thing._replace(name=beside).label} beside it is read by nobody",
            f"Did you mean {beside}?",
            not by_hand,
        )
    if keyed := with_the_key(graph, thing, use):
        return f"; {thing._replace(name=keyed).label} beside it has what is read", f"Did you mean {keyed}?", True
    if not is_name(thing.name):
        return "; nothing can be called so", NAMELESS, True
    if is_made_for_others(graph, thing) and not by_hand and not use.by.kind.startswith("copy"):
        return (
            ", though it is made for others like it",
            "Make it as it is made for the others, or correct the name.",
            True,
        )
    return None


def unused_beside(graph: Graph, thing: Thing, use: Edge) -> str:
    """The name of a Secret or ConfigMap of the same namespace, made by a file beside the one that needs `thing`, of which a word is
    shared and which nobody is known to read; "" where there is none, or several. What a chart's values name is read by it.
    """
    if thing.kind not in _READ or (thing.kind == "Secret" and is_an_operators(graph, thing)):
        return ""
    own, needed = pieces(use.by.name, use.by.namespace), graph.needed_by()
    read = {text for unknown in graph.unknowns for text in unknown.names}
    found = [
        other.name
        for other in _beside(graph, thing, use)
        if _is_called_like(thing, other, own) and other.name not in read
        and all(edge.need in _APPLYING for one in Milestone for edge in needed.get(other._replace(milestone=one), ()))
    ]  # fmt: skip
    return found[0] if len(found) == 1 else ""


def with_the_key(graph: Graph, thing: Thing, use: Edge) -> str:
    """The name of the only Secret or ConfigMap of the same namespace that has all keys which are read of `thing`, made by a file beside the
    one that needs it; "" where that says nothing: each program calls its password so.
    """
    keys = {reading.key for reading in graph.readings if reading.of == thing}
    if not keys or not all(_OWN_KEY.fullmatch(key) for key in keys):
        return ""
    found = [
        other.name
        for other in _beside(graph, thing, use)
        if any(holding.keys is not None and keys <= holding.keys for holding in graph.holdings.get(other, ()))
    ]
    return found[0] if len(found) == 1 else ""


def counterpart(graph: Graph, thing: Thing) -> Thing | None:
    """What is made of the same name, and of the other kind: a ClusterIssuer for an Issuer, as who leaves `kind` out asks for."""
    kind = _OTHER.get(thing.kind)
    made = (one for one in graph.made if one.kind == kind and one.name == thing.name and graph.makers(one))
    return next((one for one in made if one.namespace in {"", thing.namespace} or not thing.namespace), None)


def in_another_namespace(graph: Graph, thing: Thing) -> Thing | None:
    """The only one of its name that is made, in another namespace, where nothing reads it from here."""
    if not thing.namespace or thing.kind not in _OWN_NAMESPACE:
        return None
    made = {
        one[:3]: one
        for one in graph.made
        if (one.kind, one.name) == (thing.kind, thing.name) and one.namespace != thing.namespace and graph.makers(one)
    }
    return next(iter(made.values())) if len(made) == 1 else None


def _is_unread(graph: Graph, thing: Thing) -> bool:
    needed = graph.needed_by()
    return all(edge.need in _APPLYING for one in Milestone for edge in needed.get(thing._replace(milestone=one), ()))


def is_of_files(graph: Graph, thing: Thing, use: Edge) -> bool:
    """Whether such a thing comes out of files alone: a ConfigMap that pods or a release read; an issuer, store or Gateway where the
    repository makes others.
    """
    if thing.kind == "ConfigMap":
        named = any(one.name == thing.name and one.kind not in _HOLDING for one in graph.made)
        return use.need in {Need.CONFIG, Need.VALUES} and not named
    family = {thing.kind, _OTHER.get(thing.kind, thing.kind)}
    return thing.kind in _FAMILIES and any(one.kind in family and graph.makers(one) for one in graph.made)


def _beside(graph: Graph, thing: Thing, use: Edge) -> list[Thing]:
    """Others of the kind in its namespace that a file makes which lies where the one that needs it does, or below; not the key that an
    issuer makes of its own account.
    """
    folder = f"{use.place.file.rpartition('/')[0]}/"
    tokens = {remark.about for remark in graph.marked("account-token")}  # read from outside of the cluster
    return [
        other
        for other in graph.made
        if other[:2] == thing[:2] and other.milestone is thing.milestone and other != thing and other not in tokens
        if any(edge.place.file.startswith(folder) and edge.needs.kind not in _SIGN for edge in graph.makers(other))
    ]


def _is_called_like(thing: Thing, other: Thing, own: frozenset[str]) -> bool:
    """Whether the one name is the other and more, or they share a word that is not just that of who asks."""
    words, others = pieces(thing.name), pieces(other.name)
    shared = words & others
    return bool(shared) and (shared in (words, others) or bool(shared - own))


def is_an_operators(graph: Graph, thing: Thing) -> bool:
    """Whether it is called like a custom resource of its namespace, and a word more: its operator may make it."""
    return any(
        one.namespace == thing.namespace and one.kind not in _PLAIN and (thing.name == one.name or thing.name.startswith(f"{one.name}-"))
        for one in graph.made
        if one.milestone is Milestone.EXISTS
    )  # fmt: skip


def is_made_for_others(graph: Graph, thing: Thing) -> bool:
    """Whether the repository makes a Secret or claim called so, but for its first words, for many others: `wiki-backup`, where `blog-backup`,
    `mail-backup` and more are made.
    """
    if thing.kind not in {"Secret", "ConfigMap", "PersistentVolumeClaim"}:
        return False
    words = thing.name.split("-")
    made = {one[:3] for one in graph.made if one.kind == thing.kind and graph.makers(one) and _is_of_files(graph, one)}
    missing = {one[:3] for one in graph.missing() if one.kind == thing.kind}
    for start in range(1, len(words)):
        end = f"-{'-'.join(words[start:])}"
        like, lost = ({one for one in of if one[2].endswith(end)} for of in (made, missing))
        if len(like) >= _MANY:
            return len(like) >= _MANY * len(lost) and (len(words) - start > 1 or not is_an_operators(graph, thing))
    return False


def _is_of_files(graph: Graph, thing: Thing) -> bool:
    """Whether what makes it is written for it alone; a copy of another is not."""
    if any(edge.needs.kind.startswith("copy") for edge in graph.makers(thing)):
        return False
    return any(edge.needs.kind in _PLAIN or edge.need is Need.APPLIED_BY for edge in graph.makers(thing))


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
