"""Every tree of the corpus gets the right answer: what has to be said is said, on the right line, and nothing else."""

import pytest

from corpus.every import CASES


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.xfail(reason=case.owed, strict=True)] if case.owed else [])
        for case in CASES
    ],
    ids=lambda case: case.name.replace(" ", "-"),
)
def test_the_answer_is_right(case, tmp_path):
    assert not case.wrong(tmp_path)


def test_names_are_one_each_and_every_kind_has_both():
    assert len({case.name for case in CASES}) == len(CASES)
    for kind in {case.kind for case in CASES}:
        of_kind = [case for case in CASES if case.kind == kind]
        assert len(of_kind) > 1, kind
