"""Recorded runs to read: written through the product's own recorder."""

from pathlib import Path

import pytest

from rebirth import events as e
from rebirth.console import Recorder
from rebirth.secrets import Redaction

SINCE = 1_800_000_000.0

# A run of 10 seconds: resolve 0-1, boot 1.5-4 beside fetch 1-2, visit_sites 4-9; then half a second, converge 4-9.5 ends last.
COURSE = (
    e.RunStarted("tower", "create", ("resolve", "boot", "fetch", "visit_sites", "converge"), at=SINCE),
    e.PhaseReady("resolve", at=SINCE),
    e.PhaseStarted("resolve", at=SINCE),
    e.PhaseDone("resolve", at=SINCE + 1),
    e.PhaseReady("fetch", "resolve", at=SINCE + 1),
    e.PhaseStarted("fetch", at=SINCE + 1),
    e.PhaseReady("boot", "resolve", at=SINCE + 1.5),
    e.PhaseStarted("boot", at=SINCE + 1.5),
    e.PhaseDone("fetch", at=SINCE + 2),
    e.Waiting("boot", "<the API> answers", "refused", at=SINCE + 2),
    e.Arrived("boot", "<the API> answers", 1.5, at=SINCE + 3.5),
    e.PhaseDone("boot", at=SINCE + 4),
    e.PhaseReady("visit_sites", "boot", at=SINCE + 4),
    e.PhaseStarted("visit_sites", at=SINCE + 4),
    e.PhaseReady("converge", "boot", at=SINCE + 4),
    e.PhaseStarted("converge", at=SINCE + 4),
    e.PhaseDone("visit_sites", at=SINCE + 9),
    e.PhaseDone("converge", at=SINCE + 9.5),
    e.RunFinished(ok=True, at=SINCE + 10),
)


def shifted(course, seconds: float):
    """The same events, `seconds` later."""
    return [type(event)(**{**vars(event), "at": event.at + seconds}) for event in course]


@pytest.fixture
def record(tmp_path: Path):
    """record(name, events) -> the folder that holds them."""

    def into(name: str, course) -> Path:
        recorder = Recorder(tmp_path / "logs" / name, Redaction())
        for event in course:
            recorder(event)
        recorder.close()
        return recorder.folder

    return into


@pytest.fixture
def course():
    return COURSE


@pytest.fixture
def later():
    return shifted
