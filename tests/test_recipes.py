"""The recipes of CONTRIBUTING, followed against what is there: a file that a recipe names exists for its newest example."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^## (Add [^\n]*)\n(.*?)(?=^## |\Z)", CONTRIBUTING, re.MULTILINE | re.DOTALL))
# What the placeholders of a recipe are in something that was made by it.
EXAMPLES = {
    "Add a phase": {"verb_noun": "find_ingress", "phase": "find_ingress"},
    "Add a stand-in": {"host": "charts.longhorn.io", "path": "longhorn"},
    "Add a component": {"name": "traefik"},
    "Add a rule": {"rNN_slug": "r71_flux_program"},
    "Add a source": {"flux|workloads|outside|castle": "outside", "place": "mirrors"},
    "Add a kind that is diagnosed": {"what_belongs_together": "stores"},
    "Add a system outside": {"system": "vault"},
    "Add a platform": {},
}
ELSEWHERE = {  # a recipe's file that its example shares with others
    "src/rebirth/castle/vault.py": "src/rebirth/castle/foundation.py",
    "tests/phases/test_find_ingress.py": "tests/phases/cluster/test_find_ingress.py",
}
BASES = (
    "",
    "src/rebirth/",
    "src/rebirth/proof/",
    "src/rebirth/proof/sources/",
    "tests/phases/",
    "src/rebirth/lab/",
    "lab/standins/",
)


def named(recipe):
    """The paths in a recipe, placeholders filled in."""
    text = RECIPES[recipe]
    for placeholder, value in EXAMPLES[recipe].items():
        text = text.replace(f"<{placeholder}>", value)
    return [
        path for path in re.findall(r"`([\w./<>|*-]+)`", text) if "/" in path or path.endswith((".py", ".md", ".toml"))
    ]


def test_every_recipe_is_followed():
    assert set(EXAMPLES) == set(RECIPES)


@pytest.mark.parametrize("recipe", EXAMPLES)
def test_what_a_recipe_names_is_there(recipe):
    paths = named(recipe)
    assert paths or recipe == "Add a platform"
    for path in paths:
        found = [base + path for base in BASES if list(ROOT.glob((base + path).rstrip("/")))]
        shared = ELSEWHERE.get(path)
        assert found or (shared and (ROOT / shared).exists()), f"{recipe}: {path}"


def test_a_system_outside_is_made_as_its_recipe_says():
    """Vault: its client is a connection, is reached before anything is made, is asked by doctor, and has its rights written down."""
    source = ROOT / "src" / "rebirth"
    assert "def vault_api(" in (source / "phases/connections.py").read_text()
    assert "VaultApi" in (source / "phases/reach_outside.py").read_text()
    assert "vault" in (source / "doctor.py").read_text()
    assert "Vault" in (ROOT / "SECURITY.md").read_text()
    assert '"providers/vault.py"' in (ROOT / "tests/test_laws.py").read_text()
    assert "vault" in (source / "lab/world.py").read_text()


def test_only_the_phases_that_its_recipe_names_know_the_platform():
    rows = [line.split("|") for line in RECIPES["Add a platform"].splitlines() if line.startswith("|")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", f"{row[2]} {row[3]}")}
    phases = ROOT / "src" / "rebirth" / "phases"
    asking = {file.stem for file in phases.glob("*.py") if re.search(r"\bproxmox\.\w+\(", file.read_text())}
    assert len(asking) > 2
    assert asking <= told
