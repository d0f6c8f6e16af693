"""Mistakes of a beginner: each is told, at its line, in words that say what to do. `docs/mistakes.md` is the table of them."""

import asyncio

import pytest

from rebirth.findings.places import Places
from rebirth.proof.prove import prove
from rebirth.proof.rules import Severity
from rehearse.mistakes import MISTAKES, lay

CHECKED = [mistake for mistake in MISTAKES if mistake.told_by == "check"]


def test_there_are_29_and_each_has_a_name_of_its_own():
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 29


def test_of_the_good_repository_nothing_is_said(tmp_path):
    found = asyncio.run(prove(lay(tmp_path / "tree"))).findings
    assert [finding.message for finding in found if finding.severity is not Severity.INFO] == []


@pytest.mark.parametrize("mistake", CHECKED, ids=repr)
def test_check_tells_at_the_line_what_to_do(mistake, tmp_path):
    root = lay(tmp_path / "tree")
    mistake.apply(root)
    found, places = asyncio.run(prove(root)).findings, Places(asked=root, here=root)
    told = {
        (places.file(finding.place), places.line(finding.place)): f"{finding.message}. {finding.why} {finding.instead}"
        for finding in reversed(found)
        if finding.severity is not Severity.INFO
    }
    words = told.get(mistake.place(root), "")
    assert words, f"nothing at {mistake.place(root)}: {told}"
    assert [piece for piece in mistake.says if piece not in words] == [], words
