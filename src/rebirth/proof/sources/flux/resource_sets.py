"""ResourceSets of the Flux operator: what each waits for before it applies anything, and the objects that stand in it as they are.

What its `dependsOn` names has to exist, and with `ready` to be Ready, or nothing of the set is applied (flux-operator 0.59,
resourceset_controller.go). A CRD is named there as an object: by plural and group.
"""

from collections.abc import Iterator, Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.reading.scopes import BUILT_IN, CUSTOM, plural
from rebirth.proof.sources import meeting
from rebirth.proof.things import Milestone, Need, Thing

_GROUP = "fluxcd.controlplane.io"
_TEMPLATED = "<<"


def read(model: Model, graph: Graph) -> None:
    known = {_named(one): one for one in graph.edges if one.kind == "CRD"}
    for member, _ in model.objects("ResourceSet"):
        if member.group == _GROUP:
            _set(member, known, graph)


def _named(crd: Thing) -> str:
    """As its object is called: scaledobjects.keda.sh."""
    group, _, kind = crd.name.partition("/")
    return f"{plural(kind)}.{group}"


def _set(member: Manifest, known: Mapping[str, Thing], graph: Graph) -> None:
    done, begun = meeting.runs(member, graph), member.thing(Milestone.STARTED)
    name = member.place("metadata", "name")
    graph.where.setdefault(begun, name)
    graph.needs(begun, member.thing(), Need.APPLIED_BY, name, "the object itself is there")
    graph.needs(done, begun, Need.APPLIED_BY, name)
    for index, entry in enumerate(member.items("spec", "dependsOn")):
        if not isinstance(entry, Mapping) or not entry.get("kind") or not entry.get("name"):
            continue
        kind, wanted = str(entry["kind"]), str(entry["name"])
        if _TEMPLATED in wanted or "${" in wanted:
            continue
        place = member.place("spec", "dependsOn", index)
        if kind == "CustomResourceDefinition" and wanted in known:
            graph.wanted(known[wanted])
            graph.needs(begun, known[wanted], Need.DEPENDS_ON, place, f"dependsOn {wanted}")
            continue
        space = "" if kind in BUILT_IN | CUSTOM else str(entry.get("namespace") or "")
        other = thing(kind, space, wanted)
        graph.wanted(other)
        if entry.get("ready") is True and not entry.get("readyExpr"):
            healthy = other._replace(milestone=Milestone.READY)
            graph.needs(healthy, other, Need.APPLIED_BY, place)
            other = healthy
        graph.needs(begun, other, Need.DEPENDS_ON, place, f"dependsOn {wanted}")
    for made in _resources(member):
        graph.makes(begun, made, name, need=Need.APPLIED_BY)


def _resources(member: Manifest) -> Iterator[Thing]:
    """Objects whose names need no input."""
    for number, entry in enumerate(member.items("spec", "resources")):
        kind, name, space = (
            str(member.at("spec", "resources", number, *path, default="") or "")
            for path in (("kind",), ("metadata", "name"), ("metadata", "namespace"))
        )
        if isinstance(entry, Mapping) and kind and name and _TEMPLATED not in name + space:
            yield thing(kind, "" if kind in BUILT_IN | CUSTOM else space, name)
