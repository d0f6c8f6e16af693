"""Each cell of the fault matrix: survived, or ended by one message with a remedy; and docs/faults.md says of each what happens."""

from pathlib import Path

import pytest

from faults.cell import complaints
from faults.page import kinds, play, rows

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
KINDS = kinds()


@pytest.mark.parametrize("cells", KINDS.values(), ids=[f"{system}: {kind}" for system, kind in KINDS])
def test_survived_or_said(cells, tmp_path):
    seen = [(cell, play(cell, tmp_path / str(number))) for number, cell in enumerate(cells)]
    assert {str(cell): wrong for cell, one in seen if (wrong := complaints(cell, one))} == {}
    assert [row for row in rows(seen) if row not in PAGE] == [], "`make docs` writes the page anew"


def test_the_page_has_nothing_else():
    told = {tuple(line.split(" | ")[:1]) for line in PAGE if line.startswith("| ") and "what goes wrong" not in line}
    assert told == {(f"| {cell.fault}",) for cells in KINDS.values() for cell in cells}


def test_every_cell_is_there_once():
    names = [str(cell) for cells in KINDS.values() for cell in cells]
    assert len(set(names)) == len(names)


def test_there_are_enough_kinds_of_faults():
    assert len({kind for _, kind in KINDS}) >= 60
