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
from pydantic import ValidationError

from rebirth.castle import Castle
from rebirth.castle.published.schema import as_text, schema_of_castle

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "castle" / "castle.yaml"
SCHEMA = json.loads(as_text(schema_of_castle()))
FILES = sorted(file for name in ("castle.yaml", "lab.yaml") for file in ROOT.glob(f"examples/*/{name}"))


def wrong(document):
    """Where a document is not what the schema asks for."""
    return [place for error in Draft202012Validator(SCHEMA).iter_errors(document) for place in places(error)]


def places(error):
    """Where an editor underlines an error; where several kinds of value may stand, those of the kind that fits best."""
    place = error.json_path.removeprefix("$").removeprefix(".")
    if error.validator in {"anyOf", "oneOf"}:
        kinds = {}
        for inner in error.context:
            kinds.setdefault(inner.schema_path[0], []).append(inner)
        shaped = [
            found for found in kinds.values() if not any(one.validator == "type" and not one.path for one in found)
        ]
        fitting = [[one for inner in found for one in places(inner)] for found in shaped]
        return min(fitting, key=len, default=[place])
    missing = re.match(r"'(\w+)' is a required property", error.message)
    unknown = re.findall(r"'(\w+)'", error.message) if error.validator == "additionalProperties" else []
    return [f"{place}.{name}".lstrip(".") for name in ([missing[1]] if missing else unknown)] or [place]


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
        ("storage.data_path", "relative"),
        ("machines.gateway", 7),
        ("machines.defaults.firmware", "UEFI"),
        ("existing.reset_on_destroy", "yes"),
        ("networking.metallb.pools", []),
        ("networking.pool.addresses[0]", "some"),
        ("kubernetes.cni", "calico"),
        ("kubernetes.version", "1.35"),
        ("kubernetes.endpoint", "http://192.168.50.11:6443"),
        ("online.sites[0].status", "200"),
        ("patience.converge", "soon"),
        ("patience", {"convrege": 5}),
    ],
)
def test_what_the_models_reject_the_schema_underlines(document, path, value):
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    inner = document
    for part in way:
        inner = inner[part] if isinstance(part, int) else inner.setdefault(part, {})
    inner[last] = value
    with pytest.raises(ValidationError):
        Castle.model_validate_json(json.dumps(document))
    assert set(wrong(document)) == {path}


def test_what_is_missing_is_known(document):
    del document["kubernetes"]["endpoint"]
    assert wrong(document) == ["kubernetes.endpoint"]


def test_it_says_which_schema_it_is():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["additionalProperties"] is False
