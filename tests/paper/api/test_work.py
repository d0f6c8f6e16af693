"""What has to be looked at."""

import asyncio

import pytest

from rebirth.errors import NotYet
from rebirth.paper.api.client import Refused
from rebirth.paper.api.work import Work


@pytest.fixture
def refused():
    return {}


async def run(work, seconds=0.3):
    task = asyncio.create_task(work.run())
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_each_thing_is_looked_at_once_and_again_if_it_is_asked_for_meanwhile(refused):
    seen = []

    async def act(key):
        seen.append(key)
        if len(seen) == 1:
            work.add("a")
            work.add("a")
            await asyncio.sleep(0.01)

    work = Work(act, refused.__setitem__)
    for key in ("a", "a", "b"):
        work.add(key)
    await run(work)
    assert sorted(seen) == ["a", "a", "b"]


async def test_what_fails_is_tried_again_and_what_is_refused_for_good_is_not(refused):
    seen = []

    async def act(key):
        seen.append(key)
        if key == "never":
            raise Refused("no", 422)
        if seen.count(key) < 3:
            raise NotYet("not yet") if seen.count(key) == 1 else Refused("conflict", 409)

    work = Work(act, refused.__setitem__)
    work.add("never")
    work.add("later")
    await run(work)
    assert (seen.count("never"), seen.count("later")) == (1, 3)
    assert refused == {"never": "no"}
