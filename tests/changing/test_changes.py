"""Every change: plan says beforehand what create then does, and status is true afterwards. docs/changes.md is what came out."""

import pytest

from changing.cases import ALL, Case
from changing.page import PAGE, Row, row, told

CASES = [pytest.param(case, id=case.name) for cases in ALL.values() for case in cases]


@pytest.mark.parametrize("case", CASES)
def test_a_change(case: Case):
    found: Row = row(case)
    assert found.said == case.hows, found.cells[1]
    assert found.exit_code == case.exit_code, found.cells
    assert found.kept_its_word, found.cells
    assert found.status_is_true, found.cells
    assert found.shows, found.cells
    assert told(PAGE)[case.name] == str(found), "python -m changing.page docs/changes.md makes it anew"


def test_the_page_has_every_change_and_no_other():
    assert [name for name in told(PAGE) if name != "change"] == [case.name for cases in ALL.values() for case in cases]
