"""The JSON Schema of castle.yaml says of documents what the models say."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from rebirth.castle.schema import schema_of_castle

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle" / "castle.yaml"
SCHEMA = json.loads(json.dumps(schema_of_castle()))
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def wrong(value, schema, path=""):
    """Where a value is not what the schema asks for: the words of JSON Schema that the models use, no more."""
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if kinds := schema.get("anyOf") or schema.get("oneOf"):
        # An editor underlines what is wrong in the kind that it is nearest to.
        tried = [wrong(value, one, path) for one in kinds]
        return [] if [] in tried else min([found for found in tried if found != [path]] or [[path]], key=len)
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        return [path]
    if "enum" in schema and value not in schema["enum"]:
        return [path]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [path]
    found = []
    if isinstance(value, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        found += [f"{path}.{key}" for key in schema.get("required", ()) if key not in value]
        for key, item in value.items():
            if key in known:
                found += wrong(item, known[key], f"{path}.{key}")
            elif isinstance(more, dict):
                found += wrong(item, more, f"{path}.{key}")
            elif not more:
                found.append(f"{path}.{key}")
    elif isinstance(value, list):
        found += [path] if len(value) < schema.get("minItems", 0) else []
        for index, item in enumerate(value):
            found += wrong(item, schema.get("items", {}), f"{path}[{index}]")
    elif isinstance(value, str):
        fits = re.search(schema.get("pattern", ""), value) and len(value) >= schema.get("minLength", 0)
        found += [] if fits else [path]
    elif isinstance(value, int):
        found += [] if schema.get("minimum", value) <= value <= schema.get("maximum", value) else [path]
    return found


@pytest.fixture
def document():
    return copy.deepcopy(yaml.safe_load(EXAMPLE.read_text()))


def test_the_example_is_what_the_schema_asks_for(document):
    assert wrong(document, SCHEMA) == []


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
    assert wrong(document, SCHEMA) == [f".{path}"]


def test_what_is_missing_is_known(document):
    del document["kubernetes"]["endpoint"]
    assert wrong(document, SCHEMA) == [".kubernetes.endpoint"]


def test_it_says_which_schema_it_is():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["additionalProperties"] is False
