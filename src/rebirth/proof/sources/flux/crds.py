"""Custom resources: nothing takes one before its kind is known to the API server."""

from collections.abc import Mapping

from rebirth.proof.charts import releases
from rebirth.proof.charts.knowledge import crd, of_kind
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.reading.scopes import is_custom, kind_of
from rebirth.proof.things import Atomicity, Need, Strength, Thing

_TALOS = ("talos.dev", "ServiceAccount")  # Talos itself makes it


def read(model: Model, graph: Graph) -> None:
    """Who makes each CRD, then who needs it."""
    for member, unit in model.objects("CustomResourceDefinition"):
        group, kind = kind_of(member)
        if kind and not flux.is_left_out(member):
            graph.makes(_maker(unit, member), crd(group, kind), member.place("metadata", "name"))
    _flux(model, graph)
    _versions(model, graph)
    for unit in model.units:
        _needs(model, unit, graph)


def _versions(model: Model, graph: Graph) -> None:
    """Objects in a version of their kind that no CRD of it serves, where all its CRDs are known."""
    served: dict[tuple[str, str], set[str] | None] = {}
    for member, _ in model.objects("CustomResourceDefinition"):
        versions = {str(one.get("name")) for one in member.items("spec", "versions") if _is_served(one)}
        others = served.get(kind_of(member), set())
        served[kind_of(member)] = others | versions if versions and others is not None else None
    for member, unit in model.objects():
        versions = served.get((member.group, member.kind)) or set()
        version = str(member.data.get("apiVersion", "")).rpartition("/")[2]
        if (
            not versions
            or version in versions
            or "${" in version
            or flux.is_left_out(member)
            or unit.atomicity is Atomicity.PHASE
        ):
            continue
        listed = ", ".join(sorted(versions))
        words = f"{member.thing().label} is of version {version}, and the CRD of {member.kind} serves {listed}"
        graph.remark("not-served", member.place("apiVersion"), words, member.thing(), kind=member.kind, unit=unit.name)


def _is_served(version: object) -> bool:
    return isinstance(version, Mapping) and version.get("served") is not False


def _maker(unit: Unit, member: Manifest) -> Thing:
    """What makes it, before the unit's other members are looked at."""
    if unit.own is not None and unit.atomicity is Atomicity.FLUX:
        return flux.started(unit.own)
    if unit.own is not None and releases.is_release(unit.own) and member.annotations.get(releases.FOLDER):
        return releases.started(unit.own)
    return unit.applied


def _flux(model: Model, graph: Graph) -> None:
    """Flux's own kinds are there before its first object: by hand, or by the phase that bootstraps it; and where the Flux
    operator runs Flux, so are those of the operator.
    """
    known = [of_kind(flux.KUSTOMIZE, "Kustomization")]
    if not model.castle and _is_run_by_operator(model):
        known.append(of_kind("fluxcd.controlplane.io", "FluxInstance"))
    for one in filter(None, known):
        for crds in one.crds:
            for kind in crds.kinds:
                made = crd(crds.group, kind)
                if not model.castle or not graph.makers(made):
                    graph.given(made, f"{one.title} installs it, and is there first")


def _is_run_by_operator(model: Model) -> bool:
    """Whether a FluxInstance is in the repository, and Flux's own manifests are not: only the operator can have begun it."""
    if any(member.name == "source-controller" for member, _ in model.objects("Deployment")):
        return False
    return any(
        member.kind == "FluxInstance" or "flux-instance" in {member.name, member.at("spec", "chart", "spec", "chart")}
        for member, _ in model.objects("FluxInstance", "HelmRelease")
    )


def _needs(model: Model, unit: Unit, graph: Graph) -> None:
    seen: set[tuple[str, str]] = set()
    # Helm rejects a chart with a kind that is not known at once: only another attempt helps.
    own = unit.own if unit.own is not None and releases.is_release(unit.own) else None
    bounded = own is not None and releases.attempts(model, own) is not None
    brought = _brought(unit)
    for member in unit.members:
        key = (member.group, member.kind)
        if not is_custom(member.group) or key in seen or key in brought or key == _TALOS or flux.is_left_out(member):
            continue
        needed = crd(*key)
        if member.annotations.get(releases.LEFT_OUT) and needed not in graph.made:
            continue  # nobody brings the kind, and so the chart does without
        seen.add(key)
        graph.wanted(needed)
        if of_kind(*key):
            graph.recognised.add(needed)
        words = f"{member.kind} {member.name} is of that kind"
        strength, patience = (Strength.BOUNDED, 0.0) if bounded else (Strength.SOFT, None)
        graph.needs(unit.applied, needed, Need.CRD, member.place("kind"), words, strength=strength, patience=patience)


def _brought(unit: Unit) -> set[tuple[str, str]]:
    """Kinds that the unit establishes before it looks at the rest: in a chart only those of its crds/ folder."""
    return {
        kind_of(member)
        for member in unit.members
        if member.kind == "CustomResourceDefinition"
        and (
            unit.atomicity is Atomicity.FLUX
            or member.annotations.get(releases.FOLDER)
            or unit.atomicity is Atomicity.PHASE
        )
    }
