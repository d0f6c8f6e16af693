"""What adds itself to the command line: the lab, and the rehearsal, of which nothing else in the product knows.

A distribution names a module in `[project.entry-points."rebirth.commands"]`; the commands of its `app` become the product's:
in a group where the app has a name.
"""

from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

from rebirth.errors import SpecError


@cache
def commands() -> dict[str, ModuleType]:
    """The modules that add commands, by name."""
    return {entry.name: entry.load() for entry in entry_points(group="rebirth.commands")}


def lab() -> ModuleType:
    """The module behind `--lab`. Raises SpecError where none is installed."""
    try:
        return commands()["lab"]
    except KeyError:
        hint = "The lab needs a checkout of the source: see its README."
        raise SpecError("--lab: this installation has no lab", hint=hint) from None
