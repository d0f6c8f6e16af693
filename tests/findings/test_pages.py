"""The rules' pages: complete, and the documents are made of them."""

from pathlib import Path

import pytest

from rebirth.errors import SpecError
from rebirth.findings.pages import HEADINGS, documents, page_of, pages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", list(pages()), ids=lambda page: page.slug)
def test_every_rule_says_all_that_a_page_has(page):
    assert page.title
    assert page.slug.upper().startswith(page.id)
    assert tuple(heading for heading, words in page.sections if words) == HEADINGS


def test_ids_are_given_once():
    ids = [page.id for page in pages()]
    assert len(ids) == len(set(ids))


def test_the_documents_are_made_of_the_rules_as_they_are():
    wanted = documents(ROOT / "tests" / "proof" / "rules")
    folder = ROOT / "docs" / "rules"
    found = {file.name: file.read_text() for file in folder.glob("*")}
    assert sorted(found) == sorted(wanted), "`make docs` makes them anew"
    assert [name for name in wanted if found[name] != wanted[name]] == [], "`make docs` makes them anew"


def test_a_page_by_id_and_by_name():
    assert page_of("r13") is not None
    assert page_of("R13") == page_of("r13_depends_on")
    assert page_of("R13").text().startswith("R13: dependsOn that closes a cycle")
    with pytest.raises(SpecError, match="no such rule R20"):
        page_of("R20")
