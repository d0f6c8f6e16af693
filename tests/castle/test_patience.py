"""How long phases may take, as castle.yaml says it."""

import pytest

from rebirth.castle.patience import names
from rebirth.phases import BOOTSTRAP, PHASES
from rebirth.run.create import sections


def test_what_may_be_named_are_the_phases():
    assert names() == {phase.name for phase in PHASES}


def test_a_phase_has_the_patience_that_castle_yaml_says_and_the_others_their_own(draft):
    draft["patience"] = {"converge": "1h30m", "upload_image": 2400}
    own = {phase.name: phase.patience for phase in BOOTSTRAP.of(sections(draft.load())).phases}
    usual = {phase.name: phase.patience for phase in PHASES if phase.name in own}
    assert own == usual | {"converge": 5400.0, "upload_image": 2400.0}


@pytest.mark.parametrize(
    ("patience", "path", "said"),
    [
        ({"convrge": "40m"}, "patience.convrge", "no such phase; did you mean converge?"),
        ({"nothing at all": "40m"}, "patience.nothing at all", "no such phase"),
        ({"converge": "40 minutes"}, "patience.converge", "seconds, or a duration such as 40m"),
        ({"converge": 0}, "patience.converge", "seconds, or a duration"),
        ({"converge": True}, "patience.converge", "seconds, or a duration"),
        ({"converge": "9999h"}, "patience.converge", "at most a week"),
        ({"converge": ".inf"}, "patience.converge", "seconds, or a duration"),
    ],
)
def test_what_is_no_patience(draft, patience, path, said):
    draft["patience"] = patience
    (problem,) = draft.refused()
    assert problem.path == path
    assert said in problem.message
    assert problem.line > 1
