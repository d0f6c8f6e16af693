"""Which components a castle uses: every one that is not optional, and the optional ones that its files speak of.

An optional component is used if a file of the castle, or of a repository that the lab serves for it, mentions one of its
images (without the tag), the place of one of its charts, or a word of its `mentioned_as`; or if none mentions a word of its
`not_used_by`. A mention in a comment counts: that costs a build, while a component that is missing would cost a rehearsal.
"""

import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rebirth.lab.building.images import Image, declared
from rebirth.lab.building.toolchain import Component, components, sources
from rebirth.lab.spec import load_lab

_TEXTS = {".yaml", ".yml", ".json", ".toml"}
_PRODUCED = {".git", ".rebirth", "logs", "node_modules"}  # folders that hold nothing that anybody wrote for the castle


def used(castle: Path, among: Sequence[Component] = ()) -> tuple[Component, ...]:
    """The components of a castle, in the order in which the lab needs them; `among`: of these. Raises SpecError, Broken."""
    texts = list(_texts(castle))
    return tuple(c for c in among or components() if not c.optional or _mentioned(c, texts))


def packable(images: Sequence[Image], parts: Sequence[Component]) -> list[Image]:
    """The images without those of which a program belongs to another component."""
    left_out = {binary for c in components() if c not in parts for binary in c.binaries.values()}
    return [image for image in images if not left_out & _binaries(image)]


def _mentioned(component: Component, texts: Sequence[str]) -> bool:
    if unless := component.not_used_by:
        return not any(word in text for text in texts for word in unless)
    names = _names(component)
    return any(name in text for text in texts for name in names)


def _names(component: Component) -> set[str]:
    """What a file says that uses the component."""
    binaries = set(component.binaries.values())
    images = [i for i in declared(sources() / "images" / "images.toml") if binaries & _binaries(i)]
    tables = tomllib.loads((sources() / "charts" / "modules.toml").read_text())["chart"]
    charts = {f"{t['host']}{t.get('path', '')}" for t in tables if t["component"] == component.name}
    return {*component.mentioned_as, *charts, *map(_written, images)}


def _written(image: Image) -> str:
    """How manifests write an image's name: Docker Hub's host may be left out."""
    return image.reference.rpartition(":")[0].removeprefix("docker.io/")


def _binaries(image: Image) -> set[str]:
    return {source.removeprefix("binary:") for source in image.files.values() if source.startswith("binary:")}


def _texts(castle: Path) -> Iterator[str]:
    """Every file that may speak of an image or a chart, of the castle and of the repositories that the lab serves for it."""
    served = [(castle / folder).resolve() for folder in load_lab(castle).repositories.values()]
    tops = {castle.resolve(), *served}
    for top in sorted(top for top in tops if not tops & set(top.parents)):
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if name not in _PRODUCED]
            for file in (Path(folder, name) for name in files):
                if file.suffix in _TEXTS and file.is_file():
                    yield file.read_text(errors="replace")
