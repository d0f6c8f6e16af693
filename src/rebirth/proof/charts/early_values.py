"""Values of charts that are installed before Flux: as a helmfile's release or a kustomization's `helmCharts` say them, files included."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rebirth.proof.charts.releases import merged, set_at
from rebirth.proof.reading.start.helmfiles import UNKNOWN, documents
from rebirth.proof.things import Place

_Path = tuple[str | int, ...]
_ENVIRONMENT = f"{UNKNOWN}/"  # a folder of a path that a template names


class Early(NamedTuple):
    """What such a release sets; `places` says where the values of files stand, by their first key."""

    data: Mapping[str, Any]
    whole: bool
    places: Mapping[_Path, Place]


def of_release(file: Path, entry: Mapping[str, Any]) -> Early:
    """Of a helmfile's release: its files and mappings in their order, then what it sets one by one."""
    read = _Reader(file)
    listed = entry.get("values")
    for one in listed if isinstance(listed, list) else ():
        read.add(one)
    for one in entry.get("set") or ():
        read.put(one)
    read.whole = read.whole and not entry.get("secrets") and not entry.get("inherit")
    return read.done()


def of_kustomization(file: Path, entry: Mapping[str, Any]) -> Early:
    """Of an entry of `helmCharts`: its files, then `valuesInline` above or below them as `valuesMerge` says."""
    read = _Reader(file)
    inline = entry.get("valuesInline")
    below = entry.get("valuesMerge") == "merge"  # the files win
    if below:
        read.add(inline)
    more = entry.get("additionalValuesFiles")
    for one in (entry.get("valuesFile"), *(more if isinstance(more, list) else ())):
        read.add(one)
    if not below:
        read.add(inline)
    return read.done()


class _Reader:
    def __init__(self, file: Path) -> None:
        self.file, self.whole = file, True
        self._data: dict[str, Any] = {}
        self._places: dict[_Path, Place] = {}

    def done(self) -> Early:
        return Early(self._data, self.whole, self._places)

    def add(self, one: object) -> None:
        """A mapping, or the path of a file that holds one."""
        if isinstance(one, Mapping):
            self._data = merged(self._data, one)
            for key in one:
                self._places.pop((str(key),), None)
        elif isinstance(one, str):
            found = list(self._files(one))
            self.whole = self.whole and bool(found)
            for target in found:
                for document in documents(target):
                    if isinstance(document.data, Mapping):
                        self._data = merged(self._data, document.data)
                        self._places |= {
                            (str(key),): Place(str(target), document.line, (str(key),)) for key in document.data
                        }

    def put(self, one: object) -> None:
        name, value = (one.get("name"), one.get("value")) if isinstance(one, Mapping) else (None, None)
        made = set_at(str(name), str(value), literal=False) if name and value is not None else None
        if made is None:
            self.whole = False
            return
        self._data = merged(self._data, made)
        for key in made:
            self._places.pop((key,), None)

    def _files(self, path: str) -> Iterator[Path]:
        """The files of that name; where a template stands for a folder, those of every folder that has one."""
        if path.endswith(".gotmpl"):
            return  # what comes of it is not known
        if _ENVIRONMENT in path and path.count(UNKNOWN) == 1:
            above, _, below = path.partition(UNKNOWN)
            folder = Path(os.path.normpath(self.file.parent / above))
            inner = sorted(folder.iterdir()) if folder.is_dir() else []
            yield from (found for one in inner if (found := one / below.lstrip("/")).is_file())
            return
        found = Path(os.path.normpath(self.file.parent / path))
        if found.is_file():
            yield found
