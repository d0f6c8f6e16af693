"""Files that an operator wrote, or a run: content of a bearable size, or an error at once."""

import errno
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}


def text_of(file: Path, *, largest: int) -> str:
    """As content_of; raises UnicodeDecodeError for what is not UTF-8."""
    return content_of(file, largest=largest).decode()


def content_of(file: Path, *, largest: int) -> bytes:
    """What is in a regular file of at most `largest` bytes.

    Raises OSError, whose strerror says what the path is instead, without opening it: a FIFO or a device would never end.
    """
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise OSError(errno.EINVAL, f"{kind}, not a file", str(file))
    with file.open("rb") as opened:
        content = opened.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EINVAL, f"larger than {largest >> 10} KiB", str(file))
    return content
