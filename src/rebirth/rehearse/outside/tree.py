"""The repository that is rehearsed, as its own source serves it: the files as they are now, committed or not.

Whatever branch, tag, range or commit a source object names gets these files: what is rehearsed is the tree on this machine, not what was
pushed once. Without the castle's key, files that SOPS has encrypted are served in the clear, with invented values.
"""

import gzip
import io
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from rebirth.lab.invented import in_the_clear
from rebirth.lab.kinds import Kinds
from rebirth.lab.systems.git import git
from rebirth.rehearse.outside.references import BRANCH, published

TREE = "https://tree.rehearsal.internal/tree.git"  # where the repository is found that names no source of its own
_GIT = ".git"


@dataclass
class Tree:
    """`root`: the repository's folder. `kinds`: makes the values that are invented; None: encrypted files stay as they are."""

    root: Path
    folder: Path
    references: frozenset[str]  # such as refs/heads/main
    kinds: Kinds | None
    _clear: dict[tuple[Path, str], bytes] = field(default_factory=dict)  # by path and digest of what is encrypted

    @property
    def bare(self) -> Path:
        return self.folder / "tree.git"

    @property
    def copy(self) -> Path:
        """The files that are served."""
        return self.folder / "tree"

    async def take(self) -> str:
        """The commit that holds the files as they are now. Raises RuntimeError, OSError."""
        await self._copy()
        return await published(self.copy, self.bare, self.references)

    async def _copy(self) -> None:
        shutil.rmtree(self.copy, ignore_errors=True)
        self.copy.mkdir(parents=True)
        for path in await _files(self.root):
            source, target = self.root / path, self.copy / path
            target.parent.mkdir(parents=True, exist_ok=True)
            clear = None if source.is_symlink() else self._in_the_clear(path, source)
            if clear is None:
                shutil.copy2(source, target, follow_symlinks=False)
            else:
                target.write_bytes(clear)

    def _in_the_clear(self, path: Path, source: Path) -> bytes | None:
        """Invented once: the same files make the same commit."""
        if self.kinds is None:
            return None
        data = source.read_bytes()
        key = path, sha256(data).hexdigest()
        if key not in self._clear:
            made = in_the_clear(path, data, self.kinds)
            if made is None:
                return None
            self._clear[key] = made
        return self._clear[key]

    def packed(self) -> bytes:
        """The files as `flux push artifact` packs them (.tar.gz), with no times in it."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for file in sorted(self.copy.rglob("*")):
                if file.is_file() and not file.is_symlink():
                    entry = tarfile.TarInfo(str(file.relative_to(self.copy)))
                    entry.size, entry.mode = file.stat().st_size, 0o644
                    with file.open("rb") as data:
                        archive.addfile(entry, data)
        return gzip.compress(packed.getvalue(), compresslevel=1, mtime=0)


async def _files(root: Path) -> list[Path]:
    """What a commit of everything would hold; all files where it is no repository of Git, or one that another ignores."""
    try:
        said = await git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=root)
    except RuntimeError:
        said = ""
    if not said:
        return sorted(file.relative_to(root) for file in _walk(root))
    found = (Path(name) for name in said.split("\0") if name)
    return [path for path in dict.fromkeys(found) if (root / path).is_symlink() or (root / path).is_file()]


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name == _GIT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        elif entry.is_symlink() or entry.is_file():
            yield entry


__all__ = ["BRANCH", "TREE", "Tree"]
