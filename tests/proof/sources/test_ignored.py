"""What a Flux source leaves out, by the rules of .gitignore as go-git takes them."""

import pytest

from rebirth.proof.reading.texts.ignored import emptied, left_out, rules
from rebirth.proof.things import Place

HERE = Place(".sourceignore", 1)


def read(text, folder=""):
    return rules(text, folder, HERE, by_line=True)


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("*.md", "README.md", 1),
        ("*.md", "docs/README.md", 1),
        ("*.md", "README.mdx", 0),
        ("# nothing\n\n/docs", "docs/a.yaml", 3),
        ("/docs", "apps/docs/a.yaml", 0),
        ("docs/", "apps/docs/a.yaml", 1),
        ("docs/", "apps/docs", 0),
        ("/*\n!/apps", "apps/a.yaml", 0),
        ("/*\n!/apps", "infra/a.yaml", 1),
        ("!/apps\n/*", "apps/a.yaml", 2),
        ("**/test/**", "apps/test/a.yaml", 1),
        ("apps/**/old", "apps/a/b/old/x.yaml", 1),
        ("file[ab].yaml", "x/filea.yaml", 1),
        ("file[ab].yaml", "x/filec.yaml", 0),
        ("a?c", "abc", 1),
        (r"\#a", "#a", 1),
    ],
)
def test_the_last_rule_that_fits_decides(text, path, line):
    found = left_out(path, read(text))
    assert (found.line if found else 0) == line


def test_a_file_speaks_of_its_own_folder():
    assert left_out("apps/a.yaml", read("/a.yaml", "apps"))
    assert not left_out("a.yaml", read("/a.yaml", "apps"))


@pytest.mark.parametrize(
    ("text", "folder", "gone"),
    [
        ("/*\n!/apps", "infra", True),
        ("/*\n!/apps", "apps", False),
        ("/*\n!/apps/web", "apps", False),
        ("/*\n!/apps/web", "apps/db", True),
        ("!/apps\n/apps/old/", "apps/old", True),
        ("/*\n!*.yaml", "infra", False),
        ("*.md", "docs", False),
    ],
)
def test_a_folder_is_gone_if_nothing_in_it_comes_back(text, folder, gone):
    assert bool(emptied(folder, read(text))) == gone
