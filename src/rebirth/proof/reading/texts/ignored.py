"""What a Flux source leaves out of its artifact: `.sourceignore` files, and the `ignore` of the source, in the form of .gitignore.

As go-git matches them, one path at a time (fluxcd/pkg sourceignore): the last rule that fits a file or a folder above it decides, so what lies
in a folder that is left out may come back.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rebirth.proof.things import Place

NAME = ".sourceignore"


class Rule(NamedTuple):
    """One line: which paths below its folder it fits, and whether these are left out or taken back."""

    folder: str  # "" is the top
    fits: "re.Pattern[str]"
    begins: str  # the path up to the first wildcard, of a pattern that is tied to its folder
    takes_back: bool
    place: Place


def rules(text: str, folder: str, place: Place, *, by_line: bool = False) -> list[Rule]:
    """The rules of a text that stands in that folder; `by_line`: it is a file of its own, whose lines are told."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        written = line.rstrip()
        if not written or written.startswith("#"):
            continue
        back = written.startswith("!")
        pattern = written.removeprefix("!").removeprefix("\\")
        only_folders, pattern = pattern.endswith("/"), pattern.rstrip("/")
        tied = "/" in pattern
        pattern = pattern.lstrip("/")
        if pattern:
            head = "" if tied else "(?:.*/)?"
            tail = "/" if only_folders else "(?:/|$)"
            where = place._replace(line=number) if by_line else place
            begins = re.split(r"[*?\[]", pattern)[0] if tied else ""
            found.append(Rule(folder, re.compile(head + _expression(pattern) + tail), begins, back, where))
    return found


def _expression(pattern: str) -> str:
    pieces = []
    parts = pattern.split("/")
    for number, part in enumerate(parts, 1):
        if part == "**":
            pieces.append("(?:.*/)?" if number < len(parts) else ".+")
            continue
        text = re.sub(r"\\\*", "[^/]*", re.sub(r"\\\?", "[^/]", re.escape(part)))
        pieces.append(re.sub(r"\\\[(.+?)\\\]", lambda match: f"[{match[1].replace(chr(92), '')}]", text) + "/")
    return "".join(pieces).removesuffix("/")


def left_out(path: str, listed: Sequence[Rule]) -> Place | None:
    """The line that leaves a file out, by its path below the top; None where it is taken."""
    for rule in reversed(listed):
        inside = _below(path, rule.folder)
        if inside is not None and rule.fits.match(inside):
            return None if rule.takes_back else rule.place
    return None


def emptied(path: str, listed: Sequence[Rule]) -> Place | None:
    """The line that leaves out all that a folder may hold; None where something in it is, or may be, taken back."""
    for rule in reversed(listed):
        inside = _below(f"{path}/", rule.folder)
        if inside is None:
            continue
        if rule.fits.match(inside):
            return None if rule.takes_back else rule.place
        if rule.takes_back and (not rule.begins or rule.begins.startswith(inside)):
            return None
    return None


def _below(path: str, folder: str) -> str | None:
    return path if not folder else path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None
