"""Files in the user's cache that must be nobody else's: what is in them is believed.

Only a file is read that belongs to this user, in a folder of this user, neither of which others may write to, and whose seal fits.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_SEAL = 32  # bytes


def read(file: Path) -> bytes | None:
    """The content of a file; None where there is none, or where it is not ours."""
    try:
        if not _is_ours(file.parent.lstat(), stat.S_ISDIR):
            return None
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened_file:
            if not _is_ours(os.fstat(descriptor), stat.S_ISREG):
                return None
            content = opened_file.read()
        os.utime(file)
    except OSError:
        return None
    seal, content = content[:_SEAL], content[_SEAL:]
    return content if hashlib.sha256(content).digest() == seal else None


def write(file: Path, content: bytes, *, most: int, largest: int) -> None:
    """For `read`, in a folder of at most so many files and bytes. What cannot be written is made again next time."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("wb", dir=file.parent, prefix=".new-", delete=False) as new:
            new.write(hashlib.sha256(content).digest() + content)
        Path(new.name).replace(file)
        _prune(file.parent, most, largest)


def _is_ours(found: os.stat_result, kind: Callable[[int], bool]) -> bool:
    others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return kind(found.st_mode) and found.st_uid == os.geteuid() and not others


def _prune(folder: Path, most: int, largest: int) -> None:
    """The files that were used longest ago go; what an ended process left goes, too."""
    files = sorted(folder.iterdir(), key=lambda file: -file.stat().st_mtime)
    size = 0
    for number, file in enumerate(files):
        size += file.stat().st_size
        if number >= most or size > largest:
            file.unlink(missing_ok=True)
