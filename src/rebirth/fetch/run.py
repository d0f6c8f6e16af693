"""One fetch: asks the proof what is used, brings it, and asks again, since a chart that has come makes more of it known."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rebirth.castle import load
from rebirth.checking import Asked, proved
from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.fetch.fetching import FAILED, FETCHED, STORED, Fetcher, Outcome, Progress
from rebirth.fetch.imports.folder import Import
from rebirth.fetch.logins import Logins
from rebirth.fetch.present import is_present
from rebirth.fetch.things import AnyThing, Image
from rebirth.fetch.wanted import Wanted, wanted
from rebirth.fetch.web import Web
from rebirth.paths import paths_of
from rebirth.proof.things import Place
from rebirth.secrets import Redaction
from rebirth.store.store import PLATFORM, Store

NONE, SMALL, ALL = "none", "small", "all"
SMALL_SIZE = 100 << 20  # bytes of a small image, compressed
_ROUNDS = 5  # charts that bring releases of charts, and so on


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    asked: Asked
    images: str = NONE
    largest: int = SMALL_SIZE
    platform: str = PLATFORM
    again: bool = False
    source: Path | None = None  # instead of the network


@dataclass
class Answer:
    """What became of it."""

    outcomes: list[Outcome] = field(default_factory=list)
    left_out: list[Image] = field(default_factory=list)  # images that nobody asked for, and that are not there
    unrendered: int = 0  # releases whose images are not known
    where: dict[AnyThing, str] = field(default_factory=dict)  # file:line
    seconds: float = 0.0
    folder: Path = field(default_factory=Path)

    def of(self, *states: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.state in states]

    @property
    def ok(self) -> bool:
        return not self.of(FAILED)


async def fetch(order: Order, progress: Progress, redaction: Redaction, store: Store | None = None) -> Answer:
    """Raises what stands in the way of all of it; what cannot be had is in the answer."""
    store = store or Store()
    since = time.monotonic()
    answer = Answer(folder=store.folder)
    with store.adding():
        if order.source:
            await _from(order, order.source, store, redaction, answer)
        else:
            async with Web(tell=progress.say) as web:
                await _from_outside(order, store, web, progress, redaction, answer)
    answer.seconds = time.monotonic() - since
    return answer


async def _from_outside(
    order: Order, store: Store, web: Web, progress: Progress, redaction: Redaction, answer: Answer
) -> None:
    found = await _wanted(order, answer)
    logins = _logins(order, redaction)
    largest = order.largest if order.images == SMALL else None
    fetcher = Fetcher(store, web, logins, Commands(redaction), progress, order.platform, largest, order.again)
    for _ in range(_ROUNDS):
        outcomes = await fetcher.fetch(_new(found.sources, answer))
        answer.outcomes += outcomes
        if not any(outcome.state == FETCHED for outcome in outcomes):
            break
        found = await _wanted(order, answer)
    answer.unrendered = found.unrendered
    if order.images == NONE:
        answer.left_out = [image for image in found.images if not is_present(store, image, order.platform)]
    else:
        answer.outcomes += await fetcher.fetch(found.images)


def _logins(order: Order, redaction: Redaction) -> Logins:
    directory = order.asked.castle_directory
    if directory is None:
        return Logins(redaction)
    castle = load(directory)
    return Logins(redaction, castle, paths_of(directory, castle.secrets))


async def _from(order: Order, source: Path, store: Store, redaction: Redaction, answer: Answer) -> None:
    """The same without the network."""
    brought = Import(store, Commands(redaction))
    found = await _wanted(order, answer)
    had = {thing for thing in found.things if is_present(store, thing, order.platform)}
    try:
        await brought.read(source)
        for _ in range(_ROUNDS):
            outcomes = [await _offered(brought, store, thing, order, had) for thing in _new(found.sources, answer)]
            answer.outcomes += outcomes
            if not any(outcome.state == FETCHED for outcome in outcomes):
                break
            found = await _wanted(order, answer)
    finally:
        brought.close()
    answer.unrendered = found.unrendered
    for image in found.images:
        if is_present(store, image, order.platform):
            answer.outcomes.append(Outcome(image, STORED if image in had else FETCHED))
        else:
            answer.left_out.append(image)


async def _wanted(order: Order, answer: Answer) -> Wanted:
    async with proved(order.asked) as done:
        return _seen(wanted(done.proof), answer, done.places.text)


async def _offered(brought: Import, store: Store, thing: AnyThing, order: Order, had: set[AnyThing]) -> Outcome:
    if thing in had and not order.again:
        return Outcome(thing, STORED)
    try:
        await brought.offer(thing)
    except Broken as error:
        return Outcome(thing, FAILED, error=error)
    if is_present(store, thing, order.platform):
        return Outcome(thing, FETCHED)
    return Outcome(thing, FAILED, error=Broken(f"is not in {order.source}", operation="import"))


def _new(things: Sequence[AnyThing], answer: Answer) -> list[AnyThing]:
    had = {outcome.thing for outcome in answer.outcomes}
    return [thing for thing in things if thing not in had]


def _seen(found: Wanted, answer: Answer, text: Callable[[Place], str]) -> Wanted:
    """Where each thing is said, as long as the files are there."""
    for thing in found.things:
        answer.where.setdefault(thing, text(thing.place))
    return found
