"""The version that a stand-in has, so that Flux takes it for what a release asks for."""

import re

from rebirth.store.versions import Constraint, Version

LOWEST = "0.0.0"  # where any version will do
_NUMBERS = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?")


def fitting(constraint: str) -> str:
    """The version itself where one is named, else the lowest that the range allows.

    What is neither version nor range gets some version: Flux says what is wrong with it.
    """
    if (exact := Version.parse(constraint)) and constraint.count(".") >= 2:
        return exact.written
    try:
        allowed = Constraint(constraint)
    except ValueError:
        return LOWEST
    versions = [found for text in _candidates(constraint) if (found := Version.parse(text))]
    return min((found for found in versions if allowed.allows(found)), default=Version(LOWEST, ())).written


def _candidates(constraint: str) -> set[str]:
    """What can be lowest in a range begins at one of its numbers, or right after it."""
    found = {LOWEST, "0.0.1", "0.1.0", "1.0.0"}
    for major, minor, patch, pre in _NUMBERS.findall(constraint):
        x, y, z = (int(number or 0) for number in (major, minor, patch))
        found |= {f"{x}.{y}.{z}{pre}", f"{x}.{y}.{z}", f"{x}.{y}.{z + 1}", f"{x}.{y + 1}.0", f"{x + 1}.0.0"}
    return found
