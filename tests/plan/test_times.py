"""Times of earlier runs: which run counts, and that nodes come out Ready when they were."""

import asyncio
from pathlib import Path

import pytest

from rebirth import events as e
from rebirth.castle import load
from rebirth.console import Recorder
from rebirth.paths import Paths
from rebirth.plan import schedule, times
from rebirth.plan.prediction import until_online
from rebirth.proof.graph import Graph
from rebirth.proof.prove import prove
from rebirth.proof.things import NOWHERE, Milestone, Need, Thing
from rebirth.secrets import Redaction

SINCE = 1_800_000_000.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"


def _noted(phase, node, *, at):
    """As runs wrote it before the event of its own."""
    return e.Noted(phase, f"{node} is Ready", at=at)


def course(fast=1.0, ready=e.BecameReady):
    return [
        e.RunStarted("tower", "create", ("converge", "visit_sites"), at=SINCE),
        e.PhaseReady("bootstrap_flux", at=SINCE),
        e.PhaseDone("bootstrap_flux", at=SINCE + 4 * fast),
        e.PhaseReady("converge", "bootstrap_flux", at=SINCE + 4 * fast),
        ready("converge", "Kustomization ns/a", at=SINCE + 6 * fast),
        e.Nudged("converge", "Kustomization ns/b: no", at=SINCE + 7 * fast),
        ready("converge", "Kustomization ns/b", at=SINCE + 11 * fast),
        e.PhaseDone("converge", at=SINCE + 11 * fast),
        e.PhaseReady("visit_sites", "converge", at=SINCE + 11 * fast),
        e.PhaseDone("visit_sites", at=SINCE + 12 * fast),
        e.RunFinished(ok=True, at=SINCE + 12 * fast),
    ]


@pytest.fixture
def record(tmp_path):
    def into(name, events):
        recorder = Recorder(tmp_path / name, Redaction())
        for event in events:
            recorder(event)
        recorder.close()
        return tmp_path

    return into


def test_no_run(tmp_path):
    assert times.measured(tmp_path / "logs") == times.Measured()


def test_a_run_that_only_went_on_does_not_count(record):
    record("1", course())
    went_on = [course()[0], e.PhaseHolds("upload_image", at=SINCE), *course(fast=0.1)[1:]]
    assert times.measured(record("2", went_on)).run == "1"


@pytest.fixture(scope="module")
def example():
    return asyncio.run(prove(EXAMPLE / "gitops", castle=load(EXAMPLE), directory=EXAMPLE))


@pytest.mark.parametrize(
    ("recorded", "lab", "begun", "known"),
    [
        (False, None, False, True),
        (False, None, True, False),
        (False, "tower", False, False),
        (True, "tower", False, True),
        (True, None, True, False),
    ],
)
def test_when_a_run_is_predicted(record, tmp_path, example, recorded, lab, begun, known):
    if recorded:
        record("logs/1", course())
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path / "state", tmp_path / "logs", lab)
    paths.state.mkdir()
    (paths.state / "journal.jsonl").write_text('{"kind": "fact"}\n' if begun else "")
    assert (until_online(example.model, example.graph, paths) is not None) is known


@pytest.mark.parametrize("ready", [e.BecameReady, _noted])
def test_the_last_run_that_went_online_counts(record, ready):
    record("1", course())
    record("2", course(fast=0.5, ready=ready))
    record("3", [*course()[:-3], e.RunFinished(ok=False, at=SINCE + 12)])
    logs = record("4", [e.RunStarted("tower", "status", (), at=SINCE), e.RunFinished(ok=True, at=SINCE + 1)])
    found = times.measured(logs)
    assert found.run == "2"
    assert found.phases == {"bootstrap_flux": 2.0}  # the others wait for what the graph holds itself
    assert found.ready == {"Kustomization ns/a": 3.0, "Kustomization ns/b": 5.5}


def test_nodes_are_ready_when_they_were(record):
    graph = Graph()

    def node(name, milestone=Milestone.READY):
        return Thing("Kustomization", "ns", name, milestone)

    flux = Thing("phase", "", "bootstrap_flux", Milestone.READY)
    work = Thing("Deployment", "ns", "d", Milestone.READY)
    graph.needs(flux, flux._replace(milestone=Milestone.APPLIED), Need.PHASE, NOWHERE)
    graph.edges.setdefault(flux._replace(milestone=Milestone.APPLIED), [])
    for name in ("a", "b"):
        graph.needs(node(name), node(name, Milestone.APPLIED), Need.HEALTH, NOWHERE)
    graph.needs(node("a", Milestone.APPLIED), flux, Need.PHASE, NOWHERE)
    graph.needs(node("b", Milestone.APPLIED), node("a"), Need.DEPENDS_ON, NOWHERE)
    graph.needs(work, node("b", Milestone.APPLIED), Need.APPLIED_BY, NOWHERE)
    graph.needs(node("b"), work, Need.HEALTH, NOWHERE)
    times.predict(graph, times.measured(record("1", course())), {"Kustomization ns/a", "Kustomization ns/b"})
    assert graph.seconds[work] == 0  # is in its node's time
    ends = graph.finish_times()
    assert ends[flux] == pytest.approx(4)
    assert ends[node("b")] - ends[node("a")] == pytest.approx(5)


def planned(earlier):
    castle = load(EXAMPLE)
    proof = asyncio.run(prove(EXAMPLE / "gitops", castle=castle, directory=EXAMPLE))
    times.predict(proof.graph, earlier, schedule.labels(proof.model, proof.graph))
    return schedule.plan(proof.model, proof.graph)


def test_a_plan_after_a_run_says_what_that_run_took(record):
    faster = 0.3
    first = planned(times.Measured())
    events = []
    for node in first.nodes:
        kind, _, name = node.label.rpartition(" ")
        if node.start is None or node.ready is None:
            continue
        if kind == "phase":
            events.append(e.PhaseReady(name, at=SINCE + node.start * faster))
            events.append(e.PhaseDone(name, at=SINCE + node.ready * faster))
        elif kind in {"Kustomization", "HelmRelease"}:
            events.append(e.BecameReady("converge", f"{kind} {name}", at=SINCE + node.ready * faster))
    events.sort(key=lambda event: event.at)
    ended = e.RunFinished(ok=True, at=SINCE + first.total * faster)
    logs = record("1", [e.RunStarted("tower", "create", ("converge", "visit_sites"), at=SINCE), *events, ended])
    again = planned(times.measured(logs))
    assert again.online == pytest.approx(first.online * faster, abs=2)
    assert again.total == pytest.approx(first.total * faster, abs=2)
    was = {node.label: node.ready for node in first.nodes}
    seen = [node for node in again.nodes if node.ready and not node.label.startswith("Helm release")]
    assert {n.label: n.ready for n in seen} == pytest.approx({n.label: was[n.label] * faster for n in seen}, abs=4)
