"""What a rehearsal has seen, in text and as data."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rebirth.diagnosis.root_cause import Outlook, label
from rebirth.diagnosis.wanted import Key
from rebirth.findings.data import place_data
from rebirth.findings.places import Places
from rebirth.rehearse.disagreements import Disagreement
from rebirth.rehearse.result import Dropped, OnPaper, Rehearsed, Stop

_MOST = 8  # of a list that is not asked for in full
_MIB = 2**20
DROPPED = (
    "Flux leaves this field out without a word, so it has no effect. It is misspelt, or indented into the wrong block."
)


def text(done: Rehearsed, places: Places, *, width: int, verbose: bool, against: Sequence[Disagreement] | None) -> str:
    """For a person: what did not come up, the root of it first; what was on paper; the verdict last."""
    lines: list[str] = []
    for stop in done.stops:
        lines += [*_stop(stop, places, width), ""]
    for left_out in done.dropped:
        lines += [*_dropped(left_out, places, width), ""]
    lines += _listed("Ran on paper, not for real:", [_paper(one) for one in done.on_paper], width, verbose=verbose)
    lines += _listed("Not there (`rebirth fetch` brings what can be had):", done.missing, width, verbose=verbose)
    lines += _listed("Taken as there, since nothing in the repository makes it:", done.given, width, verbose=verbose)
    lines += _listed("Not taken by the API server before Flux began:", done.refused, width, verbose=verbose)
    if done.suspended:
        lines += _listed("Suspended, so not rehearsed:", [label(key) for key in done.suspended], width, verbose=verbose)
    for one in against or ():
        lines += [
            *_wrapped(f"disagreement: {one.words}", width),
            *([f"  at {where}"] if (where := places.text(one.place)) else []),
        ]
    if against is not None:
        lines += [f"{len(against)} disagreement{'s' * (len(against) != 1)} with `rebirth check`", ""]
    return "\n".join([*lines, *_wrapped(verdict(done), width)]) + "\n"


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
    return ", ".join(f"{count} {kind}{'s' * (count != 1)}" for kind, count in sorted(counts.items(), reverse=True))


def data(done: Rehearsed, places: Places, against: Sequence[Disagreement] | None) -> dict[str, Any]:
    """For programs."""
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
        **(
            {}
            if against is None
            else {"disagreements": [{"words": one.words, **place_data(one.place, places)} for one in against]}
        ),
    }


def _stop(stop: Stop, places: Places, width: int) -> Iterator[str]:
    word = "error" if stop.cause.outlook is Outlook.FINAL else "waits"
    yield from _wrapped(f"{word}: {stop.message}", width)
    if where := places.text(stop.place):
        yield f"  at {where}"
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
