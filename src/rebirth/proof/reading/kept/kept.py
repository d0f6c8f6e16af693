"""What was made of contents before: a file's documents, and the objects that kustomize built of files.

Everything is kept under the digest of what it was made of, so nothing that is kept can be out of date. Which digest a file
has is known without reading it as long as its size, its times and its inode are what they were, as git does it: a change sets
the time of change, which no program can set back. What was changed less than a tick of the clock before it was read may change
again within the same tick, so it is read again (git calls that racy: Documentation/technical/racy-git.txt).
"""

import hashlib
import marshal
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

_TICK = 2_000_000_000  # nanoseconds: the coarsest that file systems count times in


class Signature(NamedTuple):
    """What changes when a file's content does."""

    size: int
    modified: int  # nanoseconds
    changed: int  # nanoseconds; content or metadata, set by the kernel
    inode: int


class Kept:
    """Remembers across proofs. Values are plain ones, which `marshal` can write, and are never changed."""

    def __init__(self, tick: int = _TICK) -> None:
        self._tick = tick
        self.files: dict[str, tuple[Signature, bytes]] = {}  # path -> what it was, and the digest of its content
        self.said: dict[tuple[bytes, ...], dict[bytes, bool]] = {}  # words -> digest -> whether one of them is in it
        self.packed: dict[bytes, bytes] = {}  # digest -> a value that nobody has asked for yet
        self.values: dict[bytes, Any] = {}  # digest -> value
        self.used: set[bytes] = set()  # digests that were asked for
        self.made = 0  # bytes that something was made of, because nothing was kept

    def digest(self, path: str, read: Callable[[], bytes]) -> bytes:
        """Of a file's content; `read` is called only where that is not known. Raises OSError, and what `read` raises."""
        found = os.stat(path)  # noqa: PTH116 - a Path for each of thousands of files takes longer than the question
        signature = Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        known = self.files.get(path)
        if known and known[0] == signature:
            self.used.add(known[1])
            return known[1]
        settled = max(signature.modified, signature.changed) < time.time_ns() - self._tick
        digest = hashlib.sha256(read()).digest()
        self.used.add(digest)
        if settled:
            self.files[path] = (signature, digest)
        else:
            self.files.pop(path, None)
        return digest

    def value(self, digest: bytes) -> Any | None:
        """What was made of the content with that digest; None where nothing was kept."""
        self.used.add(digest)
        found = self.values.get(digest)
        if found is None and (packed := self.packed.pop(digest, None)) is not None:
            self.values[digest] = found = marshal.loads(packed)  # noqa: S302 - written by us, see `pack`
        return found

    def keep(self, digest: bytes, value: Any, size: int) -> None:
        """`size`: bytes of what it was made of."""
        self.values[digest] = value
        self.used.add(digest)
        self.made += size

    def forget_unused(self) -> None:
        """Lets go of what nobody has asked for since the last time: contents that files no longer have."""
        self.values = {digest: value for digest, value in self.values.items() if digest in self.used}
        self.files = {path: known for path, known in self.files.items() if known[1] in self.used}
        self.said = {
            words: {digest: yes for digest, yes in known.items() if digest in self.used}
            for words, known in self.said.items()
        }
        self.used.clear()
