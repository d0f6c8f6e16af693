"""The documents name what is there: every phase, every command, every file."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from rebirth.castle import load
from rebirth.castle.published import reference
from rebirth.castle.published.schema import as_text, schema_of_castle
from rebirth.cli import app
from rebirth.lab import commands as lab_commands
from rebirth.phases import BOOTSTRAP
from rebirth.run.create import sections
from rebirth.run.phase import needs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def test_the_picture_is_the_graph():
    """README draws each phase of the example castle with what it needs directly, as the signatures say it."""
    own = BOOTSTRAP.of(sections(load(ROOT / "examples" / "castle")))
    phases = own.phases
    direct = {
        one.name: {other.name for other in phases if other.makes in needs(one, phases, own.connections)}
        for one in phases
    }

    def above(name: str) -> set[str]:
        return direct[name].union(*map(above, direct[name]))

    nearest = {
        name: {one for one in found if not any(one in above(other) for other in found)}
        for name, found in direct.items()
    }
    picture = next(block for block in README.split("```")[1::2] if phases[0].name in block)
    drawn = [line.partition("◄──") for line in picture.strip().splitlines()]
    assert {name.strip(): set(filter(None, map(str.strip, found.split(",")))) for name, _, found in drawn} == nearest
    names = [name.strip() for name, _, _ in drawn]
    assert all(names.index(one) < names.index(name) for name, found in direct.items() for one in found)


def test_the_table_has_every_command():
    told = set(re.findall(r"^\| `rebirth (\w+)", README, re.MULTILINE))
    assert told == set(get_command(app).commands)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        assert target.startswith("https://") or (document.parent / target).exists(), target


def test_the_tree_is_the_tree():
    """What CONTRIBUTING draws is there, each name in the folder that it is drawn in; and every folder is drawn."""
    above, below = CONTRIBUTING.split("```")[1].split("src/rebirth/\n")
    for folder in re.findall(r"(?<![\w/])((?:[a-z_]+/)+)(?=\s)", above):
        assert (ROOT / folder).is_dir(), folder
    below, tests = below.split("tests/  ")
    for name in re.findall(r"(?<![\w./])([a-z_]+(?:\.py|/)|[a-z]+/[a-z]+/)(?=\s)", tests):
        assert (ROOT / "tests" / name).exists(), name
    source, parent = ROOT / "src" / "rebirth", ""
    for line in below.splitlines():
        first = re.match(r" +([a-z_]+/?)", line)
        inner = line.startswith("    ")
        parent = parent if inner else first[1] if first and first[1].endswith("/") else ""
        for name in re.findall(r"(?<![\w./])([a-z_]+(?:\.py|/))(?=[\s,])", line):
            places = (source / parent / name, source / parent / "sources" / name, source / name)
            assert any(place.exists() for place in places), f"{parent}{name}"
    drawn = set(re.findall(r"(?<![\w./])([a-z_]+/)", below))
    assert {f"{folder.name}/" for folder in source.iterdir() if (folder / "__init__.py").exists()} <= drawn


def test_the_reference_is_made_of_the_models_as_they_are():
    found = (ROOT / "docs" / "reference" / "castle.md").read_text()
    assert found == reference.document(), "`make docs` makes it anew"
    headings = {
        re.sub(r"[^\w-]", "", heading.replace(" ", "-")) for heading in re.findall(r"^#+ (.*)", found, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", found)) <= headings


def test_every_key_has_a_meaning():
    rows = re.findall(r"^\| `(.*?)` .*\|([^|]*)\|$", reference.document(), re.MULTILINE)
    assert rows
    assert [key for key, meaning in rows if not meaning.strip()] == [], "a string below the field says what it means"


@pytest.mark.parametrize(("name", "schema"), [("castle", schema_of_castle), ("lab", lab_commands.schema)])
def test_the_schemas_are_made_of_the_models_as_they_are(name, schema):
    file = ROOT / "docs" / "reference" / f"{name}.schema.json"
    assert file.read_text() == as_text(schema()), "`make docs` makes it anew"


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        for target in re.findall(r"`make ([a-z]+)`", document.read_text()):
            assert target in targets, f"{document.name}: make {target}"
