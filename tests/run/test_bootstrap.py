"""What of a bootstrap makes one castle: what takes something that nothing gives is left out."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from declaring import as_phase
from rebirth.castle import Section
from rebirth.errors import Impossible
from rebirth.events import Events
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.engine import Engine
from rebirth.run.facts import Fact
from rebirth.run.journal import Journal
from rebirth.run.phase import declared


class Moat(Section):
    depth: int = 3


class Bridge:
    pass


@dataclass(frozen=True)
class Dug(Fact):
    depth: int


@dataclass(frozen=True)
class Crossed(Fact):
    pass


@dataclass(frozen=True)
class Built(Fact):
    dry: bool


async def dig(moat: Moat) -> Dug:
    return Dug(moat.depth)


def bridge(dug: Dug) -> Bridge:
    return Bridge()


async def cross(bridge: Bridge) -> Crossed:
    return Crossed()


async def build(dug: Dug | None) -> Built:
    return Built(dry=dug is None)


async def fill() -> Dug:
    return Dug(0)


async def still(fact: Built, moat: Moat) -> bool:
    return True


BOOTSTRAP = Bootstrap(tuple(map(as_phase, (dig, cross, build))), (declared(bridge),), dict)


def names(bootstrap):
    return [phase.name for phase in bootstrap.phases], [connection.name for connection in bootstrap.connections]


def test_all_of_it_where_the_section_is_there():
    assert names(BOOTSTRAP.of({Moat: Moat()})) == (["dig", "cross", "build"], ["bridge"])


def test_without_the_section_what_takes_it_and_what_takes_its_fact_are_left_out():
    assert names(BOOTSTRAP.of({})) == (["build"], [])


@pytest.mark.parametrize(("sections", "dry"), [({Moat: Moat()}, False), ({}, True)])
def test_what_can_do_without_gets_none(tmp_path, sections, dry):
    own = BOOTSTRAP.of(sections)
    with Journal(tmp_path) as journal:
        outcome = asyncio.run(Engine(own.phases, own.connections, sections, journal, Events()).run())
    assert outcome.made(Built) == Built(dry)


def test_a_look_that_lacks_something_is_left_out_alone():
    looking = replace(BOOTSTRAP, phases=(as_phase(build, still=still),))
    assert looking.of({Moat: Moat()}).phases[0].still
    assert not looking.of({}).phases[0].still


def test_two_phases_may_make_the_same_fact_in_different_castles_only():
    either = replace(BOOTSTRAP, phases=(*BOOTSTRAP.phases, as_phase(fill)))
    assert names(either.of({}))[0] == ["cross", "build", "fill"]
    with pytest.raises(Impossible, match="dig is not the only phase that makes Dug"):
        either.of({Moat: Moat()})
