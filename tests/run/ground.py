"""Facts, a section and a client for tests of the engine."""

from dataclasses import dataclass, field

from rebirth.castle.model import Section
from rebirth.run.facts import Fact, InMemory


@dataclass(frozen=True)
class Ground(Fact):
    depth: int


@dataclass(frozen=True)
class Wall(Fact):
    height: int


@dataclass(frozen=True)
class Tower(Fact):
    height: int


@dataclass(frozen=True)
class Password(InMemory):
    value: str = field(repr=False)


class Plan(Section):
    height: int


class Quarry:
    closed = False

    async def close(self) -> None:
        self.closed = True


def names(events, kind):
    return [event.phase for event in events if isinstance(event, kind)]
