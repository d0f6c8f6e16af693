"""Mutual authentication: pods that are reached only once SPIRE has proved who asks.

Where a Cilium policy says `authentication: {mode: required}`, the agent of the node drops what comes to the selected pods until
SPIRE's server has given both sides an identity (Cilium 1.19, Documentation/network/servicemesh/mutual-authentication). Kubelets and
pods on the host's network are not asked: pods become Ready without it. On a first boot the policies may come last; after a power
cycle they are there before anything runs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods, selectors
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Milestone, Need, Place, Scope, Thing

_POLICIES = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
_GROUP, _SERVER = "cilium.io", "spire-server"
_NAMESPACE = "io.kubernetes.pod.namespace"
_ALL = {"all", "cluster"}  # entities that stand for every pod
_PEERS = ("fromEndpoints", "fromEntities", "fromNodes", "fromCIDR", "fromCIDRSet", "fromGroups", "fromRequires")


def read(model: Model, graph: Graph) -> None:
    policies = list(_policies(model))
    server = next((found for found in pods.every(model) if _is_server(found)), None) if policies else None
    if server is None:
        return
    guarded: dict[Thing, Place] = {}
    for found in pods.every(model):
        if found.namespace != server.namespace and found.spec.get("hostNetwork") is not True:
            place = next((place for member, spec, place in policies if _selects(member, spec, found)), None)
            if place is not None:
                guarded[found.thing] = place
    for member, _ in model.objects("StorageClass"):
        for known in knowledge.operators():
            if member.at("provisioner") in known.provisioners:
                _needs(member.thing(Milestone.SERVES), known.thing, guarded, server.thing, graph)


def _needs(by: Thing, operator: Thing, guarded: Mapping[Thing, Place], server: Thing, graph: Graph) -> None:
    """What an operator provides needs SPIRE where its own pods are guarded."""
    for edge in graph.makers(operator):
        if edge.needs in guarded:
            words = f"nobody reaches {edge.needs.label} without an identity"
            graph.needs(by, server, Need.IDENTITY, guarded[edge.needs], words, scope=Scope.COLD_RESTART)
            return


def _is_server(found: pods.Pods) -> bool:
    if found.manifest.name == _SERVER:
        return True
    images = (str(container.get("image") or "") for _, _, container in found.containers(init=False))
    return any(image.partition("@")[0].rpartition("/")[2].partition(":")[0] == _SERVER for image in images)


def _policies(model: Model) -> Iterator[tuple[Manifest, Mapping[str, Any], Place]]:
    """Each policy by which all that comes from pods has to be authenticated, and where it says so."""
    for member, _ in model.objects(*_POLICIES):
        if member.group != _GROUP:
            continue
        paths: list[tuple[str | int, ...]] = [("spec",)]
        paths += [("specs", index) for index, _ in enumerate(member.items("specs"))]
        for path in paths:
            for number, rule in enumerate(member.items(*path, "ingress")):
                if (
                    isinstance(rule, Mapping)
                    and member.at(*path, "ingress", number, "authentication", "mode") == "required"
                    and _is_for_all(rule)
                ):
                    yield (
                        member,
                        member.mapping(*path),
                        member.place(*path, "ingress", number, "authentication", "mode"),
                    )


def _is_for_all(rule: Mapping[str, Any]) -> bool:
    """Whether a rule is about all pods that may come."""
    if not any(peer in rule for peer in _PEERS):
        return True
    entities, endpoints = rule.get("fromEntities"), rule.get("fromEndpoints")
    return bool(isinstance(entities, list) and _ALL & set(map(str, entities))) or (
        isinstance(endpoints, list) and {} in endpoints
    )


def _selects(member: Manifest, spec: Mapping[str, Any], found: pods.Pods) -> bool:
    if member.kind == "CiliumNetworkPolicy" and member.namespace != found.namespace:
        return False
    labels = {**found.labels, _NAMESPACE: found.namespace}
    selector = spec.get("endpointSelector")
    return isinstance(selector, Mapping) and selectors.selects(_bare(selector), labels)


def _bare(selector: Any) -> Any:
    """Without what Cilium puts before labels: where they come from."""
    if isinstance(selector, Mapping):
        return {
            _without(str(key)): _without(value) if key == "key" else _bare(value) for key, value in selector.items()
        }
    return [_bare(one) for one in selector] if isinstance(selector, list) else selector


def _without(label: Any) -> Any:
    text = str(label)
    return text.removeprefix("k8s:").removeprefix("any:")
