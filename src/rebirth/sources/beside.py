"""Objects that a repository keeps for what runs before Flux: folders called bootstrap or seed, which somebody applies by hand.

With a castle all that runs before Flux is known, and such folders mean nothing.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from rebirth.graph import Graph, Milestone
from rebirth.sources.kustomization import NAMES
from rebirth.sources.manifest import Manifest, Model
from rebirth.sources.yaml_files import LARGEST, UnreadableError, parse

_BEFORE = re.compile(r"bootstrap|seed")
_TEMPLATED = re.compile(r"^\s*[{][%#].*$", re.MULTILINE)  # lines that only steer a template
_PLACEHOLDER = re.compile(r"[{]{2}.*?[}]{2}")
_ENDINGS = (".yaml", ".yml", ".yaml.j2", ".yml.j2", ".yaml.tmpl", ".yaml.tpl")
_MOST = 1000  # files


def read(model: Model, graph: Graph) -> None:
    if model.castle:
        return
    applied = {member.file for member, _ in model.objects()}
    for file in _files(model.root):
        if str(file) in applied:
            continue
        for manifest in _manifests(file):
            model.seeded.append(manifest)
            why = "the repository keeps it for what runs before Flux"
            graph.given(manifest.thing(), why, manifest.place())
            if manifest.kind in {"Secret", "ConfigMap"} and not manifest.group:
                graph.given(manifest.thing(Milestone.MATERIALISED), why, manifest.place())


def _files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        if not _BEFORE.search(Path(folder).relative_to(root).as_posix()):
            continue
        for name in sorted(names):
            if name.endswith(_ENDINGS) and name not in NAMES and count < _MOST:
                count += 1
                yield Path(folder) / name


def _manifests(file: Path) -> Iterator[Manifest]:
    try:
        if file.stat().st_size > LARGEST or file.is_symlink():
            return
        text = _PLACEHOLDER.sub("x", _TEMPLATED.sub("", file.read_text(encoding="utf-8-sig")))
        documents = parse(text)
    except (OSError, ValueError, UnreadableError):
        return
    space = _namespace(file.parent)
    for document in documents:
        data = document.data
        if isinstance(data, dict) and isinstance(data.get("kind"), str) and isinstance(data.get("metadata"), dict):
            found = Manifest(data, str(file), document.line)
            if space and not found.namespace and found.kind != "Namespace":
                found = Manifest(
                    {**data, "metadata": {**data["metadata"], "namespace": space}}, str(file), document.line
                )
            yield found


def _namespace(folder: Path) -> str:
    """The namespace that the folder's kustomization, or one above it, puts everything into."""
    for name in NAMES:
        try:
            documents = parse((folder / name).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, UnreadableError):
            continue
        if documents and isinstance(documents[0].data, dict):
            return str(documents[0].data.get("namespace") or "")
    return ""
