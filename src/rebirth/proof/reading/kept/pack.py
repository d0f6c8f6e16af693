"""Puts what is kept away for the next process: one file a repository, in the user's cache.

It is written with `marshal`, which is fast and must never read what somebody else wrote: so only a file is opened that belongs
to this user, in a folder of this user, neither of which others may write to, and whose seal fits. What another version of the
program, of the reader or of Python wrote has another name.
"""

import hashlib
import marshal
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rebirth.proof.reading.kept.kept import Kept, Signature

_READERS = ("yaml_files.py", "built.py")  # what they make is kept
_FORMAT = "1"  # another one where what is kept changes
_WORTH = 128 << 10  # bytes of YAML below which reading them again is as fast
_NEW = 20  # a pack is written again when a part of that size is new: one in so many
_MOST = 24  # packs
_LARGEST = 512 << 20  # bytes of all packs
_SEAL = 32  # bytes


def directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "rebirth" / "read"


def opened(root: Path) -> Kept:
    """What was put away for the repository in `root`; nothing where that cannot be trusted."""
    kept = Kept()
    content = _read(directory() / _name(root))
    if content is not None:
        try:
            files, kept.said, kept.packed = marshal.loads(content)  # noqa: S302 - ours, and sealed
            kept.files = {path: (Signature(*known), digest) for path, (known, digest) in files.items()}
        except (ValueError, TypeError, EOFError):
            return Kept()
    return kept


def put_away(kept: Kept, root: Path) -> None:
    """For `opened`, where enough is new. What cannot be written is made again next time."""
    size = sum(kept.files[path][0].size for path in kept.files)
    if kept.made < max(_WORTH, size // _NEW):
        return
    packed = {digest: marshal.dumps(value) for digest, value in kept.values.items() if digest in kept.used}
    unused = {digest: value for digest, value in kept.packed.items() if digest not in kept.used}
    if sum(map(len, unused.values())) <= sum(map(len, packed.values())):
        packed |= unused  # of a part of the repository that was not asked for this time
    said = {
        words: {d: yes for d, yes in known.items() if d in kept.used or d in packed}
        for words, known in kept.said.items()
    }
    files = {
        path: (tuple(known), digest)
        for path, (known, digest) in kept.files.items()
        if digest in kept.used or digest in packed
    }
    content = marshal.dumps((files, said, packed))
    kept.made = 0
    with suppress(OSError):
        folder = directory()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("wb", dir=folder, prefix=".new-", delete=False) as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(file.name).replace(folder / _name(root))
        _prune(folder)


def _name(root: Path) -> str:
    try:
        ours = version("castle-rebirth")
    except PackageNotFoundError:
        ours = ""
    said = "\0".join(
        [_FORMAT, ours, sys.implementation.cache_tag or sys.version, str(marshal.version), _reader(), str(root)]
    )
    return hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest()


def _reader() -> str:
    """The digest of the source that reads: what it makes of a text may change with it."""
    here = Path(__file__).parents[1]
    with suppress(OSError):
        return hashlib.sha256(b"".join((here / name).read_bytes() for name in _READERS)).hexdigest()
    return ""


def _read(file: Path) -> bytes | None:
    """The content of a pack; None where there is none, or where it is not ours."""
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


def _is_ours(found: os.stat_result, kind: Callable[[int], bool]) -> bool:
    others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return kind(found.st_mode) and found.st_uid == os.geteuid() and not others


def _prune(folder: Path) -> None:
    """The packs that were used longest ago go; what an ended process left goes, too."""
    files = sorted(folder.iterdir(), key=lambda file: -file.stat().st_mtime)
    size = 0
    for number, file in enumerate(files):
        size += file.stat().st_size
        if number >= _MOST or size > _LARGEST:
            file.unlink(missing_ok=True)
