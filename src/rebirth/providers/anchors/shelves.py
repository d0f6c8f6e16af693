"""Where an archive's objects lie: by name, written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from rebirth.errors import Broken, of_this_machine


class Shelf(Protocol):
    """Names are paths without a slash at their ends."""

    @property
    def place(self) -> str:
        """Where that is, for people."""

    async def read(self, name: str) -> bytes | None:
        """None where there is no such object."""

    async def write(self, name: str, content: bytes) -> None: ...

    async def names(self, folder: str) -> list[str]:
        """Of all objects in a folder, sorted."""


class Folder:
    """Files below a folder of this machine, for their owner alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def place(self) -> str:
        return str(self._root)

    async def read(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(error, "read the archive") from None

    async def write(self, name: str, content: bytes) -> None:
        file = self._root / name
        half = file.with_name(f".{file.name}.half")
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_through(half, content)
            half.replace(file)
            _sync(file.parent)
        except OSError as error:
            with suppress(OSError):
                half.unlink()
            raise _unusable(error, "write the archive") from None

    async def names(self, folder: str) -> list[str]:
        try:
            found = [file.name for file in (self._root / folder).iterdir() if not file.name.startswith(".")]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unusable(error, "list the archive") from None
        return sorted(f"{folder}/{name}" for name in found)


def _write_through(file: Path, content: bytes) -> None:
    with open(file, "wb", opener=_private) as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    """The name is there after a power cut, too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _unusable(error: OSError, operation: str) -> Broken:
    hint = "Is anchors.archive.folder right?"
    return of_this_machine(error, operation) or Broken(
        error.strerror or type(error).__name__, system=str(error.filename), operation=operation, hint=hint
    )
