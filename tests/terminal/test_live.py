"""The live view: whole reasons, many waits, counted steps."""

import re
import threading
from io import StringIO

import pytest
from rich.console import Console

from rebirth import events as e
from rebirth.console import is_shown
from rebirth.secrets import Redaction
from rebirth.terminal.live import LiveView

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
