"""destroy, as a person meets it: what is there, the question, the removal, the proof."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from rebirth.console import Steps, show_error
from rebirth.destroy import Destruction, Found
from rebirth.errors import SpecError
from rebirth.events import Events
from rebirth.journal import Journal
from rebirth.place import Place, place_of
from rebirth.secrets import Redaction
from rebirth.session import Session, session
from rebirth.spec import Castle, load


def destroy(directory: Path, *, yes: bool) -> None:
    """Lists what is there, asks, removes it, and looks again. Ends the process where something is left."""
    with session(directory, "destroy", "text") as s:
        asks = not yes and _asks(s.place)
        with Journal(s.place.state) as journal:
            destruction = Destruction(s.castle, s.place, journal, s.events, s.redaction)
            found = asyncio.run(destruction.look())
            _say(s, _listed(found, s.place))
            if not found.outcome.ok:
                _end(
                    s,
                    found,
                    "nothing was removed, because not everything could be looked at; run the same command again",
                )
            if found.goes and asks and not _agreed(s.castle, s.place):
                s.say("nothing was removed")
                sys.exit(1)
            left = asyncio.run(destruction.remove(found))
            if not left.outcome.ok:
                _end(s, left, "not all of it is gone; run the same command again to go on")
            _say(s, _proof(destruction, left, found))


def dry_run(directory: Path, *, as_json: bool) -> int:
    """Prints what destroy would remove, and returns the exit code. Nothing is written anywhere, no log either."""
    castle, redaction = load(directory), Redaction()
    place = place_of(directory, castle.secrets)
    events = Events(Steps(redaction, sys.stderr))
    destruction = Destruction(castle, place, Journal(place.state).glimpse(), events, redaction)
    found = asyncio.run(destruction.look())
    if as_json:
        fields = ("kind", "name", "identity", "stays")
        items = [{name: redaction.redact(getattr(one, name)) for name in fields} for one in found.made]
        print(json.dumps(items, indent=2))
    else:
        for line in _listed(found, place):
            print(redaction.redact(line))
    for error in found.outcome.failures.values():
        show_error(error, redaction)
    return 0 if found.outcome.ok else 1


def _listed(found: Found, place: Place) -> Iterator[str]:
    if found.goes:
        yield f"will be removed, in the lab {place.lab}:" if place.lab else "will be removed, from the real systems:"
        yield from (f"  {one}" for one in found.goes)
    elif found.outcome.ok:
        yield "nothing is there to be removed"
    if found.stays:
        yield "will stay:"
        yield from (f"  {one}: {one.stays}" for one in found.stays)


def _proof(destruction: Destruction, left: Found, found: Found) -> Iterator[str]:
    yield "looked again for:"
    yield from (f"  {title}" for title in destruction.titles)
    # What nobody could attribute to the castle before its cluster was gone is still there.
    stays = dict.fromkeys([*left.stays, *found.stays])
    yield "nothing of it is left" + (", except:" if stays else "")
    yield from (f"  {one}: {one.stays}" for one in stays)


def _asks(place: Place) -> bool:
    """Whether there is somebody to ask. Raises SpecError where nobody is, and real machines are at stake."""
    if sys.stdin.isatty():
        return True
    if place.lab:
        return False
    hint = "`--yes` answers it beforehand; `--dry-run` lists what would be removed."
    raise SpecError("destroy asks before it removes anything, and standard input is no terminal", hint=hint)


def _agreed(castle: Castle, place: Place) -> bool:
    """Real machines go for who types the castle's name; in a lab, y is enough."""
    question = "Remove all of this? [y/N] " if place.lab else f"Type {castle.name} to remove all of this for good: "
    try:
        answer = input(question).strip()
    except EOFError:
        return False
    return answer.lower() in {"y", "yes"} if place.lab else answer == castle.name


def _say(s: Session, lines: Iterator[str]) -> None:
    for line in lines:
        s.say(line)


def _end(s: Session, found: Found, words: str) -> None:
    s.say(words)
    found.outcome.skipped.clear()  # what could not start stands in no order that an operator knows
    s.finish(found.outcome)
