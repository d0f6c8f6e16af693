"""Files of the store: written beside their place and renamed, so that half a file is never taken for a whole one."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Any

FORMAT = 1  # of a record; another one where what is kept changes


@contextmanager
def placed(target: Path) -> Iterator[Path]:
    """An empty file beside `target`, which takes its place once what it holds is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = mkstemp(dir=target.parent, prefix=".")
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def digest_of(file: Path) -> str:
    """`sha256:...` of what the file holds."""
    with file.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def digest_of_bytes(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Records:
    """What is known of each thing in the store: a small JSON file, found by its key. Its age is the time of its last use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, *key: str, **data: Any) -> None:
        with placed(self._file(key)) as file:
            file.write_text(json.dumps({"format": FORMAT, **data}, indent=1, sort_keys=True) + "\n")

    def read(self, *key: str) -> dict[str, Any] | None:
        """None where there is none; this counts as a use."""
        file = self._file(key)
        found = _parsed(file)
        if found is not None:
            with suppress(OSError):  # a store that only others may write
                os.utime(file)
        return found

    def below(self, *key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Every record whose key begins like that, in the order of their files' names."""
        for file in sorted(self._file(key).with_suffix("").rglob("*.json")):
            if (found := _parsed(file)) is not None:
                yield file, found

    def _file(self, key: tuple[str, ...]) -> Path:
        """Keys come from files that others wrote: no part of one becomes a name of a file."""
        hashed = [hashlib.sha256(part.encode()).hexdigest()[:32] for part in key[1:]]
        return self._folder.joinpath(key[0], *hashed).with_suffix(".json")


def _parsed(file: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and data.get("format") == FORMAT else None


@contextmanager
def locked(file: Path, *, alone: bool) -> Iterator[bool]:
    """A lock that any number of processes hold, or one `alone`; False where others are in the way."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_NB | (fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        except BlockingIOError:
            yield False
        else:
            yield True
