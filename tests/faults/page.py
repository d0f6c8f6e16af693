"""docs/faults.md: the matrix, played, as a document. `python -m faults docs/faults.md` writes it."""

import asyncio
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from faults.cell import AT_ONCE, Cell, Seen, played
from faults.matrix import WHILE, cells
from faults.stage import Destroying, Standing
from rebirth.run.phase import name_of

_HEAD = """# What happens when something goes wrong

Every row was played: a phase, or destroy, is run by the engine against stand-ins of all systems, on virtual time, with one thing wrong. Either it
**goes on** once that is over, or it ends with one message that names system and operation, and with a hint that says what to do. Nothing
waits longer than the patience of its phase ([how it waits](how-it-waits.md)); nothing that a row says holds a secret, no file is left
in part, and the same command, run again when all is well, goes on from there: the test of each row (`tests/faults/test_faults.py`)
holds it to that. `make docs` writes this page out of the same list.

*At once* means within {at_once:g} seconds; *when patience is over*: that of the phase, as castle.yaml has it. "for {while_:g} s" is how long
something lasted; without it, it lasted for good.

{count} faults of {kinds} kinds in {systems} systems, {phases} phases and destroy: {survived} are survived, {ended} end with a message.
"""

_TABLE = """
## {system}

| what goes wrong | while | it | the message | what to do |
|---|---|---|---|---|
"""


def play(cell: Cell, folder: Path) -> Seen:
    """The cell on a virtual clock of its own."""
    with asyncio.Runner(loop_factory=Standing) as runner:
        return runner.run(played(cell, folder))


def rows(found: list[tuple[Cell, Seen]]) -> list[str]:
    """One for each way in which a kind of fault ends, with the phases in which it ends so."""
    groups: dict[tuple[str, str, str], list[tuple[Cell, Seen]]] = defaultdict(list)
    for cell, seen in found:
        groups[cell.fault, seen.when, seen.hint].append((cell, seen))
    return [_row(*key, group) for key, group in groups.items()]


def _row(fault: str, when: str, hint: str, group: list[tuple[Cell, Seen]]) -> str:
    names = [name for _, seen in group for name in steps(seen)]
    phases = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
    message = group[0][1].message
    return f"| {fault} | {phases} | {when} | {_cell(message)} | {_cell(hint)} |"


def steps(seen: Seen) -> list[str]:
    """What ran meanwhile: phases, or destroy."""
    return ["destroy"] if isinstance(seen.stage, Destroying) else [name_of(phase) for phase in seen.stage.phases]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def kinds() -> dict[tuple[str, str], list[Cell]]:
    """The cells of each system and kind of fault: what stands together on the page."""
    found: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in cells():
        found[cell.system, cell.kind].append(cell)
    return dict(found)


def document() -> str:
    found: dict[str, list[str]] = defaultdict(list)
    survived = count = 0
    phases = set[str]()
    for (system, _), group in kinds().items():
        with TemporaryDirectory(prefix="rebirth-faults-") as folder:
            seen = [(cell, play(cell, Path(folder) / str(number))) for number, cell in enumerate(group)]
        found[system] += rows(seen)
        count, survived = count + len(seen), survived + sum(one.survived for _, one in seen)
        phases |= {name for _, one in seen for name in steps(one)}
    head = _HEAD.format(
        at_once=AT_ONCE,
        while_=WHILE,
        count=count,
        kinds=len({kind for _, kind in kinds()}),
        systems=len(found),
        phases=len(phases - {"destroy"}),
        survived=survived,
        ended=count - survived,
    )
    return head + "".join(_TABLE.format(system=system) + "\n".join(lines) + "\n" for system, lines in found.items())
