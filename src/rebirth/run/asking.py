"""destroy, as a person meets it: what is there, the question, the removal, the proof."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from rebirth.castle import Castle
from rebirth.errors import Broken, SpecError
from rebirth.events import Events
from rebirth.paths import Paths
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.destroy import Destruction, Found
from rebirth.run.engine import Outcome
from rebirth.run.journal import Journal
from rebirth.secrets import Redaction


def look(
    bootstrap: Bootstrap,
    castle: Castle,
    paths: Paths,
    events: Events,
    redaction: Redaction,
    *,
    budget: float | None = None,
) -> Found:
    """What destroy would find. Nothing is written anywhere, and no lock is taken."""
    glimpse = Journal(paths.state).glimpse()
    return asyncio.run(Destruction(bootstrap, castle, paths, glimpse, events, redaction, budget=budget).look())


def destroy(
    bootstrap: Bootstrap,
    castle: Castle,
    paths: Paths,
    events: Events,
    redaction: Redaction,
    say: Callable[[str], None],
    *,
    yes: bool,
    budget: float | None = None,
    run: Callable[[Coroutine[Any, Any, Found]], Found] = asyncio.run,
) -> Outcome:
    """Lists what is there, asks, removes it, and looks again; `say` takes one line for the operator; `run` is
    asyncio.run, or what ends on signals, too.

    Raises SpecError where there is nobody to ask, Broken where the answer is no.
    """
    asking = not yes and asks("destroy", paths)
    with Journal(paths.state, "destroy", lenient=True) as journal:
        destruction = Destruction(bootstrap, castle, paths, journal, events, redaction, budget=budget)
        found = run(destruction.look())
        for line in listed(found, paths):
            say(line)
        if not found.outcome.ok:
            say("nothing was removed, because not everything could be checked; run the same command again")
            return _failures(found)
        if found.goes and asking and not agreed(castle, paths):
            raise Broken("the answer was no; nothing was removed")
        left = run(destruction.remove(found))
        if not left.outcome.ok:
            say("something is left; run the same command again to resume")
            return _failures(left)
        for line in _proof(destruction, left, found):
            say(line)
        return left.outcome


def listed(found: Found, paths: Paths) -> Iterator[str]:
    """What goes and what stays, line by line."""
    if found.goes:
        yield f"will be removed, in the lab {paths.lab}:" if paths.lab else "will be removed, from the real systems:"
        yield from (f"  {one}" for one in found.goes)
    elif found.outcome.ok:
        yield "there is nothing to remove"
    if found.stays:
        yield "will stay:"
        yield from (f"  {one}: {one.stays}" for one in found.stays)


def _proof(destruction: Destruction, left: Found, found: Found) -> Iterator[str]:
    """Each thing that was there and is not any more, looked for again; then all that was looked for."""
    if found.goes:
        yield "gone, looked for again:"
        yield from (f"  {one}" for one in found.goes)
    yield "checked again for:"
    yield from (f"  {title}" for title in destruction.titles)
    # What nobody could attribute to the castle before its cluster was gone is still there.
    stays = dict.fromkeys([*left.stays, *found.stays])
    yield "nothing is left" + (", except:" if stays else "")
    yield from (f"  {one}: {one.stays}" for one in stays)


def _failures(found: Found) -> Outcome:
    """Without what could not start: that stands in no order that an operator knows."""
    return Outcome(failures=found.outcome.failures)


def asks(command: str, paths: Paths) -> bool:
    """Whether there is somebody to ask. Raises SpecError where nobody is, and real machines are at stake."""
    if sys.stdin.isatty():
        return True
    if paths.lab:
        return False
    hint = "`--yes` answers it in advance; `rebirth destroy --dry-run` lists what would be removed."
    raise SpecError(f"{command} asks before it removes anything, and standard input is not a terminal", hint=hint)


def agreed(castle: Castle, paths: Paths) -> bool:
    """Real machines go for who types the castle's name; in a lab, y is enough."""
    question = "Remove all of this? [y/N] " if paths.lab else f"Type {castle.name} to remove all of this for good: "
    try:
        answer = input(question).strip()
    except EOFError:
        return False
    return answer.lower() in {"y", "yes"} if paths.lab else answer == castle.name
