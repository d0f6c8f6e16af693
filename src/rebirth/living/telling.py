"""What is not Ready in a cluster, in text and as data."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rebirth.diagnosis.cause import label
from rebirth.diagnosis.roots import Held, Word
from rebirth.findings.data import place_data
from rebirth.living.diagnosed import Diagnosed, Told

_VERDICTS = {Word.BROKEN: "broken", Word.WAITS: "not Ready yet"}
_MOST = 16  # lines of a tree that is not asked for in full
_SHOWN = (
    "Node",
    "Kustomization",
    "HelmRelease",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ExternalSecret",
    "Certificate",
)


def text(found: Diagnosed, *, width: int = 100, verbose: bool = False) -> str:
    """For a person: each root with what it holds up, what is broken first; the verdict last."""
    lines: list[str] = []
    for one in found.told:
        lines += [*_told(one, found, width, verbose=verbose), ""]
    if found.unread:
        lines += [*_wrapped(f"not looked at: {', '.join(found.unread)}", width), ""]
    return "\n".join([*lines, *_wrapped(verdict(found), width)]) + "\n"


def verdict(found: Diagnosed) -> str:
    """One sentence."""
    if not found.told:
        counted = [_number(found.kinds[kind], kind) for kind in _SHOWN if found.kinds.get(kind)]
        return f"All is Ready in {found.context}: {', '.join(counted) or 'nothing is there'}"
    words = Counter(one.root.word for one in found.told)
    counted = [f"{words[word]} {_VERDICTS[word]}" for word in Word if words[word]]
    held = len({key for one in found.told for key in one.root.held()})
    waits = f"; {_number(held, 'object')} wait{'s' * (held == 1)} for that" if held else ""
    return f"Not Ready in {found.context}: {', '.join(counted)}{waits}"


def as_json(found: Diagnosed) -> str:
    """For programs."""
    return json.dumps(data(found), indent=2, ensure_ascii=False) + "\n"


def data(found: Diagnosed) -> dict[str, Any]:
    return {
        "version": 1,
        "ready": not found.told,
        "context": found.context,
        "roots": [
            {
                "object": label(one.root.cause.key),
                "message": one.root.cause.message,
                "word": one.root.word.value,
                "outlook": one.root.cause.outlook.value,
                "seconds": None if one.root.seconds is None else round(one.root.seconds),
                "hint": one.hint,
                **place_data(one.place, found.places),
                "holds_up": [_held_data(held) for held in one.root.holds],
            }
            for one in found.told
        ],
        "objects": dict(found.kinds),
        "unread": [*found.unread],
    }


def _held_data(held: Held) -> dict[str, Any]:
    return {"object": label(held.key), "holds_up": [_held_data(one) for one in held.holds]}


def _told(one: Told, found: Diagnosed, width: int, *, verbose: bool) -> Iterator[str]:
    root = one.root
    yield from _wrapped(f"{root.word.value}: {root.cause}", width)
    if where := found.places.text(one.place):
        yield f"  at {where}"
    if root.seconds is not None:
        yield f"  for {_duration(root.seconds)}"
    if one.hint:
        yield from _wrapped(f"  hint: {one.hint}", width)
    if root.holds:
        yield "  holds up"
        drawn = [*_tree(root.holds, "  ")]
        shown = drawn if verbose or len(drawn) <= _MOST + 1 else drawn[:_MOST]
        yield from shown
        if len(shown) < len(drawn):
            yield f"  and {len(drawn) - len(shown)} more (-v shows them)"


def _tree(held: Sequence[Held], margin: str) -> Iterator[str]:
    for number, one in enumerate(held, 1):
        last = number == len(held)
        yield f"{margin}{'└─' if last else '├─'} {label(one.key)}"
        yield from _tree(one.holds, f"{margin}{'   ' if last else '│  '}")


def _duration(seconds: float) -> str:
    """Such as 40 s, 12 min, 5 h, 3 d."""
    for most, unit, size in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < most:
            return f"{max(seconds, 0) / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _wrapped(words: str, width: int) -> list[str]:
    margin = " " * (len(words) - len(words.lstrip()) + 2)
    return textwrap.wrap(words, width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False)
