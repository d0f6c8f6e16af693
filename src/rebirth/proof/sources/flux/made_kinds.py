"""Kinds that come of other custom resources: their operator makes the CRD once it has seen the definition."""

from collections.abc import Iterator

from rebirth.proof.charts.knowledge import crd
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.sources import meeting

_GATEKEEPER, _CROSSPLANE, _KRO = "templates.gatekeeper.sh", "apiextensions.crossplane.io", "kro.run"


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects("ConstraintTemplate", "CompositeResourceDefinition", "ResourceGraphDefinition"):
        if flux.is_left_out(member):
            continue
        for group, kind in _kinds(member):
            place = member.place("metadata", "name")
            graph.makes(meeting.runs(member, graph), crd(group, kind), place, f"defined by {member.kind} {member.name}")


def _kinds(member: Manifest) -> Iterator[tuple[str, str]]:
    """Groups and kinds that a definition defines."""
    if (member.group, member.kind) == (_GATEKEEPER, "ConstraintTemplate"):
        if kind := member.at("spec", "crd", "spec", "names", "kind"):
            yield "constraints.gatekeeper.sh", str(kind)
    elif (member.group, member.kind) == (_CROSSPLANE, "CompositeResourceDefinition"):
        for field in ("names", "claimNames"):
            if kind := member.at("spec", field, "kind"):
                yield str(member.at("spec", "group")), str(kind)
    elif (member.group, member.kind) == (_KRO, "ResourceGraphDefinition") and (
        kind := member.at("spec", "schema", "kind")
    ):
        yield str(member.at("spec", "schema", "group") or _KRO), str(kind)
