"""Templates of objects that somebody applies before Flux runs: `bootstrap/resources.yaml.j2` and the like, whose values a program
fills in. What steers the template is left out; names and keys are read.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.reading.start.folders import is_for_bootstrap
from rebirth.proof.reading.yaml_files import LARGEST, UnreadableError, parse
from rebirth.proof.sources import meeting
from rebirth.proof.things import Milestone, Place

_ENDINGS = (".yaml.j2", ".yml.j2", ".yaml.tmpl", ".yaml.tpl")
_STEERS = re.compile(r"^\s*[{][%#].*[%#][}]\s*$", re.MULTILINE)
_FILLED = re.compile(r"[{]{2}.*?[}]{2}")
_QUOTED = re.compile(r"[\"']([a-z0-9][a-z0-9-]*)[\"']")
_EACH = re.compile(r"kind: Namespace\nmetadata:\n\s+name:\s*[\"']?[{]{2}")
_MOST = 500  # files


def read(model: Model, graph: Graph) -> None:
    """With a castle all that is made before Flux is known, and such files mean nothing."""
    if model.castle:
        return
    why = "a template in a bootstrap folder makes it before Flux runs"
    files = list(_files(model.root))
    for file in files:
        for name in _looped(file):
            graph.given(meeting.namespace(name), why, Place(str(file)))
    for manifest in _manifests(files):
        place = manifest.place()
        graph.given(manifest.thing(), why, place)
        if manifest.namespace:
            graph.given(meeting.namespace(manifest.namespace), why, place)
        if manifest.kind in {"Secret", "ConfigMap"} and not manifest.group:
            graph.given(manifest.thing(Milestone.MATERIALISED), why, place)


def _looped(file: Path) -> Iterator[str]:
    """Names that stand in what steers a template that makes a Namespace of each."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return
    if _EACH.search(text):
        for line in _STEERS.findall(text):
            yield from _QUOTED.findall(line)


def _manifests(files: Iterable[Path]) -> Iterator[Manifest]:
    for file in files:
        try:
            if file.is_symlink() or not file.is_file() or file.stat().st_size > LARGEST:
                continue
            text = file.read_text(encoding="utf-8-sig")
            documents = parse(_FILLED.sub("x", _STEERS.sub("", text)))
        except (OSError, ValueError, UnreadableError):
            continue  # a template that is more than YAML with holes
        for document in documents:
            if isinstance(document.data, Mapping) and isinstance(document.data.get("kind"), str):
                found = Manifest(document.data, str(file), document.line)
                if found.name and found.name != "x":
                    yield found


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(one for one in inner if not one.startswith("."))
        for name in sorted(names):
            if name.endswith(_ENDINGS) and count < _MOST and is_for_bootstrap(file := Path(folder, name), root):
                count += 1
                yield file
