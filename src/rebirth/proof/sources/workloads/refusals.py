"""Objects that fit their schema and that the API server refuses all the same (`rebirth.proof.validation`): with one of them nothing of
its whole Kustomization is applied.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.schemas.kinds import is_newer
from rebirth.proof.schemas.shape import dotted
from rebirth.proof.sources import meeting
from rebirth.proof.things import Atomicity
from rebirth.proof.validation import Refusal, check_of

_ON_NODES = {"NodePort", "LoadBalancer"}
_MOST = 10  # of one object
_SSA = f"{flux.KUSTOMIZE}/ssa"


def read(model: Model, graph: Graph) -> None:
    kubernetes = str(model.castle.kubernetes.version) if model.castle else ""
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX or not unit.built:
            continue
        for member in unit.members:
            check = check_of(str(member.data.get("apiVersion")), member.kind)
            if check is None or flux.is_left_out(member) or member.marked(_SSA) == "Merge":
                continue  # what is merged into something that is there need not be whole
            for refusal in islice(check(member.data), _MOST):
                unless = refusal.unless
                if refusal.since and is_newer(refusal.since, kubernetes):
                    continue
                if refusal.since and not kubernetes:
                    unless = f"its Kubernetes is older than {refusal.since}"
                _tell(graph, member, refusal, unless)
    _node_ports(model, graph)


def _node_ports(model: Model, graph: Graph) -> None:
    """Ports of nodes: each is one Service's alone, whatever the protocol."""
    taken: dict[int, tuple[Manifest, Unit]] = {}
    for member, unit in model.objects("Service"):
        if member.group or flux.is_left_out(member) or member.at("spec", "type") not in _ON_NODES:
            continue
        for path, port in _asked(member):
            other, owner = taken.setdefault(port, (member, unit))
            if (other.namespace, other.name) == (member.namespace, member.name):
                continue
            if unit.atomicity is Atomicity.FLUX and unit.built:
                _tell(graph, member, Refusal(path, f"is {port}, which {other.thing().label} has already"), "")
            elif owner.atomicity is Atomicity.FLUX and owner.built:
                where = next(path for path, found in _asked(other) if found == port)
                _tell(graph, other, Refusal(where, f"is {port}, which {member.thing().label} has, too"), "")


def _asked(member: Manifest) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Where a Service asks for a port of nodes, and for which."""
    for index, entry in enumerate(member.items("spec", "ports")):
        port = entry.get("nodePort") if isinstance(entry, Mapping) else None
        if type(port) is int and port:
            yield ("spec", "ports", index, "nodePort"), port
    port = member.at("spec", "healthCheckNodePort")
    if type(port) is int and port:
        yield ("spec", "healthCheckNodePort"), port


def _tell(graph: Graph, member: Manifest, refusal: Refusal, unless: str) -> None:
    words = f"{dotted(refusal.path)} {refusal.words}"
    meeting.invalid(graph, member, refusal.path, words, unless=unless, by=refusal.by)
