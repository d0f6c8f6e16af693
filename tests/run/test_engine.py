"""The engine: order, concurrency, failure, retries, resuming."""

import asyncio
import time
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from declaring import as_phase
from rebirth.errors import Broken, Impossible, NotYet
from rebirth.events import (
    Events,
    PhaseDone,
    PhaseFailed,
    PhaseReady,
    PhaseRetried,
    PhaseSkipped,
)
from rebirth.run.engine import Engine
from rebirth.run.facts import Fact
from rebirth.run.journal import Journal
from rebirth.run.waiting import until
from run.ground import Ground, Password, Plan, Quarry, Tower, Wall, names


async def test_runs_in_the_order_of_needs(lay):
    async def build_tower(wall: Wall) -> Tower:
        return Tower(wall.height * 2)

    async def build_wall(ground: Ground) -> Wall:
        return Wall(ground.depth + 1)

    async def dig(plan: Plan) -> Ground:
        return Ground(plan.height)

    outcome = await lay.run([build_tower, build_wall, dig], given={Plan: Plan(height=2)})
    assert outcome.ok
    assert outcome.facts["build_tower"] == Tower(6)
    assert names(lay.events, PhaseDone) == ["dig", "build_wall", "build_tower"]
    assert [e.last for e in lay.events if isinstance(e, PhaseReady)] == ["", "dig", "build_wall"]


async def test_independent_phases_run_at_once(lay):
    meeting = asyncio.Barrier(2)

    async def dig() -> Ground:
        await meeting.wait()
        return Ground(1)

    async def build_wall() -> Wall:
        await meeting.wait()
        return Wall(1)

    assert (await lay.run([dig, build_wall])).ok


async def test_a_failure_stops_only_what_needs_it_and_all_failures_are_told(lay):
    async def dig() -> Ground:
        raise Broken("rock", system="ground", operation="dig", hint="Use dynamite.")

    async def build_wall() -> Wall:
        await asyncio.sleep(0)
        return Wall(1)

    async def build_tower(ground: Ground) -> Tower:
        return Tower(ground.depth)

    outcome = await lay.run([dig, build_wall, build_tower])
    assert str(outcome.failures["dig"]) == "ground: dig: rock"
    assert outcome.skipped == {"build_tower": "dig"}
    assert "build_wall" in outcome.facts
    assert not outcome.ok


