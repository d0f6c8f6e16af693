"""What is remembered of a proof, in order to compare another with it: a few lines a finding and a unit, no graph."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rebirth.change.revision import Revision
from rebirth.change.units import direct
from rebirth.findings.fingerprint import Subject, fingerprints, subject
from rebirth.findings.places import Places
from rebirth.plan import schedule, times
from rebirth.plan.schedule import Step
from rebirth.proof.graph import Graph
from rebirth.proof.prove import Proof
from rebirth.proof.reading.manifest import Model
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.rules.finding import apart


@dataclass(frozen=True)
class Mark:
    """A finding, by what it is recognised."""

    fingerprint: str
    subject: Subject
    cause: Subject  # without its words; empty where it has no chain
    file: str  # in the repository
    rule: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class Course:
    """How one cluster comes up."""

    units: tuple[str, ...]  # phases, Kustomizations and releases, in the order in which they start
    needs: frozenset[tuple[str, str]]  # which of them needs which directly
    longest: tuple[Step, ...]
    seconds: float  # predicted, until it is online or all is ready
    online: bool  # whether `seconds` says until when it is online
    never: tuple[str, ...]  # units that never become ready


@dataclass(frozen=True)
class Snapshot:
    marks: tuple[Mark, ...]
    courses: Mapping[str, Course]  # by cluster


def marks(findings: Iterable[Finding], places: Places, revision: Revision | None = None) -> tuple[Mark, ...]:
    """One a place. Words that name the folder of the revision's tree mean the tree of today."""
    told = [*apart(findings)]
    if revision:
        folder, top = str(revision.folder), str(revision.top)
        told = [replace(finding, message=finding.message.replace(folder, top)) for finding in told]
    return tuple(
        Mark(mark, subject(f), _cause(f), places.in_repository(f.place), f.rule, f.severity, f.message)
        for f, mark in zip(told, fingerprints(told, places), strict=True)
    )


def _cause(finding: Finding) -> Subject:
    if finding.closed:
        return subject(finding)
    return (finding.rule, finding.chain[0].by.label, finding.chain[-1].needs.label) if finding.chain else ()


def courses(proof: Proof, logs: Path | None) -> dict[str, Course]:
    """Of every cluster. `logs` are those of a castle's runs, by which times are predicted. To be asked last: what nothing
    makes is taken as there from now on.
    """
    earlier = times.measured(logs) if logs else times.Measured()
    found = {}
    for world in proof.worlds:
        times.predict(world.graph, earlier, schedule.labels(world.model, world.graph))
        found[world.cluster] = _course(world.model, world.graph)
    return found


def _course(model: Model, graph: Graph) -> Course:
    plan, units = schedule.plan(model, graph), schedule.run(model, graph)
    needs = {(label, needed) for label, unit in units.items() for needed in direct(graph, unit, units)}
    return Course(
        tuple(node.label for node in plan.nodes),
        frozenset(needs),
        plan.longest,
        plan.total if plan.online is None else plan.online,
        plan.online is not None,
        tuple(node.label for node in plan.never),
    )
