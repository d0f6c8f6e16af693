"""What the proof says of objects, beside what a real API server answers: mistakes that are derived from the objects of validated.yaml.

bench/refused.py asks of all of them, and prints the table of docs/figures.md.
"""

import asyncio

import pytest

from rebirth.proof.validation import CHECKS
from rehearse.asked_of_api import ITEMS, answers, errors, told
from rehearse.derived import Case, cases

SEED, MOST = 1, 12  # of each object, for a test that takes half a minute


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> list[tuple[Case, str]]:
    made = cases(ITEMS, SEED, MOST)
    said = asyncio.run(answers([*ITEMS, *(case.item for case in made)], tmp_path_factory.mktemp("validation")))
    assert said[: len(ITEMS)] == ["" for _ in ITEMS]
    return [*zip(made, said[len(ITEMS) :], strict=True)]


def test_of_the_objects_as_they_are_nothing_is_said():
    assert [told(item) for item in ITEMS] == [[] for _ in ITEMS]


def test_every_kind_that_is_looked_at_is_among_them():
    looked = {(item["apiVersion"], item["kind"]) for item in ITEMS}
    assert set(CHECKS) - looked == {("autoscaling/v1", "HorizontalPodAutoscaler")}


@pytest.mark.lab
def test_nothing_is_refused_that_the_api_server_takes(asked):
    called = {f"{case.kind} {case.words}": errors(case.item) for case, said in asked if not said}
    assert {case: words for case, words in called.items() if words} == {}


@pytest.mark.lab
def test_nine_of_ten_that_it_refuses_are_told(asked):
    wrong = [case for case, said in asked if said]
    missed = [f"{case.kind} {case.words}" for case in wrong if not told(case.item)]
    assert len(missed) < len(wrong) / 10, missed
