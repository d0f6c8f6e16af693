"""One fetch: asks the proof what is used, brings it, and asks again, since a chart that has come makes more of it known."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
    fetcher: Fetcher | None = None
    found = Wanted((), 0)
    for _ in range(_ROUNDS):
        async with proved(order.asked) as done:
            found = _seen(wanted(done.proof), answer, done.places.text)
            if fetcher is None:
                paths = paths_of(done.directory, done.castle.secrets) if done.castle and done.directory else None
                logins = Logins(redaction, done.castle, paths)
                commands = Commands(redaction)
                largest = order.largest if order.images == SMALL else None
                fetcher = Fetcher(store, web, logins, commands, progress, order.platform, largest, order.again)
        outcomes = await fetcher.fetch(_new(found.sources, answer))
        answer.outcomes += outcomes
        if not any(outcome.state == FETCHED for outcome in outcomes):
            break
    answer.unrendered = found.unrendered
    if fetcher is not None and order.images != NONE:
        answer.outcomes += await fetcher.fetch(found.images)
    else:
        answer.left_out = [image for image in found.images if not is_present(store, image, order.platform)]


async def _from(order: Order, source: Path, store: Store, redaction: Redaction, answer: Answer) -> None:
    """The same without the network."""
    brought = Import(store, Commands(redaction))
    try:
        await brought.read(source)
        found = Wanted((), 0)
        for _ in range(_ROUNDS):
            async with proved(order.asked) as done:
                found = _seen(wanted(done.proof), answer, done.places.text)
            new = _new(found.sources, answer)
            for thing in new:
                answer.outcomes.append(await _offered(brought, store, thing, order))
            if not any(outcome.state == FETCHED for outcome in answer.outcomes[-len(new) :] if new):
                break
        answer.unrendered = found.unrendered
        there = [image for image in found.images if is_present(store, image, order.platform)]
        answer.outcomes += [Outcome(image, STORED) for image in there]
        answer.left_out = [image for image in found.images if image not in there]
    finally:
        brought.close()


async def _offered(brought: Import, store: Store, thing: AnyThing, order: Order) -> Outcome:
    if is_present(store, thing, order.platform) and not order.again:
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
