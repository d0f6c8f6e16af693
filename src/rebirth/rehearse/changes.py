"""What has changed since an earlier rehearsal, of the base of a pull request for instance."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rebirth.diagnosis.cause import label
from rebirth.errors import SpecError
from rebirth.rehearse.result import Rehearsed

_SLOWER = 10.0  # seconds by which a node has to be later to be told


def earlier(file: Path) -> Mapping[str, Any]:
    """The answer (json) of an earlier rehearsal. Raises SpecError."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["version"] == 1 and isinstance(found["nodes"], list):
            return dict(found)
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror}", hint="--compare takes what an earlier run wrote.") from None
    except (ValueError, LookupError, TypeError):
        pass
    raise SpecError(
        f"{file}: is not the answer of a rehearsal", hint="`rebirth rehearse --output json=FILE` writes one."
    )


def changes(before: Mapping[str, Any], done: Rehearsed) -> list[str]:
    """A line each: what no longer comes up, what does now, what is new or gone, what was on paper and is not."""
    was = {str(one["node"]): one["ready"] for one in before["nodes"]}
    now: dict[str, float | None] = {label(key): at for key, at in done.ready.items()}
    now |= {label(key): None for key in done.waiting}
    return [*_nodes(was, now), *_stops(before, done), *_paper(before, done)]


def _nodes(was: Mapping[str, float | None], now: Mapping[str, float | None]) -> Iterator[str]:
    for node in sorted(was.keys() | now.keys()):
        if node not in now:
            yield f"{node} is gone"
        elif node not in was:
            yield f"{node} is new, and {'is not Ready' if (at := now[node]) is None else f'Ready after {at:.1f} s'}"
        elif now[node] is None and was[node] is not None:
            yield f"{node} was Ready, and is not any more"
        elif (at := now[node]) is not None and was[node] is None:
            yield f"{node} was not Ready, and is after {at:.1f} s"
        elif (at := now[node]) is not None and (before := was[node]) is not None and at - before > _SLOWER:
            yield f"{node} is Ready after {at:.1f} s; it was after {before:.1f} s"


def _stops(before: Mapping[str, Any], done: Rehearsed) -> Iterator[str]:
    known = {(one["object"], one["message"]) for one in before.get("stops", ())}
    for stop in done.stops:
        if (label(stop.cause.key), stop.cause.message) not in known:
            yield f"new stop: {stop.message}"


def _paper(before: Mapping[str, Any], done: Rehearsed) -> Iterator[str]:
    was, now = {str(one["what"]) for one in before.get("on_paper", ())}, {one.what for one in done.on_paper}
    yield from (f"on paper now: {what}" for what in sorted(now - was))
    yield from (f"no longer on paper: {what}" for what in sorted(was - now))
