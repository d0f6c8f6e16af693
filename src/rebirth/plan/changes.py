"""What create would do to a castle that lives, for people and for programs."""

import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from rebirth.castle.load import FILE, line_of
from rebirth.run.change import Change, How
from rebirth.run.foresee import Outlook


def render(outlook: Outlook, directory: Path, *, castle: str, width: int) -> str:
    """One part for each thing that becomes of a change, and what cannot be told."""
    lines = [f"what `rebirth create` would do to the living castle {castle}:"]
    for how in How:
        if changes := outlook.of(how):
            lines += [f"  {how}:", *listed(changes, directory, width, "    ")]
    if outlook.unknown:
        lines.append("  cannot be told:")
        for why in dict.fromkeys(outlook.unknown.values()):
            steps = ", ".join(step for step, said in outlook.unknown.items() if said == why)
            lines += _folded(f"{steps}: {why}", width, "    ")
    if len(lines) == 1:
        lines = [f"the living castle {castle} is as castle.yaml says: `rebirth create` would change nothing"]
    return "\n".join(lines) + "\n"


def listed(changes: Iterable[Change], directory: Path, width: int, margin: str = "") -> Iterator[str]:
    """Each with where castle.yaml says it."""
    for change in changes:
        yield from _folded(str(change), width, margin)
        if change.setting:
            yield f"{margin}  at {place(change, directory)} {change.setting}"


def place(change: Change, directory: Path) -> str:
    line = line_of(directory, change.setting)
    return f"{FILE}:{line}" if line else FILE


def data(outlook: Outlook, directory: Path) -> dict[str, object]:
    """For programs."""
    return {
        "changes": [
            {"step": phase, "what": change.what, "how": change.how.value, "why": change.why}
            | {"setting": change.setting, "file": FILE, "line": line_of(directory, change.setting)}
            for phase, changes in outlook.changes.items()
            for change in changes
        ],
        "unknown": [{"step": phase, "why": why} for phase, why in outlook.unknown.items()],
    }


def _folded(words: str, width: int, margin: str) -> list[str]:
    return textwrap.wrap(
        words,
        max(width, 40),
        initial_indent=margin,
        subsequent_indent=margin + "  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
