"""Mistakes of a beginner: each is told, at its line, in words that say what to do. `docs/mistakes.md` is the table of them."""

import asyncio

import pytest

from rehearse.mistakes import MISTAKES
from rehearse.telling_of_mistakes import checked, rehearsed

CHECKED = [mistake for mistake in MISTAKES if mistake.told_by == "check"]
REHEARSED = [mistake for mistake in MISTAKES if mistake.told_by == "rehearse"]


def assert_told(mistake, found, root):
    words = " ".join(told.words for told in found if told.place == mistake.place(root))
    assert words, f"nothing at {mistake.place(root)}: {found}"
    assert [piece for piece in mistake.says if piece not in words] == [], words


def test_there_are_29_and_more_each_with_a_name_of_its_own():
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) == len(CHECKED) + len(REHEARSED) >= 29


def test_of_the_good_repository_nothing_is_said(tmp_path):
    assert asyncio.run(checked(None, tmp_path / "tree")) == []


@pytest.mark.parametrize("mistake", CHECKED, ids=repr)
def test_check_tells_at_the_line_what_to_do(mistake, tmp_path):
    root = tmp_path / "tree"
    assert_told(mistake, asyncio.run(checked(mistake, root)), root)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """One rehearsal of all that only the API server and Flux can tell."""
    return asyncio.run(rehearsed(REHEARSED, tmp_path_factory.mktemp("mistakes") / "all"))


@pytest.mark.lab
@pytest.mark.parametrize("mistake", REHEARSED, ids=repr)
def test_rehearse_tells_at_the_line_what_to_do(mistake, seen, tmp_path):
    asyncio.run(checked(mistake, tmp_path / "tree"))
    assert_told(mistake, seen[mistake.name], tmp_path / "tree")


@pytest.mark.lab
def test_rehearse_tells_nothing_else(seen):
    assert {name: len(told) for name, told in seen.items()} == {"": 0} | {mistake.name: 1 for mistake in REHEARSED}
