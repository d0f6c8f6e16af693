"""What a rehearsal has seen, in text and as data."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rebirth.diagnosis.cause import Outlook, label
from rebirth.diagnosis.wanted import Key
from rebirth.findings.data import place_data
from rebirth.findings.places import Places
from rebirth.proof.things import Place
from rebirth.rehearse.result import Disagreement, Dropped, OnPaper, Rehearsed, Stop, Told

_MOST = 8  # of a list that is not asked for in full
_MIB = 2**20
DROPPED = (
    "Flux leaves this field out without a word, so it has no effect. It is misspelt, or indented into the wrong block."
)


def text(told: Told) -> str:
    """For a person: what did not come up, the root of it first; what was on paper; the verdict last."""
    done, places, width = told.done, told.places, told.width
    lines: list[str] = []
    for stop in done.stops:
        lines += [*_stop(stop, places, width), ""]
    for left_out in done.dropped:
        lines += [*_dropped(left_out, places, width), ""]
    lists: dict[str, Sequence[str]] = {
        "Ran on paper, not for real:": _grouped(map(_paper, done.on_paper)),
        "Not there (`rebirth fetch` brings what can be had):": done.missing,
        "Taken as there, since nothing in the repository makes it:": done.given,
        "Not taken by the API server before Flux began:": done.refused,
        "Suspended, so not rehearsed:": [label(key) for key in done.suspended],
    }
    for title, entries in lists.items():
        lines += _listed(title, entries, width, verbose=told.verbose)
    for one in told.disagreements or ():
        lines += [*_wrapped(f"disagreement: {one.words}", width), *_at(one.place, places)]
    if told.disagreements is not None:
        lines += [f"{_number(len(told.disagreements), 'disagreement')} with `rebirth check`", ""]
    if told.changes is not None:
        title = "Changed since then:" if told.changes else "Nothing has changed since then."
        lines += [title, *(line for one in told.changes for line in _wrapped(f"  {one}", width)), ""]
    return "\n".join([*lines, *_wrapped(verdict(done), width)]) + "\n"


def _grouped(entries: Iterable[str]) -> list[str]:
    """Each once, with how often it is there."""
    return [f"{entry}, {count} times" if count > 1 else entry for entry, count in Counter(entries).items()]


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _at(place: Place, places: Places) -> list[str]:
    return [f"  at {where}"] if (where := places.text(place)) else []


def verdict(done: Rehearsed) -> str:
    """One sentence."""
    figures = f"{done.seconds:.1f} s, {done.memory / _MIB:.0f} MiB"
    if done.came_up:
        last = max(done.ready.values(), default=0.0)
        return f"Ready after {last:.1f} s: {_counted(done.ready)} ({figures} in all)"
    return f"Not Ready: {_counted(done.waiting)}; Ready: {_counted(done.ready) or 'nothing'} ({figures} in all)"


def _counted(nodes: Iterable[Key]) -> str:
    """Such as 2 Kustomizations, 1 HelmRelease."""
    counts = Counter(kind for kind, _, _ in nodes)
    return ", ".join(_number(count, kind) for kind, count in sorted(counts.items(), reverse=True))


def data(told: Told) -> dict[str, Any]:
    """For programs."""
    done, places, against = told.done, told.places, told.disagreements
    return {
        "version": 1,
        "ready": done.came_up,
        "cluster": done.cluster,
        "seconds": round(done.seconds, 1),
        "memory": done.memory,
        "nodes": [{"node": label(key), "ready": round(at, 1)} for key, at in done.ready.items()]
        + [{"node": label(key), "ready": None} for key in done.waiting],
        "stops": [
            {
                "object": label(stop.cause.key),
                "message": stop.cause.message,
                "outlook": stop.cause.outlook.value,
                "hint": stop.hint,
                "holds_up": [label(key) for key in stop.holds_up],
                **place_data(stop.place, places),
            }
            for stop in done.stops
        ],
        "dropped": [
            {"object": label(one.key), "message": one.message, **place_data(one.place, places)} for one in done.dropped
        ],
        "on_paper": [{"what": one.what, "why": one.why} for one in done.on_paper],
        "missing": [*done.missing],
        "taken": [*done.given],
        "refused": [*done.refused],
        "suspended": [label(key) for key in done.suspended],
        **({} if against is None else {"disagreements": [_disagreement(one, places) for one in against]}),
        **({} if told.changes is None else {"changes": [*told.changes]}),
    }


def _disagreement(one: Disagreement, places: Places) -> dict[str, Any]:
    return {"words": one.words, **place_data(one.place, places)}


def _stop(stop: Stop, places: Places, width: int) -> Iterator[str]:
    word = "error" if stop.cause.outlook is Outlook.FINAL else "waits"
    yield from _wrapped(f"{word}: {stop.message}", width)
    yield from _at(stop.place, places)
    if stop.hint:
        yield from _wrapped(f"  hint: {stop.hint}", width)
    held = [label(key) for key in stop.holds_up if key != stop.cause.key]
    if held:
        more = f" and {len(held) - _MOST} more" if len(held) > _MOST else ""
        yield from _wrapped(f"  holds up {', '.join(held[:_MOST])}{more}", width)


def _dropped(one: Dropped, places: Places, width: int) -> Iterator[str]:
    yield from _wrapped(f"warning: {label(one.key)}: {one.message}", width)
    if where := places.text(one.place):
        yield f"  at {where}"
    yield from _wrapped(f"  hint: {DROPPED}", width)


def _paper(one: OnPaper) -> str:
    return f"{one.what} ({one.why})" if one.why else one.what


def _listed(title: str, entries: Sequence[str], width: int, *, verbose: bool) -> list[str]:
    if not entries:
        return []
    shown = entries if verbose else entries[:_MOST]
    lines = [title, *(line for entry in shown for line in _wrapped(f"  {entry}", width))]
    if len(shown) < len(entries):
        lines.append(f"  and {len(entries) - len(shown)} more (-v shows them)")
    return [*lines, ""]


def _wrapped(words: str, width: int) -> list[str]:
    margin = " " * (len(words) - len(words.lstrip()) + 2)
    return textwrap.wrap(words, width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False)
