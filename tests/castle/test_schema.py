"""The JSON Schema of castle.yaml says of documents what the models say."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from rebirth.castle.published.schema import as_text, schema_of_castle

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "castle" / "castle.yaml"
SCHEMA = json.loads(as_text(schema_of_castle()))
FILES = sorted(file for name in ("castle.yaml", "lab.yaml") for file in ROOT.glob(f"examples/*/{name}"))


def wrong(document):
    """Where a document is not what the schema asks for."""
    found = []
    for error in Draft202012Validator(SCHEMA).iter_errors(document):
        missing = re.match(r"'(\w+)' is a required property", error.message)
        unknown = re.findall(r"'(\w+)'", error.message) if error.validator == "additionalProperties" else []
        place = error.json_path.removeprefix("$.")
        found += [f"{place}.{name}" for name in ([missing[1]] if missing else unknown)] or [place]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_an_example_is_valid_in_an_editor(file):
    """Its first line names a schema beside it, by which an editor judges it."""
    schema = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
    assert schema
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", file.parent / schema[1], file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def document():
    return copy.deepcopy(yaml.safe_load(EXAMPLE.read_text()))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 2),
        ("version", True),
        ("name", "No Name"),
        ("proxmox.port", 8006),
        ("proxmox.token", "a-token"),
        ("machines.nodes[0].memory_mib", 10**400),
        ("machines.nodes[1].role", "master"),
        ("machines.nodes", []),
        ("handovers[0].born_in", {}),
        ("talos.schematic", "abc"),
        ("storage.chart", "ceph"),
    ],
)
def test_what_the_models_reject_the_schema_underlines(document, path, value):
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    inner = document
    for part in way:
        inner = inner[part]
    inner[last] = value
    assert set(wrong(document)) == {path}


def test_what_is_missing_is_known(document):
    del document["kubernetes"]["endpoint"]
    assert wrong(document) == ["kubernetes.endpoint"]


def test_it_says_which_schema_it_is():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["additionalProperties"] is False
