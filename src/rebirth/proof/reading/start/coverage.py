"""How much of a repository is read from where Flux starts."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.repository_files import Files
from rebirth.proof.things import Place, Remark

_MARK = b"apiVersion:"
_LITTLE = 4  # a share below one of that many is a sign of a wrong start
_FEW = 20  # files that say nothing where they are left out


def of(files: Files, named: Path, models: Sequence[Model]) -> tuple[int, int]:
    """Of the YAML files with objects below the folder that was named: how many some cluster leads to, and how many there are."""
    holding = {file for file in files.mentioning(_MARK) if str(file).startswith(f"{named}/")}
    read = {file for model in models for file in model.listed} | {
        Path(m.file) for model in models for m in model.seeded
    }
    return len(holding & read), len(holding)


def little(share: tuple[int, int], named: Path, clusters: Iterable[str]) -> Remark | None:
    """What is said of a share that is so small that Flux likely starts elsewhere."""
    read, there = share
    if there - read < _FEW or read * _LITTLE >= there:
        return None
    words = f"{read} of {there} YAML files with objects are read, starting from {', '.join(clusters)}"
    return Remark("little-read", Place(str(named)), words)
