"""What happens during a run, typed. Console, log files, journal and report are listeners."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    at: float = field(default_factory=time.time, kw_only=True)  # seconds since the epoch


@dataclass(frozen=True)
class RunStarted(Event):
    castle: str
    command: str
    phases: tuple[str, ...]


@dataclass(frozen=True)
class Checked(Event):
    """What the proof found before anything was made. `unproved` says why the run goes on without it, or against it."""

    errors: int
    warnings: int
    unproved: str = ""
    needed: str = ""  # what it would take to tell whether the bootstrap can finish
    online: float | None = None  # seconds until online, as the plan predicts it


@dataclass(frozen=True)
class RunFinished(Event):
    ok: bool
    error: str = ""


@dataclass(frozen=True)
class PhaseEvent(Event):
    phase: str


@dataclass(frozen=True)
class PhaseReady(PhaseEvent):
    """All that the phase needs is true; `last` made the last of it true ("" where it needs nothing)."""

    last: str = ""


@dataclass(frozen=True)
class PhaseStarted(PhaseEvent):
    attempt: int = 1


@dataclass(frozen=True)
class PhaseHolds(PhaseEvent):
    """Nothing to do: the remembered fact still holds."""


@dataclass(frozen=True)
class PhaseDone(PhaseEvent):
    pass


@dataclass(frozen=True)
class PhaseFailed(PhaseEvent):
    error: str
    hint: str = ""
    trace: str = ""  # of a defect of ours; for the phase's log only


@dataclass(frozen=True)
class PhaseSkipped(PhaseEvent):
    """Could not start, because `because` failed."""

    because: str


@dataclass(frozen=True)
class PhaseRetried(PhaseEvent):
    error: str
    delay: float  # seconds


@dataclass(frozen=True)
class Waiting(PhaseEvent):
    """The phase waits for `what`; `seen` is what it saw last."""

    what: str
    seen: str


@dataclass(frozen=True)
class Arrived(PhaseEvent):
    """What a phase waited for has come true."""

    what: str
    seconds: float


@dataclass(frozen=True)
class Noted(PhaseEvent):
    """Something that a person must see: adopted a VM, handed a secret over."""

    text: str


@dataclass(frozen=True)
class BecameReady(PhaseEvent):
    """A node of the Flux graph that the phase watches is Ready. For logs, the report and the plan."""

    node: str  # kind namespace/name, as the graph labels it


@dataclass(frozen=True)
class Nudged(PhaseEvent):
    """Somebody was asked to look again now instead of after his interval. For logs: it is no failure, and changes nothing."""

    text: str


Listener = Callable[[Event], None]


class Events:
    """Hands every event to every listener, in order.

    A listener that cannot write any more (a full disk, a pipe that nobody reads) ends no run: it gets no further events,
    and is among the `lost`, with why.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = list(listeners)
        self.lost: list[tuple[Listener, OSError]] = []

    def add(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def __call__(self, event: Event) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except OSError as error:
                self._listeners.remove(listener)
                self.lost.append((listener, error))
