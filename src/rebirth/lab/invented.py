"""Files that SOPS has encrypted, in the clear: each encrypted value is replaced by an invented one of its kind.

No value of a castle is ever read. The formats are those of getsops/sops: YAML and JSON with a block `sops`, dotenv with keys
`sops_...`, INI with a section `sops`, and anything else as JSON with one value `data`.
"""

import configparser
import io
import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import yaml

from rebirth.lab.kinds import Kinds

MARK = "ENC["
_TYPED = re.compile(r"ENC\[.*,type:(\w+)\]", re.DOTALL)
_BLOCK = "sops"  # where sops keeps its own in a file
# What sops notes of values that are no text (its stores' `type:`).
_OF_TYPE: Mapping[str, object] = {"int": 1, "float": 1.0, "bool": True}
_YAML = {".yaml", ".yml"}
_YAML_BLOCK = re.compile(rf"^{_BLOCK}:\s*$", re.MULTILINE)  # in a file of whatever name


def is_encrypted(document: object) -> bool:
    """Whether it is a mapping that sops has encrypted."""
    return isinstance(document, Mapping) and isinstance(document.get(_BLOCK), Mapping)


def invented(document: Any, kinds: Kinds) -> Any:
    """The document in the clear, with values that were never anybody's."""
    if not isinstance(document, Mapping):
        return document
    named = (document.get("metadata") or {}).get("name") if isinstance(document.get("metadata"), Mapping) else None
    group = str(named or document.get("kind") or "")

    def value(inner: Any, key: str, *, encoded: bool) -> Any:
        if isinstance(inner, Mapping):
            return {name: value(item, str(name), encoded=encoded) for name, item in inner.items()}
        if isinstance(inner, list):
            return [value(item, key, encoded=encoded) for item in inner]
        if isinstance(inner, str) and inner.startswith(MARK):
            return kinds.encoded(key, group) if encoded else _of_type(inner) or kinds.make(key, group, group)
        return inner

    is_secret = document.get("kind") == "Secret"
    clear = {name: inner for name, inner in document.items() if name != _BLOCK or not is_encrypted(document)}
    return {name: value(inner, str(name), encoded=is_secret and name == "data") for name, inner in clear.items()}


def _of_type(text: str) -> object:
    """A value of the type that sops has noted; None for texts."""
    noted = _TYPED.fullmatch(text)
    return _OF_TYPE.get(noted[1]) if noted else None


def in_the_clear(file: PurePath, data: bytes, kinds: Kinds) -> bytes | None:
    """What the encrypted `file` may hold instead, in the format that its name says; None where it is not encrypted."""
    if MARK.encode() not in data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    for read in (_structured, _dotenv, _ini):
        if (made := read(file, text, kinds)) is not None:
            return made.encode()
    return None


def _structured(file: PurePath, text: str, kinds: Kinds) -> str | None:
    """YAML, JSON, or what stands as `data` of a JSON, in whatever file."""
    is_yaml = file.suffix in _YAML or _YAML_BLOCK.search(text) is not None
    try:
        documents = list(yaml.safe_load_all(text)) if is_yaml else [json.loads(text)]
    except (yaml.YAMLError, ValueError):
        return None
    if not any(map(is_encrypted, documents)):
        return None
    if not is_yaml and file.suffix != ".json" and set(documents[0]) == {"data", _BLOCK}:
        return _whole(file, kinds)
    clear = [invented(document, kinds) for document in documents]
    return yaml.safe_dump_all(clear, sort_keys=False) if is_yaml else json.dumps(clear[0], indent=2) + "\n"


def _whole(file: PurePath, kinds: Kinds) -> str:
    """A file that is encrypted as a whole: nothing is known of it but its name."""
    return kinds.make(file.name, file.stem, str(file.with_suffix("")))


def _dotenv(file: PurePath, text: str, kinds: Kinds) -> str | None:
    lines = [line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    if not any(key == f"{_BLOCK}_mac" for key, _, _ in lines):
        return None
    return "".join(
        f"{key}={_value(key, value, file, kinds)}\n" for key, _, value in lines if not key.startswith(f"{_BLOCK}_")
    )


class _Ini(configparser.RawConfigParser):
    """Keys stay as they are written."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _ini(file: PurePath, text: str, kinds: Kinds) -> str | None:
    parsed = _Ini(strict=False)
    try:
        parsed.read_string(text)
    except configparser.Error:
        return None
    if not parsed.remove_section(_BLOCK):
        return None
    for section in parsed.sections():
        for key, value in parsed.items(section):
            parsed.set(section, key, _value(key, value, file, kinds))
    said = io.StringIO()
    parsed.write(said)
    return said.getvalue()


def _value(key: str, value: str, file: PurePath, kinds: Kinds) -> str:
    """One value of a file that knows texts alone."""
    if not value.startswith(MARK):
        return value
    return str(_of_type(value) or kinds.make(key, file.stem, str(file.with_suffix(""))))
