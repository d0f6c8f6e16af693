"""What a repository's Talos configuration asks of the API server: feature gates, and APIs that are off by default.

Read as text, since most repositories keep it as templates.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_KEYS = ("feature-gates", "runtime-config")
_SAID = re.compile(rf"^\s*[\"']?({'|'.join(_KEYS)})[\"']?:\s*[\"']?([\w./=,]+=(?:true|false))[\"']?\s*$", re.MULTILINE)
_GATE = re.compile(r"(\w+)=true\|false")
_LARGEST = 2**20  # bytes of a file that is looked at
_MOST = 2000  # files


def asked_for(root: Path) -> dict[str, dict[str, str]]:
    """By argument: gate or API -> true or false, out of all files below a folder whose path says talos."""
    found: dict[str, dict[str, str]] = {key: {} for key in _KEYS}
    for file in _files(root):
        text = file.read_text(errors="replace")
        if "apiserver" not in text.lower():
            continue
        for match in _SAID.finditer(text):
            found[match[1]] |= dict(one.split("=", 1) for one in match[2].split(",") if "=" in one)
    return found


def arguments(asked: Mapping[str, Mapping[str, str]], known: Iterable[str]) -> list[str]:
    """As the API server takes them; it does not start with a feature gate that it does not know."""
    gates = {name: value for name, value in asked.get(_KEYS[0], {}).items() if name in set(known)}
    listed = {_KEYS[0]: gates, _KEYS[1]: asked.get(_KEYS[1], {})}
    return [
        f"--{key}={','.join(f'{name}={value}' for name, value in sorted(values.items()))}"
        for key, values in listed.items()
        if values
    ]


def gates_of(usage: str) -> list[str]:
    """The feature gates that a program's help names."""
    return _GATE.findall(usage)


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if name != ".git")
        for name in sorted(names):
            file = Path(folder) / name
            if (
                "talos" not in str(file.relative_to(root)).lower()
                or not file.is_file()
                or file.stat().st_size > _LARGEST
            ):
                continue
            count += 1
            if count > _MOST:
                return
            yield file