async def test_a_defect_is_reported_and_takes_nothing_else_down(lay):
    async def dig() -> Ground:
        return Ground(1 // 0)

    async def build_wall() -> Wall:
        return Wall(1)

    outcome = await lay.run([dig, build_wall])
    assert "ZeroDivisionError" in str(outcome.failures["dig"])
    assert "build_wall" in outcome.facts
    assert any("1 // 0" in e.trace for e in lay.events if isinstance(e, PhaseFailed))


async def test_not_yet_is_tried_again(lay):
    attempts = []

    async def dig() -> Ground:
        attempts.append(1)
        if len(attempts) < 3:
            raise NotYet("still raining")
        return Ground(1)

    assert (await lay.run([dig])).ok
    assert [e.delay for e in lay.events if isinstance(e, PhaseRetried)] == [0.25, 0.5]


async def test_a_time_out_tells_what_was_seen_last(lay):
    async def dig() -> Ground:
        async def dry() -> None:
            raise NotYet("42 mm of rain")

        await until(dry, what="the ground is dry")
        return Ground(1)

    outcome = await lay.run([as_phase(dig, patience=0.05)])
    assert "gave up after 0 s; last seen: the ground is dry: 42 mm of rain" in str(outcome.failures["dig"])


async def test_a_time_out_before_the_first_look_had_ended_says_what_was_asked(lay):
    async def dig() -> Ground:
        await until(asyncio.Event().wait, what="the ground is dry")
        return Ground(1)

    async def build_wall() -> Wall:
        await asyncio.Event().wait()
        return Wall(1)

    outcome = await lay.run([as_phase(dig, patience=0.05), as_phase(build_wall, patience=0.05)])
    assert "last seen: nothing yet, still asking whether the ground is dry" in str(outcome.failures["dig"])
    assert "last seen: nothing yet: its first attempt is still running" in str(outcome.failures["build_wall"])


async def test_a_phases_own_time_out_is_not_taken_for_the_end_of_its_patience(lay):
    async def dig() -> Ground:
        raise TimeoutError("the socket")

    async def build_wall() -> Wall:
        return Wall(1)

    async def still(fact: Wall) -> bool:
        raise TimeoutError("the socket")

    wall = as_phase(build_wall, still=still)
    outcome = await lay.run([as_phase(dig, patience=600), wall])
    assert "unexpected TimeoutError: the socket" in str(outcome.failures["dig"])
    assert "unexpected TimeoutError: the socket" in str((await lay.run([wall])).failures["build_wall"])


async def test_the_budget_ends_every_phase(lay):
    async def dig() -> Ground:
        await asyncio.sleep(30)
        return Ground(1)

    outcome = await lay.run([as_phase(dig, patience=60)], budget=0.05)
    assert "gave up after 0 s" in str(outcome.failures["dig"])


async def test_a_phase_that_becomes_ready_after_the_budget_is_not_started(lay):
    async def dig() -> Ground:
        time.sleep(0.02)
        return Ground(1)

    async def build_wall(ground: Ground) -> Wall:
        raise AssertionError("must not run")

    outcome = await lay.run([dig, build_wall], budget=0.01)
    assert str(outcome.failures["build_wall"]) == "build_wall: not started: the run's budget is used up"


def rained_on():
    """A wall that is built beside the digging, and a roof that waits until the wall stands."""
    started, digging = asyncio.Event(), asyncio.Event()

    async def dig() -> Ground:
        await digging.wait()
        raise Broken("rock")

    async def pour(ground: Ground) -> Wall:
        return Wall(1)

    async def rise() -> Tower:
        started.set()
        await asyncio.Event().wait()
        return Tower(1)

    async def strike() -> Password:
        await started.wait()
        digging.set()
        return Password("x")

    return [dig, pour, as_phase(rise, patience=600, waits_for=(Wall,)), strike]


async def test_what_waits_for_a_fact_that_cannot_come_is_ended(lay):
    async with asyncio.timeout(5):
        outcome = await lay.run(rained_on())
    assert list(outcome.failures) == ["dig"]
    assert outcome.skipped == {"pour": "dig", "rise": "dig"}
    assert "strike" in outcome.facts
    assert names(lay.events, PhaseSkipped) == ["pour", "rise"]


async def test_what_waits_for_a_fact_that_has_failed_already_is_not_started(lay):
    async def dig() -> Ground:
        raise Broken("rock")

    async def pour() -> Password:
        await asyncio.sleep(0.01)
        return Password("x")

    async def rise(password: Password) -> Tower:
        raise AssertionError("must not run")

    outcome = await lay.run([dig, pour, as_phase(rise, waits_for=(Ground,))])
    assert outcome.skipped == {"rise": "dig"}


async def test_what_holds_is_not_ended_by_the_failure_of_what_it_waited_for(lay):
    async def dig() -> Ground:
        raise Broken("rock")

    async def rise() -> Tower:
        return Tower(1)

    async def still(fact: Tower) -> bool:
        await asyncio.sleep(0.01)
        return True

    tower = as_phase(rise, still=still, waits_for=(Ground,))
    assert (await lay.run([tower])).ok
    outcome = await lay.run([dig, tower])
    assert outcome.facts == {"rise": Tower(1)}


async def test_connections_are_made_once_and_closed(lay):
    opened = []

    def quarry(plan: Plan) -> Quarry:
        opened.append(Quarry())
        return opened[-1]

    async def dig(quarry: Quarry) -> Ground:
        return Ground(1)

    async def build_wall(quarry: Quarry) -> Wall:
        return Wall(1)

    assert (await lay.run([dig, build_wall], connections=[quarry], given={Plan: Plan(height=1)})).ok
    assert len(opened) == 1
    assert opened[0].closed


async def test_extra_edges_delay_and_fail_like_needs(lay):
    async def dig() -> Ground:
        return Ground(1)

    async def build_wall() -> Wall:
        return Wall(1)

    assert (await lay.run([build_wall, dig], after={"build_wall": ["dig"]})).ok
    assert names(lay.events, PhaseDone) == ["dig", "build_wall"]


async def test_a_circle_is_refused_before_anything_runs(lay):
    async def dig(wall: Wall) -> Ground:
        return Ground(1)

    async def build_wall(ground: Ground) -> Wall:
        return Wall(1)

    with pytest.raises(Impossible, match="cycle"):
        await lay.run([dig, build_wall])


async def test_what_nothing_makes_is_refused_before_anything_runs(lay):
    async def dig(wall: Wall) -> Ground:
        return Ground(1)

    with pytest.raises(Impossible, match=r"dig takes wall: Wall, which nothing makes"):
        await lay.run([dig])


def made_phases(edges):
    """Phases over generated fact types: phase i takes the facts of edges[i]."""
    kinds = [dataclass(frozen=True)(type(f"Fact{i}", (Fact,), {"__annotations__": {}})) for i in range(len(edges))]
    phases = []
    for index, needed in enumerate(edges):

        def bind(index=index):
            async def run(**takes):
                return kinds[index]()

            return run

        base = as_phase(_template)
        takes = {f"p{other}": kinds[other] for other in sorted(needed)}
        phases.append(replace(base, name=f"phase{index}", takes=takes, makes=kinds[index], function=bind()))
    return phases


async def _template() -> Ground:
    return Ground(0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 7).flatmap(lambda n: st.lists(st.sets(st.integers(0, n - 1), max_size=3), min_size=n, max_size=n))
)
def test_refused_if_and_only_if_it_could_not_finish(tmp_path_factory, edges):
    """Kahn's own reading of the same graph: it can finish if and only if removing what is ready removes all."""
    remaining = dict(enumerate(edges))
    while ready := [node for node, needed in remaining.items() if not needed & remaining.keys()]:
        for node in ready:
            del remaining[node]
    with Journal(tmp_path_factory.mktemp("state")) as journal:
        try:
            engine = Engine(made_phases(edges), [], {}, journal, Events())
        except Impossible:
            assert remaining
        else:
            assert not remaining
            assert asyncio.run(engine.run()).ok
