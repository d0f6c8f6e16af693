"""Objects that fit their schema and that the API server refuses all the same (`rebirth.proof.validation`): with one of them nothing of
its whole Kustomization is applied.
"""

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas.kinds import is_newer
from rebirth.proof.schemas.shape import dotted
from rebirth.proof.things import Atomicity
from rebirth.proof.validation import Refusal, check_of

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
            for _, refusal in zip(range(_MOST), check(member.data), strict=False):
                unless = refusal.unless
                if refusal.since and is_newer(refusal.since, kubernetes):
                    continue
                if refusal.since and not kubernetes:
                    unless = f"its Kubernetes is older than {refusal.since}"
                _tell(graph, member, refusal, unless)


def _tell(graph: Graph, member: Manifest, refusal: Refusal, unless: str) -> None:
    where = dotted(refusal.path)
    graph.remark(
        "refused", member.place(*refusal.path), f"{member.thing().label}: {where} {refusal.words}", member.thing(),
        path=where, unless=unless, by=refusal.by,
    )  # fmt: skip
