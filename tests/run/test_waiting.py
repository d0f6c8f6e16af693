"""until() and together()."""

import asyncio
import time
from itertools import pairwise

import pytest

from rebirth.errors import Broken, NotYet
from rebirth.events import Arrived, Events, Noted, Waiting
from rebirth.run.waiting import Watcher, note, together, until, watched


async def test_until_tells_each_thing_it_saw_once():
    seen, answers = [], iter(["no disk", "no disk", "booting", None])

    async def look():
        if said := next(answers):
            raise NotYet(said)
        return "up"

    with watched(Watcher("boot", Events(seen.append))):
        assert await until(look, what="the machine is up", every=0) == "up"
    assert [e.seen for e in seen if isinstance(e, Waiting)] == ["no disk", "booting"]
    assert [type(e) for e in seen][-1] is Arrived


async def test_a_change_wakes_until_at_once():
    happened = asyncio.Event()

    async def changes():
        await asyncio.sleep(0.01)
        happened.set()
        yield "change"
        await asyncio.sleep(60)

    async def look():
        if not happened.is_set():
            raise NotYet("nothing")

    async with asyncio.timeout(5):
        await until(look, what="it happens", every=60, changes=changes())


async def test_until_passes_on_what_does_not_mend():
    async def look():
        raise Broken("gone")

    with pytest.raises(Broken):
        await until(look, what="x")


async def test_together_keeps_order_and_prefers_the_failure_that_does_not_mend():
    async def give(value, delay):
        await asyncio.sleep(delay)
        return value

    assert await together(give(1, 0.02), give(2, 0)) == [1, 2]
    assert await together() == []

    ended = []

    async def fail(error):
        raise error

    async def linger():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(1)

    with pytest.raises(Broken):
        await together(fail(NotYet("a")), fail(Broken("b")), linger())
    with pytest.raises(NotYet):
        await together(fail(NotYet("a")), linger())
    assert ended == [1, 1]


@pytest.mark.parametrize("steps", range(5))
async def test_of_a_thousand_waits_that_are_out_of_time_none_lives_on(steps):
    """Time is over while the change that is waited for arrives: some steps of the loop before, at once, after."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()

    async def changes():
        while True:
            await arrived.wait()
            yield "change"
            await asyncio.sleep(60)

    async def look():
        raise NotYet("not there")

    async def wait(limit):
        async with limit:
            await until(look, what="x", every=60, changes=changes())

    limits = [asyncio.timeout(60) for _ in range(1000)]
    waits = [asyncio.create_task(wait(limit)) for limit in limits]
    for _ in range(3):
        await asyncio.sleep(0)  # all wait
    arrived.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    for limit in limits:
        limit.reschedule(loop.time())
    done, living = await asyncio.wait(waits, timeout=5)
    for task in living:
        task.cancel()
    assert not living
    assert all(isinstance(task.exception(), TimeoutError) for task in done)


async def test_a_bug_in_a_watch_ends_the_wait():
    async def changes():
        yield "change"
        raise KeyError("object")

    async def look():
        raise NotYet("not there")

    with pytest.raises(KeyError):
        async with asyncio.timeout(5):
            await until(look, what="x", every=60, changes=changes())


async def test_a_watch_that_is_not_allowed_is_noted_and_asking_goes_on():
    seen, answers = [], iter([NotYet("no"), NotYet("no")])

    async def changes():
        raise Broken("forbidden", system="Kubernetes", operation="watch Secret")
        yield

    async def look():
        if error := next(answers, None):
            raise error
        return "there"

    with watched(Watcher("wait", Events(seen.append))):
        assert await until(look, what="it is there", every=0.01, changes=changes()) == "there"
    notes = [e.text for e in seen if isinstance(e, Noted)]
    assert len(notes) == 1
    assert "Kubernetes: watch Secret: forbidden" in notes[0]


async def test_a_wait_that_lasts_is_looked_at_less_and_less_often():
    looks: list[float] = []

    async def look():
        looks.append(time.monotonic())
        if len(looks) < 9:
            raise NotYet("no")

    await until(look, what="it is there", every=0.01, slowest=0.03)
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert all(pause >= 0.009 for pause in pauses)
    assert all(pause >= 0.029 for pause in pauses[5:])
    looks.clear()
    await until(look, what="it is there", every=0.001)
    assert looks[-1] - looks[0] < 0.1, "without a slowest it stays as it was"


def test_a_note_is_told_once_a_phase():
    seen = []
    for _ in range(2):
        with watched(Watcher("boot", Events(seen.append))):
            for text in ("one", "one", "two"):
                note(text)
    assert [event.text for event in seen] == ["one", "two", "one", "two"]
