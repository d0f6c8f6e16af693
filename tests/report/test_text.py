"""The timing table on a terminal."""

from io import StringIO

from rich.console import Console

from rebirth import events as e
from rebirth.report.text import render
from rebirth.report.timeline import read

LAYERS = {"resolve": "secrets", "boot": "platform", "fetch": "platform", "visit_sites": "waits", "converge": "gitops"}


def shown(*arguments) -> str:
    written = StringIO()
    Console(width=150, file=written).print(render(*arguments), highlight=False)
    return written.getvalue()


def test_it_ends_with_the_two_times_that_count(record, course):
    lines = shown(read(record("one", course)), LAYERS).split("\n")
    assert [line.strip() for line in lines if line.strip()][-2:] == [
        "online after 9.0 s",
        "everything ready after 10.0 s",
    ]


def test_both_paths_and_what_is_left(record, course):
    text = shown(read(record("one", course)), LAYERS)
    path = "Critical path (9.5 s): resolve 1.0 → between phases 0.5 → boot 2.5 → converge 5.5 → ending the run 0.5"
    assert path in text
    assert "to online (9.0 s): resolve 1.0 → between phases 0.5 → boot 2.5 → visit_sites 5.0" in text


def test_rows_tell_waits_and_the_run_before(record, course, later):
    text = shown(read(record("b", later(course, 60))), LAYERS, read(record("a", course)))
    (row,) = [line for line in text.split("\n") if line.startswith("boot")]
    assert row.split()[:4] == ["boot", "1.5", "2.5", "2.5"]
    assert "<the API> answers (1.5 s)" in row
    assert "before" in text.split("\n")[1]


def test_a_run_in_which_all_holds(record, course):
    since = course[0].at
    holds = [course[0], e.PhaseHolds("resolve", at=since), e.RunFinished(ok=True, at=since + 0.4)]
    text = shown(read(record("one", holds)), LAYERS)
    assert "everything ready after 0.4 s" in text
    assert "holds" in text
