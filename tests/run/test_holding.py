"""What was done before: facts that hold are not made again, and status only looks."""

import asyncio

import pytest

from declaring import as_phase
from rebirth.errors import CannotTell, DoesNotHold, NoAnswer, NotYet
from rebirth.events import (
    PhaseHolds,
    PhaseStarted,
)
from run.ground import Ground, Password, Plan, Tower, Wall, names


def holding(answer):
    async def still(fact: Ground) -> bool:
        return answer

    return still


async def test_a_remembered_fact_that_still_holds_is_not_made_again(lay):
    made = []

    async def dig(plan: Plan) -> Ground:
        made.append(plan.height)
        return Ground(plan.height)

    phase = as_phase(dig, still=holding(answer=True))
    await lay.run([phase], given={Plan: Plan(height=1)})
    outcome = await lay.run([phase], given={Plan: Plan(height=1)})
    assert made == [1]
    assert outcome.facts["dig"] == Ground(1)
    assert names(lay.events, PhaseHolds) == ["dig"]

    await lay.run([phase], given={Plan: Plan(height=2)})
    assert made == [1, 2], "other inputs, other fingerprint"
    await lay.run([as_phase(dig, still=holding(answer=False))], given={Plan: Plan(height=2)})
    assert made == [1, 2, 2], "the world says it no longer holds"


async def test_on_demand_is_made_only_for_a_phase_that_has_to_run(lay):
    minted = []

    async def mint() -> Password:
        minted.append(1)
        return Password("x")

    async def dig(password: Password) -> Ground:
        return Ground(len(password.value))

    phases = [as_phase(mint, on_demand=True), as_phase(dig, still=holding(answer=True))]
    assert (await lay.run(phases)).ok
    assert (await lay.run(phases)).ok
    assert minted == [1]
    assert "Password" not in (lay.state / "journal.jsonl").read_text()


async def test_status_runs_nothing(lay):
    async def dig() -> Ground:
        raise AssertionError("must not run")

    async def build_wall(ground: Ground) -> Wall:
        raise AssertionError("must not run")

    outcome = await lay.run([dig, build_wall], may_run=lambda phase: False)
    assert "not in place" in str(outcome.failures["dig"])
    assert outcome.skipped == {"build_wall": "dig"}
    assert not names(lay.events, PhaseStarted)


async def test_where_no_run_is_remembered_status_looks_at_what_the_world_shows(lay):
    """The ground is there, the wall is lower than planned, of the tower nothing can be asked."""

    async def dig() -> Ground:
        raise AssertionError("must not run")

    async def found_ground() -> Ground:
        return Ground(3)

    async def ground_still(fact: Ground) -> bool:
        return fact.depth == 3

    async def build_wall(ground: Ground) -> Wall:
        raise AssertionError("must not run")

    async def found_wall(ground: Ground) -> Wall:
        return Wall(ground.depth)

    async def wall_still(fact: Wall) -> bool:
        raise NotYet(f"is {fact.height} high")

    async def build_tower() -> Tower:
        raise AssertionError("must not run")

    async def tower_still(fact: Tower) -> bool:
        raise AssertionError("must not be asked")

    phases = [
        as_phase(dig, still=ground_still, found=found_ground),
        as_phase(build_wall, still=wall_still, found=found_wall),
        as_phase(build_tower, still=tower_still),
    ]
    outcome = await lay.run(phases, may_run=lambda phase: False)
    assert outcome.facts == {"dig": Ground(3)}
    assert str(outcome.failures["build_wall"]) == "build_wall: not in place: is 3 high"
    assert str(outcome.failures["build_tower"]) == "build_tower: cannot tell: no run is recorded here"
    assert [type(outcome.failures[name]) for name in ("build_wall", "build_tower")] == [DoesNotHold, CannotTell]


@pytest.mark.parametrize("answer", ["none", "late"])
async def test_what_does_not_answer_is_not_said_not_to_hold(lay, answer):
    async def dig() -> Ground:
        return Ground(1)

    async def still(fact: Ground) -> bool:
        if answer == "late":
            await asyncio.Event().wait()
        raise NoAnswer("refused")

    assert (await lay.run([as_phase(dig, still=still)])).ok
    phase = as_phase(dig, still=still, patience=0.05)
    outcome = await lay.run([phase], may_run=lambda phase: False)
    said = {"none": "refused", "late": "no answer in 0 s"}[answer]
    assert str(outcome.failures["dig"]) == f"dig: cannot tell: {said}"


async def test_status_says_that_what_a_fact_was_made_from_has_changed(lay):
    async def dig(plan: Plan) -> Ground:
        return Ground(plan.height)

    phase = as_phase(dig, still=holding(answer=True), found=dig)
    assert (await lay.run([phase], given={Plan: Plan(height=1)})).ok
    outcome = await lay.run([phase], given={Plan: Plan(height=2)}, may_run=lambda phase: False)
    assert str(outcome.failures["dig"]) == "dig: not in place: its inputs have changed since"
