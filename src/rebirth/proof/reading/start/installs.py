"""Releases that a repository's own scripts install with Helm before Flux is there: `helm upgrade --install`, Terraform's helm_release, and
lists of releases in a Nix module, of which a helmfile is made.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rebirth.proof.reading.manifest import Installed
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.reading.start.applied import is_of_the_beginning, namespace_in
from rebirth.proof.reading.start.scripts import Line, text_of
from rebirth.proof.things import Place

_INSTALLS = re.compile(r"\bhelm\b[^|;&]*?\s(?:install|upgrade)\s(?P<rest>[^|;&]*)")
_FOR_THE_FIRST_TIME = re.compile(r"\bhelm\b[^|;&]*?\s(?:install\s|upgrade\s[^|;&]*?(?:-i|--install)\b)")
_VALUED = re.compile(r"(?:^|\s)(?:-[nf]|--[a-z-]+)(?:=\S+|\s+(?=[^\s-])[^\s]+)")  # an option that has a value
_SWITCHES = re.compile(
    r"(?:^|\s)(?:-i|--(?:install|create-namespace|wait|wait-for-jobs|atomic|debug|devel|force|reuse-values|reset-values|skip-crds|dry-run))\b"
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_TERRAFORM = re.compile(r'resource\s+"helm_release"\s+"[^"]*"\s*\{(.*?)\n\}', re.DOTALL)
_NIX = re.compile(r'(?<![\w.])(name\s*=\s*"[^"]*";(?:[^{}]|\$\{[^}]*\})*?\bchart\s*=\s*"[^"]*")')


def find(files: Files, said: Sequence[Line]) -> Iterator[Installed]:
    """Each with the line that says so."""
    for file, own in groupby(said, lambda line: line.place.file):
        if file.endswith(".md") and not is_of_the_beginning(files, file):
            continue
        if file.endswith((".tf", ".tofu", ".nix")):
            yield from _blocks(file, text_of(Path(file)), _NIX if file.endswith(".nix") else _TERRAFORM)
            continue
        for line in own:
            if _FOR_THE_FIRST_TIME.search(line.text) and (found := _INSTALLS.search(line.text)):
                words = _VALUED.sub(" ", _SWITCHES.sub(" ", found["rest"])).split()
                if words and _NAME.fullmatch(name := words[0].strip("\"'")):
                    makes = "--create-namespace" in line.text
                    yield Installed(name, namespace_in(line.text) or "default", line.place, makes_namespace=makes)


def _blocks(file: str, text: str, block: re.Pattern[str]) -> Iterator[Installed]:
    for found in block.finditer(text):
        if name := _value("name", found[1]):
            place = Place(file, text.count("\n", 0, found.start()) + 1)
            makes = bool(re.search(r"\bcreate_?[nN]amespace\s*=\s*true", found[1]))
            yield Installed(name, _value("namespace", found[1]) or "default", place, makes_namespace=makes)


def _value(key: str, text: str) -> str:
    found = re.search(rf'(?:^|[\s;{{]){key}\s*=\s*"([a-z0-9][a-z0-9-]*)"', text)
    return found[1] if found else ""
