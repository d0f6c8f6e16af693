"""`patience`: how long a step may take before `rebirth create` gives up on it."""

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated

from pydantic import AfterValidator, Field

from rebirth.castle.model import Duration, Section

_OTHERS = {"connections"}  # in that folder, and no phase


@cache
def names() -> frozenset[str]:
    """Of the phases: one file each, with its name. (They take sections of the castle, and are not imported here.)"""
    folder = Path(__file__).parents[1] / "phases"
    return frozenset(found.name for found in iter_modules([str(folder)]) if not found.ispkg) - _OTHERS


def _phase(name: str) -> str:
    if name not in names():
        near = get_close_matches(name, sorted(names()), 1)
        raise ValueError("no such phase" + (f"; did you mean {near[0]}?" if near else ""))
    return name


PhaseName = Annotated[str, AfterValidator(_phase), Field(json_schema_extra={"enum": sorted(names())})]
Patiences = dict[PhaseName, Duration]  # phase -> seconds


class Patience(Section):
    """The durations as a section of its own."""

    patience: Patiences = {}
