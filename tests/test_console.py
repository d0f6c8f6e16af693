"""What an operator sees of a run, and what its folder keeps."""

import asyncio
import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from proof.virtual_time import run as on_virtual_time
from rebirth import events as e
from rebirth.console import JsonLines, Lines, Recorder, Silent, describe, show_error
from rebirth.errors import Broken, Problem, SpecError
from rebirth.secrets import Redaction, Secret
from rebirth.terminal.live import LiveView
from rebirth.terminal.output import colours

CANARY = "c4n4ry-value-0001"
EVERY = (
    e.RunStarted("tower", "create", ("boot",)),
    e.PhaseReady("boot", "resolve"),
    e.PhaseStarted("boot"),
    e.PhaseStarted("boot", 2),
    e.Waiting("boot", "the API answers", f"refused {CANARY}"),
    e.Arrived("boot", f"the API answers {CANARY}", 1.25),
    e.Noted("boot", f"adopted {CANARY}"),
    e.BecameReady("boot", f"Kustomization ns/{CANARY}"),
    e.Nudged("boot", f"asked Flux to look at {CANARY} again now"),
    e.PhaseRetried("boot", f"said {CANARY}", 0.5),
    e.PhaseDone("boot"),
    e.PhaseHolds("resolve"),
    e.PhaseFailed("dig", f"refused {CANARY}\nand again", f"look at {CANARY}", f"Trace: {CANARY}\n"),
    e.PhaseSkipped("fill", "dig"),
    e.RunFinished(ok=False, error=CANARY),
)

SINCE = 1_800_000_000.0


@pytest.fixture
def redaction():
    return Redaction([Secret(CANARY)])


def shown(view_of, redaction) -> str:
    out = StringIO()
    view = view_of(out)
    for event in EVERY:
        view(event)
    view.close()
    return out.getvalue()


def live(redaction):
    return lambda out: LiveView(redaction, Console(file=out, force_terminal=True, width=100))


def test_plain_lines_one_an_event(redaction):
    lines = shown(lambda out: Lines(redaction, out), redaction).splitlines()
    assert [line.split()[1] for line in lines] == ["boot"] * 7 + ["resolve", "dig"]
    assert lines[0].endswith("started")
    assert lines[2].endswith("waits until the API answers: refused [secret]")
    assert lines[-1].endswith("FAILED: refused [secret] (and 1 more)")
    assert lines[5].endswith("not yet: said [secret]; retrying in 0.5 s")


def test_json_lines_are_every_event(redaction):
    lines = shown(lambda out: JsonLines(redaction, out), redaction).splitlines()
    assert [json.loads(line)["event"] for line in lines] == [type(event).__name__ for event in EVERY]


def test_a_pipe_says_what_is_waited_for_but_not_too_often():
    out = StringIO()
    view = Lines(Redaction(), out)
    view(e.RunStarted("tower", "create", ("converge", "visit"), at=SINCE))
    for second, reason in ((1, "a"), (2, "b"), (9, "c"), (12, "d"), (13, "e"), (30, "f")):
        view(e.Waiting("converge", "Flux is Ready", reason, at=SINCE + second))
    view(e.Waiting("visit", "it answers", "HTTP 404", at=SINCE + 31))
    view(e.PhaseDone("converge", at=SINCE + 32))
    lines = [line.split(None, 2) for line in out.getvalue().splitlines()]
    assert [(line[0], line[2][-1]) for line in lines[:3]] == [("1.0s", "a"), ("12.0s", "d"), ("30.0s", "f")]
    assert lines[3][1:] == ["visit", "waits until it answers: HTTP 404"]
    assert lines[4][1:] == ["converge", "done (1 of 2)"]


@pytest.mark.parametrize(("ends", "said"), [(False, ["a", "c"]), (True, ["a"])])
def test_the_newest_reason_is_said_when_the_pause_is_over(ends, said):
    out = StringIO()
    view = Lines(Redaction(), out)

    async def wait():
        for reason in "abc":
            view(e.Waiting("converge", "Flux is Ready", reason))
        if ends:
            view(e.Arrived("converge", "Flux is Ready", 1.0))
        await asyncio.sleep(60)

    on_virtual_time(wait())
    assert [line[-1] for line in out.getvalue().splitlines() if "waits" in line] == said


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_colours_as_the_environment_asks(environment, expected, capsys):
    assert colours(environment) is expected


