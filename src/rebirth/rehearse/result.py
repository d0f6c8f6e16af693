"""What a rehearsal has seen, for whoever tells it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rebirth.diagnosis.cause import Cause
from rebirth.diagnosis.wanted import Key
from rebirth.findings.places import Places
from rebirth.proof.things import Place


@dataclass(frozen=True)
class Stop:
    """What kept a part of the repository from coming up: the object at the root of it."""

    cause: Cause
    place: Place  # where that object, or the field of it that was refused, is written
    holds_up: tuple[Key, ...]  # nodes of the Flux graph
    hint: str = ""  # what the words mean and what to do, where that is known

    @property
    def message(self) -> str:
        return str(self.cause)


def merged(stops: Iterable[Stop]) -> tuple[Stop, ...]:
    """One stop a place: a file that many Kustomizations share is wrong once."""
    by_place: dict[object, Stop] = {}
    for stop in stops:
        key = stop.place if stop.place.file else stop.cause
        first = by_place.get(key)
        nodes = (*first.holds_up, stop.cause.key, *stop.holds_up) if first else stop.holds_up
        by_place[key] = replace(first or stop, holds_up=tuple(dict.fromkeys(nodes)))
    return tuple(by_place.values())


@dataclass(frozen=True)
class Dropped:
    """A field that the object's kind does not have. Flux leaves it out, and says nothing."""

    key: Key
    message: str  # the API server's
    place: Place


@dataclass(frozen=True)
class OnPaper:
    """What did not run, and came up in name only."""

    what: str  # such as "Deployment apps/blog", "chart cert-manager"
    why: str  # such as its images, or what a chart was made from


@dataclass(frozen=True)
class Rehearsed:
    """The end of a rehearsal."""

    cluster: str  # the folder that Flux is pointed at
    seconds: float  # from the first process to the end
    times: tuple[tuple[Key, float], ...]  # nodes that became Ready, and after how many seconds
    waiting: tuple[Key, ...]  # nodes that did not
    suspended: tuple[Key, ...]
    stops: tuple[Stop, ...]  # what does not fix itself first
    memory: int  # bytes at the end, all processes
    steps: tuple[tuple[str, float, float], ...]  # what was done, when it began and how long it took, in seconds
    started: float  # seconds since the epoch
    dropped: tuple[Dropped, ...] = ()
    on_paper: tuple[OnPaper, ...] = ()
    missing: tuple[str, ...] = ()  # what was asked for outside and is not there
    given: tuple[str, ...] = ()  # what was taken as there
    refused: tuple[str, ...] = ()  # of what a bootstrap applies first, with the API server's words

    @property
    def ready(self) -> dict[Key, float]:
        """Nodes that became Ready -> seconds."""
        return dict(self.times)

    @property
    def came_up(self) -> bool:
        return not self.waiting


@dataclass(frozen=True)
class Disagreement:
    """Of the proof with a rehearsal of the same tree."""

    words: str
    place: Place


@dataclass(frozen=True)
class Told:
    """A rehearsal, and what it was compared with; None where it was not asked for."""

    done: Rehearsed
    places: Places
    disagreements: Sequence[Disagreement] | None = None  # with the proof
    changes: Sequence[str] | None = None  # since an earlier rehearsal
    width: int = 100  # columns of text
    verbose: bool = False
