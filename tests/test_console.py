"""What an operator sees of a run, and what its folder keeps."""

import asyncio
import json
import re
import threading
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from proof.virtual_time import run as on_virtual_time
from rebirth import events as e
from rebirth.console import JsonLines, Lines, Recorder, Silent, colours, describe, is_shown, show_error
from rebirth.errors import Broken, Problem, SpecError
from rebirth.secrets import Redaction, Secret
from rebirth.terminal.live import LiveView

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


SINCE = 1_800_000_000.0
REASON = (
    "apps: dependency 'flux-system/auth' is not ready; monitoring: HelmChart 'flux-system/monitoring-grafana' is not ready: "
    "no artifact available for HelmRepository source 'grafana'; and the very last words"
)


class Screen:
    """A live view on a terminal of that size, and what it shows: below, and what it has scrolled."""

    def __init__(self, width=80, height=24, *, verbose=False, now=SINCE):
        self.out = StringIO()
        self.console = Console(file=self.out, force_terminal=True, width=width, height=height, color_system=None)
        self.view = LiveView(Redaction(), self.console, verbose=verbose, clock=lambda: now)
        self.width, self.height = width, height

    def shows(self, *events) -> list[str]:
        for event in events:
            self.view(event)
        plain = Console(file=StringIO(), width=self.width, height=self.height)
        with plain.capture() as captured:
            plain.print(self.view._screen())
        return captured.get().splitlines()

    def scrolled(self) -> str:
        self.view.close()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.out.getvalue())


def waiting(phase="converge", reason=REASON, at=SINCE):
    return [e.PhaseStarted(phase, at=at), e.Waiting(phase, "the Flux graph is Ready", reason, at=at + 1)]


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_reason_of_a_wait_is_shown_whole(width):
    screen = Screen(width)
    lines = screen.shows(*waiting())
    screen.view.close()
    words = " ".join(" ".join(lines).split())
    assert f"waits until the Flux graph is Ready: {REASON}" in words
    assert all(len(line) <= width for line in lines)


def test_every_wait_of_a_phase_is_shown_until_it_is_over():
    screen = Screen(100)
    lines = screen.shows(
        e.PhaseStarted("visit"),
        e.Waiting("visit", "one answers", "HTTP 404"),
        e.Waiting("visit", "two answers", "HTTP 502"),
    )
    assert "one answers: HTTP 404" in " ".join(lines)
    assert "two answers: HTTP 502" in " ".join(lines)
    lines = screen.shows(e.Arrived("visit", "one answers", 3.0))
    screen.view.close()
    assert "one answers" not in " ".join(lines)
    assert "two answers: HTTP 502" in " ".join(lines)


def test_many_waits_fit_on_the_screen():
    screen = Screen(80, 12)
    lines = screen.shows(*(event for number in range(6) for event in waiting(f"phase_{number}")))
    assert len(lines) <= 11
    assert all(any(f"phase_{number} " in line for line in lines) for number in range(6))
    lines = screen.shows(*(event for number in range(30) for event in waiting(f"phase_{number}")))
    screen.view.close()
    assert len(lines) <= 11
    assert "and 21 more" in " ".join(lines)


def test_it_counts_the_steps_and_says_the_predicted_time():
    screen = Screen(now=SINCE + 63.5)
    footer = screen.shows(
        e.RunStarted("tower", "create", ("resolve", "boot", "visit"), at=SINCE),
        e.Checked(0, 0, online=340.2, at=SINCE),
        e.PhaseHolds("resolve", at=SINCE + 1),
        e.PhaseStarted("boot", at=SINCE + 1),
    )[-1]
    screen.view.close()
    assert footer.split("  ") == ["", "63.5s", "1 of 3 steps", "online is predicted after 340 s"]


@pytest.mark.parametrize("command", ["verify", "status"])
def test_where_not_all_steps_are_meant_none_are_counted(command):
    screen = Screen(now=SINCE)
    footer = screen.shows(e.RunStarted("tower", command, ("resolve", "boot"), at=SINCE))[-1]
    screen.view.close()
    assert footer.split() == ["0.0s"]


def test_it_can_be_drawn_while_events_come():
    screen = Screen()

    class Name(str):
        """While it is drawn, another phase starts: as happens when the thread that draws is interrupted."""

        __slots__ = ()

        def __format__(self, spec):
            if threading.current_thread() is threading.main_thread():
                screen.view(e.PhaseStarted("another"))
            return super().__format__(spec)

    lines = screen.shows(e.PhaseStarted(Name("boot")))
    screen.view.close()
    assert any("boot" in line for line in lines)


class Chatter(e.PhaseEvent):
    """An event that only the log is for."""


class Remark(e.Noted):
    """A note of a kind that only the log is for."""


def test_only_what_a_phase_notes_itself_reaches_the_screen():
    assert is_shown(e.Noted("boot", "adopted it"))
    assert not is_shown(Chatter("boot"))
    assert not is_shown(Remark("boot", "asked Flux again"))
    assert is_shown(Remark("boot", "asked Flux again"), verbose=True)
    screen = Screen(100)
    screen.shows(e.PhaseStarted("boot"), Remark("boot", "asked Flux again"), e.Noted("boot", "adopted it"))
    text = screen.scrolled()
    assert "adopted it" in text
    assert "asked Flux again" not in text


def test_what_scrolls_is_folded_beside_its_phase():
    screen = Screen(80)
    screen.shows(e.PhaseStarted("boot"), e.Noted("boot", "word " * 30))
    lines = [line for line in screen.scrolled().splitlines() if "word" in line]
    assert len(lines) > 2
    assert all(line.startswith(" " * 35 + "word") for line in lines[1:])
    assert all(len(line) <= 80 for line in lines)


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


def test_live_view_tells_what_ended(redaction):
    text = shown(live(redaction), redaction)
    assert "✓" in text
    assert "in place already" in text
    assert "FAILED: refused [secret]" in text


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