def test_what_is_for_logs_is_on_no_screen_and_in_the_log(tmp_path: Path, redaction):
    events = (
        e.PhaseStarted("flux"),
        e.BecameReady("flux", "Kustomization ns/apps"),
        e.Nudged("flux", "asked again: apps"),
    )
    out, screen, recorder = StringIO(), StringIO(), Recorder(tmp_path, redaction)
    views = Lines(redaction, out), live(redaction)(screen), recorder
    for view in views:
        for event in events:
            view(event)
        view.close()
    assert "apps" not in out.getvalue()
    assert "apps" not in screen.getvalue()
    log = (tmp_path / "flux.log").read_text()
    assert "Kustomization ns/apps is Ready" in log
    assert "asked again: apps" in log


def test_markup_in_what_a_system_says_is_no_markup(redaction):
    out = StringIO()
    view = live(redaction)(out)
    view(e.PhaseStarted("boot"))
    view(e.Waiting("boot", "the API answers", "[bold]x[/wrong]"))
    view(e.Noted("boot", "[/nonsense] stays"))
    view(e.PhaseFailed("boot", "[/] stays, too"))
    view.close()
    assert "[/nonsense] stays" in out.getvalue()
    assert "[/] stays, too" in out.getvalue()


@pytest.mark.parametrize("kind", ["lines", "json", "live"])
def test_no_view_shows_a_secret(kind, redaction):
    views = {"lines": lambda out: Lines(redaction, out), "json": lambda out: JsonLines(redaction, out)}
    text = shown(views.get(kind, live(redaction)), redaction)
    assert CANARY not in text
    assert text


def test_silence_is_silent(redaction, capfd):
    shown(lambda _: Silent(), redaction)
    assert capfd.readouterr() == ("", "")


def test_the_folder_has_the_events_and_a_log_a_phase(tmp_path: Path, redaction):
    recorder = Recorder(tmp_path / "logs" / "run", redaction)
    for event in EVERY:
        recorder(event)
    recorder.close()
    files = {file.name: file.read_text() for file in recorder.folder.iterdir()}
    assert set(files) == {"events.jsonl", "boot.log", "dig.log", "fill.log", "resolve.log"}
    assert len(files["events.jsonl"].splitlines()) == len(EVERY)
    assert "Trace: [secret]" in files["dig.log"]
    assert "hint: look at [secret]" in files["dig.log"]
    assert CANARY not in "".join(files.values())


@pytest.mark.parametrize(
    "value",
    ['pa"ss-word', "back\\slash", "schlüssel-7", "two\nlines-here", "tab\tbed-value", "two  blanks", "\U0001f511-key"],
)
def test_a_secret_that_json_escapes_is_taken_out(tmp_path: Path, value):
    redaction, out = Redaction([Secret(value)]), StringIO()
    recorder, lines = Recorder(tmp_path, redaction), JsonLines(redaction, out)
    plain = StringIO()
    told = Lines(redaction, plain)
    told(e.Noted("dig", f"saw {value} there"))
    assert plain.getvalue().endswith("saw [secret] there\n")
    for sink in (recorder, lines):
        sink(e.PhaseFailed("dig", f"said {value} and", value))
        sink.close()
    for text in (out.getvalue(), (tmp_path / "events.jsonl").read_text()):
        assert json.loads(text)["error"] == "said [secret] and"
        assert json.loads(text)["hint"] == "[secret]"
    assert value not in (tmp_path / "dig.log").read_text()


def test_events_are_there_while_the_run_goes_on(tmp_path: Path, redaction):
    recorder = Recorder(tmp_path, redaction)
    recorder(EVERY[0])
    assert json.loads((tmp_path / "events.jsonl").read_text())["castle"] == "tower"
    recorder.close()


def test_every_event_has_its_words():
    for event in EVERY:
        if isinstance(event, e.PhaseEvent):
            assert describe(event) != type(event).__name__


def test_errors_have_a_message_and_a_hint(redaction, capsys):
    show_error(Broken(f"refused {CANARY}", system="Vault", operation="write", hint=f"Look at {CANARY}."), redaction)
    assert capsys.readouterr() == ("", "error: Vault: write: refused [secret]\nhint: Look at [secret].\n")


def test_all_problems_are_told(capsys):
    show_error(
        SpecError([Problem("castle.yaml", 3, "name", "is missing"), Problem("castle.yaml", 9, "", "x", "Mend it.")])
    )
    assert capsys.readouterr().err.splitlines() == [
        "error: castle.yaml:3: name: is missing",
        "error: castle.yaml:9: x",
        "hint: Mend it.",
    ]


def test_live_view_tells_what_ended(redaction):
    text = shown(live(redaction), redaction)
    assert "✓" in text
    assert "in place already" in text
    assert "FAILED: refused [secret]" in text
