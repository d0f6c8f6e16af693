"""Reading castle.yaml: whatever stands in the file, a castle or a SpecError comes out."""

import os
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rebirth.castle import load
from rebirth.errors import SpecError


def told(text: str, tmp_path: Path) -> str:
    (tmp_path / "castle.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load(tmp_path)
    return str(caught.value)


def test_no_such_castle(tmp_path: Path):
    with pytest.raises(SpecError, match="no such file") as caught:
        load(tmp_path / "nowhere")
    assert caught.value.exit_code == 2
    assert "castle directory" in caught.value.hint


def test_a_directory_in_its_place(tmp_path: Path):
    (tmp_path / "castle.yaml").mkdir()
    with pytest.raises(SpecError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("kind", "said"), [("fifo", "a FIFO, not a file"), ("/dev/zero", "a device"), ("/dev/full", "a device")]
)
def test_what_never_ends_is_not_opened(tmp_path: Path, kind: str, said: str):
    file = tmp_path / "castle.yaml"
    if kind == "fifo":
        os.mkfifo(file)
    else:
        file.symlink_to(kind)
    with pytest.raises(SpecError, match=f"cannot be read: {said}"):
        load(tmp_path)


def test_bytes_that_are_no_text(tmp_path: Path):
    (tmp_path / "castle.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(SpecError, match="not UTF-8"):
        load(tmp_path)


def test_a_file_too_large(tmp_path: Path):
    assert "larger than" in told("# " + "x" * (1 << 20), tmp_path)


@pytest.mark.parametrize("text", ["", "null", "[]", "castle", "42", "---", "# nothing"])
def test_no_mapping(tmp_path: Path, text: str):
    assert "must be a YAML mapping" in told(text, tmp_path)


def test_a_key_that_stands_twice(tmp_path: Path):
    message = told("version: 1\nname: a\nversion: 1\n", tmp_path)
    assert "castle.yaml:3: is not YAML: duplicate key version" in message


def test_a_key_that_stands_twice_deep_inside(tmp_path: Path):
    assert "castle.yaml:4" in told("version: 1\nproxmox:\n  node: a\n  node: b\n", tmp_path)


def test_aliases(tmp_path: Path):
    message = told("version: 1\nname: &it a\nproxmox: *it\n", tmp_path)
    assert "castle.yaml:3" in message
    assert "aliases are not used" in message


def test_two_documents(tmp_path: Path):
    assert "castle.yaml:2" in told("version: 1\n---\nversion: 1\n", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "? [a]\n: b",
        "? {a: b}\n: c",
        "2026-01-01: a",
        "name: 2026-01-01",
        "name: !!binary aGk=",
        "name: !!set {a}",
        "name: .nan",
        "1: a",
        "null: a",
        "true: a",
        "name: !!python/object:os.system x",
        "<<: {name: a}",
        "name: " + "[" * 5000,
        "name: " + "[" * 5000 + "]" * 5000,
        "a: " * 3000,
        'name: "\\ud800"',
        "name: 9" + "9" * 5000,
        "name: 0x" + "f" * 5000,
        "name: 1:60:60",
        "name: 2026-99-99",
        "name: 2026-01-01T25:00:00Z",
    ],
)
def test_strange_yaml_is_an_error_and_no_crash(tmp_path: Path, text: str):
    assert "castle.yaml" in told(text, tmp_path)


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates() | st.binary(max_size=5)
)
_KEYS = st.text(max_size=8) | st.sampled_from(["version", "name", "machines", "nodes", "proxmox", "token", "engine"])
_DOCUMENTS = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4)
)


@given(_DOCUMENTS)
@settings(deadline=None)
def test_any_document_is_refused_in_order(document):
    with tempfile.TemporaryDirectory() as directory:
        told(yaml.safe_dump(document), Path(directory))


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@`#?, \n\t1~\\"), max_size=60))
def test_any_text_is_refused_in_order(text):
    with tempfile.TemporaryDirectory() as directory:
        told(text, Path(directory))
