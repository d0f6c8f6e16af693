"""Objects that fit their schema and that the API server refuses all the same (`rebirth.proof.validation`): with one of them nothing of
its whole Kustomization is applied.
"""

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas.kinds import is_newer
from rebirth.proof.schemas.shape import dotted
from rebirth.proof.things import Atomicity
from rebirth.proof.validation import CHECKS

_MOST = 10  # of one object
_SSA = f"{flux.KUSTOMIZE}/ssa"


def read(model: Model, graph: Graph) -> None:
    kubernetes = str(model.castle.kubernetes.version) if model.castle else ""
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX or not unit.built:
            continue
        for member in unit.members:
            check = CHECKS.get((str(member.data.get("apiVersion")), member.kind))
            if check is None or flux.is_left_out(member) or member.marked(_SSA) == "Merge":
                continue  # what is merged into something that is there need not be whole
            for _, refusal in zip(range(_MOST), check(member.data), strict=False):
                unless = refusal.unless
                if refusal.since and is_newer(refusal.since, kubernetes):
                    continue
                if refusal.since and not kubernetes:
                    unless = f"its Kubernetes is older than {refusal.since}"
                _tell(graph, member, refusal.path, refusal.words, unless)


def _tell(graph: Graph, member: Manifest, path: tuple[str | int, ...], words: str, unless: str) -> None:
    graph.remark(
        "refused", member.place(*path), f"{member.thing().label}: {dotted(path)} {words}", member.thing(),
        path=dotted(path), unless=unless,
    )  # fmt: skip
