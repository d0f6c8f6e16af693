"""The timing table on a terminal."""

import pytest

from rebirth import events as e
from rebirth.report.text import essential, render
from rebirth.report.timeline import read

LAYERS = {"resolve": "secrets", "boot": "platform", "fetch": "platform", "visit_sites": "waits", "converge": "gitops"}


def shown(timeline, earlier=None, width=150, of=render) -> str:
    arguments = (timeline, LAYERS, earlier, width) if of is render else (timeline, earlier, width)
    return of(*arguments).plain


def row(text: str, phase: str) -> str:
    (found,) = [line for line in text.split("\n") if line[2:].startswith(f"{phase} ")]
    return found


def test_it_ends_with_the_two_times_that_count(record, course):
    lines = shown(read(record("one", course))).split("\n")
    assert lines[-2:] == ["online after 9.0 s", "everything in place after 10.0 s"]


def test_the_path_to_online_is_told_from_where_it_leaves_the_other(record, course):
    text = shown(read(record("one", course)))
    path = "Critical path (9.5 s): resolve 1.0 → between steps 0.5 → boot 2.5 → converge 5.5 → ending the run 0.5"
    assert path in text
    assert "to online (9.0 s): as above until boot, then visit_sites 5.0" in text


def test_a_path_to_online_that_is_the_beginning_of_the_other_is_not_told_again(record, course):
    since = course[0].at
    more = [e.PhaseReady("tidy", "visit_sites", at=since + 9), e.PhaseDone("tidy", at=since + 9.8)]
    text = shown(read(record("one", [*course[:-1], *more, course[-1]])))
    assert "visit_sites 5.0 → tidy 0.8" in text
    assert "to online" not in text


def test_rows_have_the_run_before_and_waits_a_list(record, course, later):
    text = shown(read(record("b", later(course, 60))), read(record("a", course)))
    assert row(text, "boot").split()[:5] == ["*", "boot", "1.5", "2.5", "2.5"]
    assert "    1.5 s  boot: <the API> answers" in text.split("\n")
    assert "compared with the run of 2027-01-15 08:00:00 UTC" in text


def test_a_run_in_which_all_holds(record, course):
    since = course[0].at
    holds = [course[0], e.PhaseHolds("resolve", at=since), e.RunFinished(ok=True, at=since + 0.4)]
    text = shown(read(record("one", holds)))
    assert "everything in place after 0.4 s" in text
    assert row(text, "resolve").startswith("= ")
    assert "= was in place already" in text
    assert "█" not in text


LONG = "the OAuth client was rejected by https://api.tailscale.com/api/v2/oauth/token: it may have been revoked; " * 3


@pytest.fixture
def failed(course):
    since = course[0].at
    return [
        *course[:-3],
        e.PhaseFailed("small", "refused", at=since + 5),
        e.PhaseFailed("converge", LONG, "Make another one.", at=since + 9),
        *(e.PhaseSkipped(f"later_{number}", "converge", at=since + 9) for number in range(3)),
        e.PhaseSkipped("last", "small", at=since + 9),
        e.RunFinished(ok=False, at=since + 9),
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_line_fits_and_ends_without_blanks(record, course, later, failed, width):
    before = read(record("a", course))
    for number, events in enumerate((course, failed)):
        run = read(record(f"b{number}", later(events, 60)))
        for text in (shown(run, before, width), shown(run, None, width), shown(run, before, width, of=essential)):
            for line in text.split("\n"):
                assert len(line) <= width
                assert line == line.rstrip()


def test_what_took_no_time_has_no_bar(record, course):
    since = course[0].at
    quick = [e.PhaseReady("free", "boot", at=since + 4), e.PhaseDone("free", at=since + 4.04)]
    text = shown(read(record("one", [*course[:-1], *quick, course[-1]])))
    assert row(text, "free").split() == ["free", "4.0", "0.0"]
    assert "█" in row(text, "fetch")


def test_a_failed_run_says_why_with_the_root_first(record, failed):
    lines = shown(read(record("one", failed)), width=80).split("\n")
    at = lines.index("What failed")
    words = " ".join(" ".join(lines[at:]).split())
    assert lines[at + 1].startswith("✗ converge after 5.0 s: the OAuth client was rejected by")
    assert "hint: Make another one." in words
    assert words.index("✗ converge") < words.index("✗ small after")
    assert "4 later steps did not run" in words
    assert lines[-1] == "failed after 9.0 s"


def test_a_run_that_the_proof_stopped_says_why(record, course):
    stopped = [e.RunStarted("tower", "create", ()), e.RunFinished(ok=False, error="the proof found 2 errors")]
    text = shown(read(record("one", stopped)))
    assert "✗ the proof found 2 errors" in text


def test_the_essential_is_the_ten_longest(record, course):
    since = course[0].at
    more = []
    for number in range(12):
        more += [e.PhaseReady(f"p{number}", at=since), e.PhaseDone(f"p{number}", at=since + number / 10)]
    text = shown(read(record("one", [*course[:-1], *more, course[-1]])), of=essential)
    assert "The 10 longest of 17 steps" in text
    assert [line.split()[1] for line in text.split("\n") if line.startswith("* ")] == [
        "resolve", "boot", "converge",
    ]  # fmt: skip
    assert "p11" in text
    assert "p1 " not in text


def test_flux_is_told_by_node(record, course):
    text = shown(read(record("one", [*course[:-1], *ready(course[0].at), course[-1]])))
    assert "    5.0 s  Kustomization flux-system/apps" in text.split("\n")


def ready(since):
    return [
        e.Noted("converge", "Kustomization flux-system/apps is Ready", at=since + 5),
        e.Noted("converge", "HelmRelease traefik/traefik is Ready", at=since + 6),
        e.Noted("converge", "Kustomization flux-system/apps is Ready", at=since + 7),
    ]
