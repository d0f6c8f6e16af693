"""Namespaces: what stands in one cannot be applied before it exists."""

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Model, Unit
from rebirth.proof.sources.meeting import namespace
from rebirth.proof.things import Need

_BORN = ("default", "kube-system", "kube-public", "kube-node-lease")  # the API server makes them itself
_OPENSHIFT = ".openshift.io"


def read(model: Model, graph: Graph) -> None:
    """Every unit needs the namespaces of its members, but those that it brings itself: they are applied first."""
    for name in _BORN:
        graph.given(namespace(name), "the API server makes it")
    if not model.castle:
        graph.given(namespace("flux-system"), "flux bootstrap makes it")
        _of_flux(model, graph)
    if any(member.group.endswith(_OPENSHIFT) for member, _ in model.objects()):
        for member, _ in model.objects():
            if member.namespace.startswith("openshift-"):
                graph.assumed(
                    namespace(member.namespace), "OpenShift makes the namespaces of that prefix", member.place()
                )
    for unit in model.units:
        _unit(unit, graph)


def _of_flux(model: Model, graph: Graph) -> None:
    """Where the source is that Flux is pointed at, and that no file makes, its namespace is, too, whatever it is called."""
    for unit in model.units:
        for member in unit.members if unit.root else ():
            if flux.is_kustomization(member):
                kind, space, name = flux.source_of(member)
                if space and not model.find(kind, space, name):
                    graph.assumed(
                        namespace(space),
                        "the source is there that Flux is pointed at",
                        member.place("spec", "sourceRef"),
                    )


def _unit(unit: Unit, graph: Graph) -> None:
    own = {member.name for member in unit.members if member.kind == "Namespace"}
    target = unit.own.at("spec", "targetNamespace") if unit.own is not None else None
    for member in unit.members:
        name = member.namespace
        if not name or name in own:
            continue
        own.add(name)
        graph.wanted(namespace(name))
        place = member.place("metadata", "namespace")
        if name == target and unit.own is not None:  # whatever the object itself says
            place = unit.own.place("spec", "targetNamespace")
        words = f"{member.kind} {member.name} is in {name}"
        graph.needs(unit.applied, namespace(name), Need.NAMESPACE, place, words)
