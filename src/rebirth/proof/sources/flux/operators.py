"""Operators: who runs them, and what they make of custom resources (`sources.knowledge`).

`<Kind> ns/name` MATERIALISED: the operator has seen the custom resource, and made what belongs to it.
"""

from collections.abc import Mapping

from rebirth.proof.charts import knowledge, releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.things import Milestone, Need, Scope, Thing

_RUNNING = Scope.FIRST_BOOT | Scope.COLD_RESTART
_PARTS = {
    "webhook",
    "certcontroller",
    "cainjector",
    "speaker",
    "driver-deployer",
    "uninstall",
}  # arguments of other parts in the same image


def read(model: Model, graph: Graph) -> None:
    where: dict[str, str] = {}  # operator -> its namespace
    for found in pods.every(model):
        if (known := _runs(found)) and found.manifest.kind != "Job":
            where.setdefault(known.name, found.namespace)
            place = found.manifest.place("metadata", "name")
            graph.makes(found.thing, known.thing, place, known.title, need=Need.WORKLOAD, scope=_RUNNING)
    judged = _judged(model)
    for member, _ in model.objects():
        if known := knowledge.of_kind(member.group, member.kind):
            blind = f"{member.group}/{member.kind}" in known.unready and member.kind not in judged
            done = member.thing(Milestone.SERVES if blind else Milestone.READY)
            _resource(member, known, where.get(known.name, known.namespace), done, graph)


def assume(model: Model, graph: Graph) -> None:
    """An operator that is needed and that nobody runs here: what is missing then is reported for its CRDs."""
    for known in knowledge.operators():
        if known.thing in graph.edges and not graph.makers(known.thing):
            graph.given(known.thing, "it is run from outside these files; its CRDs are reported instead")


def _runs(found: pods.Pods) -> knowledge.Operator | None:
    """The operator that these pods are."""
    annotations = found.manifest.at(*found.path, "metadata", "annotations")
    if isinstance(annotations, Mapping) and (name := annotations.get(releases.OPERATOR)):
        return next((known for known in knowledge.operators() if known.name == name), None)
    if found.manifest.annotations.get(releases.OPERATOR) or releases.MADE_UP in found.labels:
        return None
    for _, _, container in found.containers(init=False):
        words = {str(word) for word in [*(container.get("args") or ()), *(container.get("command") or ())]}
        if (known := knowledge.of_image(str(container.get("image", "")))) and not words & _PARTS:
            return known
    return None


def _judged(model: Model) -> set[str]:
    """Kinds whose health some Kustomization judges by expressions of its own."""
    return {
        str(entry.get("kind"))
        for unit in model.units
        if unit.own is not None
        for entry in unit.own.items("spec", "healthCheckExprs")
        if isinstance(entry, Mapping)
    }


def materialised(manifest: Manifest) -> Thing:
    return manifest.thing(Milestone.MATERIALISED)


def _resource(member: Manifest, known: knowledge.Operator, namespace: str, done: Thing, graph: Graph) -> None:
    """`done`: it works. That is more than Ready where nobody can see from its conditions whether it does."""
    made = list(knowledge.made_by(member.group, member.data, namespace))
    place = member.place("metadata", "name")
    if not made and not any((reads.group, reads.by) == (member.group, member.kind) for reads in known.reads):
        return
    seen = materialised(member)
    graph.needs(seen, member.thing(), Need.APPLIED_BY, place)
    if graph.makers(known.thing):
        graph.needs(seen, known.thing, Need.WORKLOAD, place, f"{known.title} manages it", scope=_RUNNING)
    graph.needs(done, seen, Need.WORKLOAD, place)
    for late, by in ((False, done), (True, member.thing(Milestone.SERVES))):
        for kind, space, name, key in knowledge.read_by(member.group, member.data, late=late):
            holder = thing(kind, space, name, Milestone.MATERIALISED)
            graph.needs(by, holder, Need.SECRET if kind == "Secret" else Need.CONFIG, member.place("spec"))
            if key:
                graph.reads(by, holder, key, member.place("spec"))
    for one in made:
        maker = done if one.when_ready else seen
        _made(one, maker, member, graph)


def _made(one: knowledge.Made, maker: Thing, member: Manifest, graph: Graph) -> None:
    place = member.place("metadata", "name")
    milestone = {"Secret": Milestone.MATERIALISED, "ConfigMap": Milestone.MATERIALISED, "Service": Milestone.SERVES}
    made = thing(one.kind, one.namespace, one.name, milestone.get(one.kind, Milestone.READY))
    words = f"made for {member.kind} {member.name}"
    graph.makes(maker, made, place, words)
    if made.milestone is not Milestone.EXISTS:
        graph.makes(maker, made._replace(milestone=Milestone.EXISTS), place, words)
    if one.kind in {"Secret", "ConfigMap"}:
        graph.holds(made, one.keys, place)
