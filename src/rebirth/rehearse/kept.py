"""Rehearsals that have ended, by what they were of: the same again has the same answer."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

import rebirth
from rebirth.rehearse.result import Rehearsed
from rebirth.store.cache import cache_directory
from rebirth.store.files import placed

_LEFT_OUT = {".git", "logs", ".rebirth"}
_MOST = 20  # answers that are kept
_ANSWER = TypeAdapter(Rehearsed)


def digest_of(folders: Iterable[Path], fetched: Path, programs: Mapping[str, str], more: Iterable[object]) -> str:
    """Changes with everything that can change the answer: files, what was fetched, programs, our own code, options."""
    found = hashlib.sha256(repr((version("castle-rebirth"), sorted(programs.items()), [*map(str, more)])).encode())
    for folder in folders:
        for name, data in _files(folder):
            found.update(f"{name}\0{len(data)}\0".encode() + data)
    for record in sorted(fetched.rglob("*.json")):  # of what was fetched; blobs are named in it by digest
        found.update(str(record).encode() + record.read_bytes())
    for name, state in _states(Path(rebirth.__file__).parent):
        found.update(f"{name}\0{state}".encode())
    return found.hexdigest()[:32]


def earlier(digest: str) -> Rehearsed | None:
    """The answer that was kept; None where there is none that can be read."""
    try:
        return _ANSWER.validate_json(_file(digest).read_bytes())
    except (OSError, ValidationError):
        return None


def keep(digest: str, done: Rehearsed) -> None:
    """For the next time."""
    with placed(_file(digest)) as unfinished:
        unfinished.write_bytes(_ANSWER.dump_json(done))
    answers = sorted(_file(digest).parent.glob("*.json"), key=lambda file: file.stat().st_mtime)
    for old in answers[:-_MOST]:
        old.unlink(missing_ok=True)


def _file(digest: str) -> Path:
    return cache_directory() / "rehearsals" / f"{digest}.json"


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for above, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if name not in _LEFT_OUT)
        for name in sorted(names):
            file = Path(above) / name
            if file.is_file():
                yield str(file.relative_to(folder)), file.read_bytes()


def _states(folder: Path) -> Iterator[tuple[str, str]]:
    """Of files that are written as a whole, size and time tell a change."""
    for above, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if name != "__pycache__")
        for name in sorted(names):
            state = (Path(above) / name).stat()
            yield str(Path(above) / name), f"{state.st_size} {state.st_mtime_ns}"
