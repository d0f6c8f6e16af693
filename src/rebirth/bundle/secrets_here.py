"""Every secret that a castle has on this machine, and what looks like one: for what leaves the machine."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rebirth.castle.files import text_of
from rebirth.secrets import REDACTED, VARIABLE, Redaction, Secret

_LARGEST, _MOST = 256 << 10, 2000  # bytes of a file, and files, of a vault directory that are looked at
_SHORTEST = 12  # characters of a value in a file of credentials
_NO_SECRETS = {"server", "name", "cluster", "user", "current-context", "context", "endpoints", "nodes"}  # keys there
# What is a secret by its looks, wherever it comes from: one that has been replaced since stands in old logs, perhaps.
_LOOKS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|tskey-[\w-]+|hv[sb]\.[\w-]{8,}|gh[pousr]_\w{16,}|github_pat_\w+|glpat-[\w-]{16,}"
    r"|AGE-SECRET-KEY-[\w-]+|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|AKIA[0-9A-Z]{16}"
    r"|(?<=[Bb]earer )[\w.~+/-]{8,}=*|(?<=PVEAPIToken=)\S+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.DOTALL,
)
# A key that a person gives a secret to in castle.yaml, by mistake: only references belong there.
_SPELLED = re.compile(
    r"(?im)^(\s*(?:- )?[\w.-]*(?:password|passwd|token|secret|private_?key|api_?key)[\w.-]*\s*:[ \t]*)(?!\{|[>|]?[ \t]*(?:#|$))(\S.*)$"
)


def known(vault: Path, environment: Mapping[str, str] = os.environ) -> Redaction:
    """What is in the vault directory, in what was produced below it, and in the environment."""
    found = Redaction(Secret(value) for name, value in environment.items() if name.startswith(VARIABLE))
    for number, file in enumerate(sorted(vault.rglob("*"))):
        if number >= _MOST:
            break
        try:
            text = text_of(file, largest=_LARGEST) if file.is_file() else ""
        except (OSError, UnicodeDecodeError):
            continue
        for value in _values(text):
            found.learn(Secret(value))
    return found


def _values(text: str) -> Iterator[str]:
    """The whole file; of one that is YAML, each value in it."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        document = None
    if isinstance(document, dict | list):
        yield from _inside(document)
    elif text.strip():
        yield text


def _inside(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _inside(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _inside(inner, key)
    elif isinstance(value, str) and len(value) >= _SHORTEST and key not in _NO_SECRETS:
        yield value


def without(text: str, redaction: Redaction) -> str:
    """The text without known secrets, and without what looks like one."""
    return _LOOKS.sub(REDACTED, redaction.redact(text))


def without_spelled(text: str) -> str:
    """castle.yaml without values that a person has written where a reference belongs."""
    return _SPELLED.sub(rf"\1{REDACTED}", text)
