"""A run's events become spans, a critical path without a hole, and the protocol's layers."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebirth import events as e
from rebirth.errors import SpecError
from rebirth.report.timeline import Span, Timeline, as_data, read, runs

LAYERS = {"resolve": "secrets", "boot": "platform", "fetch": "platform", "visit_sites": "waits", "converge": "gitops"}


def test_spans_tell_start_length_and_what_was_waited_for(record, course):
    timeline = read(record("one", course))
    boot = next(span for span in timeline.spans if span.phase == "boot")
    assert (boot.start, boot.seconds, boot.after, boot.outcome) == (1.5, 2.5, "resolve", "done")
    assert boot.waited_for == (("<the API> answers", 1.5),)
    assert (timeline.castle, timeline.command, timeline.ok, timeline.total) == ("tower", "create", True, 10)
    assert timeline.online == 9


def test_the_critical_path_adds_up_to_its_end(record, course):
    path = read(record("one", course)).critical_path()
    assert [(step.phase, step.start, step.seconds) for step in path] == [
        ("resolve", 0, 1),
        ("", 1, 0.5),
        ("boot", 1.5, 2.5),
        ("converge", 4, 5.5),
    ]


def test_the_path_to_online_ends_with_the_sites(record, course):
    path = read(record("one", course)).critical_path("visit_sites")
    assert [step.phase for step in path] == ["resolve", "", "boot", "visit_sites"]
    assert sum(step.seconds for step in path) == 9


def test_layers_from_first_start_to_last_end_and_summed(record, course):
    layers = read(record("one", course)).layers(LAYERS)
    assert layers == {"secrets": (1, 1), "platform": (3, 3.5), "waits": (5, 5), "gitops": (5.5, 5.5)}


def test_data_for_json_holds_what_follows(record, course):
    data = json.loads(json.dumps(as_data(read(record("one", course)), LAYERS)))
    assert data["online"] == 9
    assert data["layers"]["platform"] == {"from_first_to_last": 3, "sum": 3.5}
    assert [step["phase"] for step in data["critical_path"]] == ["resolve", "", "boot", "converge"]
    assert data["spans"][0]["phase"] == "resolve"


def test_failures_and_what_they_stopped(record, course):
    failed = [
        *course[:9],
        e.PhaseFailed("boot", "Proxmox: start machine: refused", "Look.", at=course[0].at + 5),
        e.PhaseSkipped("visit_sites", "boot", at=course[0].at + 5),
        e.RunFinished(ok=False, error="refused", at=course[0].at + 5),
    ]
    timeline = read(record("one", failed))
    told = {span.phase: (span.outcome, span.error) for span in timeline.spans}
    assert told["boot"] == ("failed", "Proxmox: start machine: refused")
    assert told["visit_sites"] == ("skipped", "boot")
    assert not timeline.ok
    assert timeline.online is None
    assert timeline.critical_path()[-1].phase == "boot"


@pytest.mark.parametrize("kept", range(1, 19))
def test_a_run_that_was_killed_anywhere_is_readable(record, course, kept):
    timeline = read(record("one", course[:kept]))
    assert not timeline.ok
    for span in timeline.spans:
        assert 0 <= span.start <= span.end <= timeline.total


def test_half_a_line_at_the_end_is_passed_over(record, course):
    folder = record("one", course[:-1])
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"event": "PhaseDone", "phase": "a {brace}')
    assert read(folder).total == 9.5


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"event": "RunFinished"}', "[]"], ids=["deep", "without keys", "no event"]
)
def test_a_damaged_record_is_an_error_with_a_hint(record, course, line):
    folder = record("one", course)
    with (folder / "events.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SpecError, match="the record of this run is damaged") as caught:
        read(folder)
    assert "rebirth report --list" in caught.value.hint


def test_attempts_belong_to_one_span(record, course):
    since = course[0].at
    retried = [
        course[0],
        e.PhaseReady("resolve", at=since),
        e.PhaseStarted("resolve", at=since),
        e.PhaseRetried("resolve", "not there", 0.25, at=since + 1),
        e.PhaseStarted("resolve", 2, at=since + 1.25),
        e.PhaseDone("resolve", at=since + 3),
    ]
    (span,) = read(record("one", retried)).spans
    assert (span.start, span.seconds, span.outcome) == (0, 3, "done")


def test_what_still_holds_has_no_length(record, course):
    holds = [course[0], e.PhaseHolds("resolve", at=course[0].at + 0.2), e.RunFinished(ok=True, at=course[0].at + 0.3)]
    timeline = read(record("one", holds))
    assert [(span.outcome, span.seconds) for span in timeline.spans] == [("holds", 0)]
    assert timeline.critical_path() == ()


@pytest.mark.parametrize(
    "ready",
    [
        {"event": "BecameReady", "node": "Kustomization flux-system/apps"},
        {"event": "Noted", "text": "Kustomization flux-system/apps is Ready"},  # an earlier version's
    ],
    ids=lambda event: event["event"],
)
def test_nodes_of_flux_are_told_once(record, course, ready):
    folder = record("one", course[:-1])
    with (folder / "events.jsonl").open("a") as file:
        for at in (5, 7):
            file.write(json.dumps({**ready, "phase": "converge", "at": course[0].at + at}) + "\n")
    (node,) = read(folder).flux
    assert (node.label, node.at, node.phase) == ("Kustomization flux-system/apps", 5.0, "converge")


def test_no_run_is_an_error_with_a_hint(tmp_path: Path):
    with pytest.raises(SpecError, match="no run was recorded") as caught:
        read(tmp_path)
    assert caught.value.hint


def test_runs_are_the_recorded_ones_the_oldest_first(record, course, tmp_path: Path):
    record("20260102T000000Z", course)
    record("20260101T000000Z", course)
    record("20260103T000000Z", [])  # destroy records no run of the graph
    (tmp_path / "logs" / "20260104T000000Z").mkdir()
    assert [run.name for run in runs(tmp_path / "logs")] == ["20260101T000000Z", "20260102T000000Z"]
    assert runs(tmp_path / "nowhere") == []


@st.composite
def _courses(draw):
    """Phases that start some time after one of those before them ended."""
    spans: list[Span] = []
    for number in range(draw(st.integers(1, 12))):
        before = draw(st.sampled_from([None, *spans]))
        start = (before.end if before else 0) + draw(st.floats(0, 10))
        spans.append(Span(f"p{number}", start, draw(st.floats(0, 100)), before.phase if before else "", "done", ()))
    return Timeline("c", "create", 0, True, max(span.end for span in spans), tuple(spans))


@given(_courses())
def test_no_second_is_unaccounted_for(timeline):
    path = timeline.critical_path()
    assert sum(step.seconds for step in path) == pytest.approx(timeline.total)
    for left, right in pairwise(path):
        assert left.start + left.seconds == pytest.approx(right.start)
