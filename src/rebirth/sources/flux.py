"""Flux Kustomizations: what each waits for, and what it makes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rebirth.graph import Atomicity, Graph, Milestone, Need, Thing
from rebirth.sources.manifest import Manifest, Model, Unit, thing

KUSTOMIZE, SOURCE, HELM = "kustomize.toolkit.fluxcd.io", "source.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_VARIABLE = re.compile(r"\$\{([_a-zA-Z][_a-zA-Z0-9]*)(?::?[=-]([^}]*))?\}")


def is_kustomization(manifest: Manifest) -> bool:
    return manifest.kind == "Kustomization" and manifest.group == KUSTOMIZE


def applied(manifest: Manifest) -> Thing:
    return thing(manifest.kind, manifest.namespace, manifest.name, Milestone.APPLIED)


def ready(kind: str, namespace: str, name: str) -> Thing:
    return thing(kind, namespace, name, Milestone.READY)


def seconds(duration: object, default: float) -> float:
    """A Go duration such as 1h30m in seconds."""
    found = _DURATION.findall(duration) if isinstance(duration, str) else []
    return sum(float(number) * _UNITS[unit] for number, unit in found) if found else default


def folder_of(manifest: Manifest, root: Path) -> Path:
    """The folder that a Kustomization applies."""
    return (root / str(manifest.at("spec", "path", default="./")).lstrip("/")).resolve()


def substitute(value: Any, variables: Mapping[str, str]) -> Any:
    """Flux' postBuild substitution; a variable without a value stays as it is written, so that it can be told."""
    if isinstance(value, str):
        if "${" not in value:
            return value
        return _VARIABLE.sub(
            lambda match: variables.get(match[1], match[2] if match[2] is not None else match[0]), value
        )
    if isinstance(value, Mapping):
        return {key: substitute(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, variables) for item in value]
    return value


def read(model: Model, graph: Graph) -> None:
    """The units of Flux: order, members, health."""
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX:
            continue
        _members(unit, graph)
        if unit.root:
            _seeds(model, unit, graph)
        if unit.own is not None:
            _order(unit, unit.own, graph)
            _health(unit, unit.own, graph)


def _seeds(model: Model, unit: Unit, graph: Graph) -> None:
    """What `flux bootstrap` applies before Flux looks at the repository: all that stands in the files of Flux itself."""
    own = {unit.own.file} if unit.own else set()
    first = {m.file for m in unit.members if m.kind == "Deployment" and m.name == "source-controller"}
    for member in unit.members:
        if member.file in own | first and not model.castle:
            graph.given(member.thing(), "flux bootstrap applies it", member.place())
    if unit.own is None and not model.castle:
        graph.given(unit.applied, "Flux is pointed at it by hand", unit.place)


def _order(unit: Unit, own: Manifest, graph: Graph) -> None:
    graph.where.setdefault(unit.applied, own.place())
    graph.where.setdefault(unit.ready, own.place())
    graph.needs(unit.applied, own.thing(), Need.APPLIED_BY, own.place("metadata", "name"), "the object itself is there")
    graph.needs(unit.ready, unit.applied, Need.HEALTH, own.place("metadata", "name"))
    graph.wanted(own.thing())
    for index, entry in enumerate(own.items("spec", "dependsOn")):
        if not isinstance(entry, Mapping):
            continue
        other = ready("Kustomization", str(entry.get("namespace") or own.namespace), str(entry.get("name")))
        words = f"dependsOn {entry.get('name')}"
        graph.needs(unit.applied, other, Need.DEPENDS_ON, own.place("spec", "dependsOn", index), words)


def _members(unit: Unit, graph: Graph) -> None:
    for member in unit.members:
        graph.makes(unit.applied, member.thing(), member.place("metadata", "name"), need=Need.APPLIED_BY)


def _health(unit: Unit, own: Manifest, graph: Graph) -> None:
    if own.at("spec", "wait") is True:
        for member in unit.members:
            healthy = member.thing(Milestone.READY)
            graph.needs(
                unit.ready, healthy, Need.HEALTH, own.place("spec", "wait"), f"waits for {member.thing().label}"
            )
            graph.needs(healthy, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
        return
    for index, check in enumerate(own.items("spec", "healthChecks")):
        if isinstance(check, Mapping):
            namespace = str(check.get("namespace") or "")
            healthy = ready(str(check.get("kind")), namespace, str(check.get("name")))
            graph.needs(unit.ready, healthy, Need.HEALTH, own.place("spec", "healthChecks", index))
            existing = healthy._replace(milestone=Milestone.EXISTS)
            graph.wanted(existing)
            graph.needs(healthy, existing, Need.APPLIED_BY, own.place("spec", "healthChecks", index))
