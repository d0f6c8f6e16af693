"""Puts what is kept away for the next process: one file a repository, in the user's cache.

It is written with `marshal`, which is fast and must never read what somebody else wrote: see `sealed`. What another version of
the program, of the reader or of Python wrote has another name.
"""

import hashlib
import marshal
import os
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rebirth.proof.reading.kept import sealed
from rebirth.proof.reading.kept.kept import Kept, Signature

_READERS = ("yaml_files.py", "built.py", "batches.py")  # what they make is kept
_FORMAT = "1"  # another one where what is kept changes
_WORTH = 128 << 10  # bytes of YAML below which reading them again is as fast
_NEW = 20  # a pack is written again when a part of that size is new: one in so many
_MOST = 24  # packs
_LARGEST = 512 << 20  # bytes of all packs


def directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "rebirth" / "read"


def opened(root: Path) -> Kept:
    """What was put away for the repository in `root`; nothing where that cannot be trusted."""
    kept = Kept()
    content = sealed.read(directory() / _name(root))
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
    sealed.write(directory() / _name(root), content, most=_MOST, largest=_LARGEST)


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
