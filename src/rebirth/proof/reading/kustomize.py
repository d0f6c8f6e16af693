"""Builds kustomizations with kustomize itself: `kubectl kustomize`, or kustomize on PATH. Builds are cached by content.

kustomize sees a copy of exactly the files that a build reads, below a folder of its own: as in Flux, nothing outside of the
repository is within its reach, and what it makes depends on nothing but the cache's key.
"""

import asyncio
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken
from rebirth.proof import programs

_FORMAT = "2"  # of the cache; another one where what is kept changes
_PATIENCE = 60.0  # seconds for a build
_MOST_KEPT = 5000  # builds in the cache
_LONGEST = 600  # characters of kustomize's words
# A build lives for a moment: collecting garbage as usual, half of it while the program starts, takes a quarter of its time. Only
# what is built in one run grows beyond the limit.
_GO = {"GOGC": "off", "GOMEMLIMIT": "96MiB"}


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "rebirth" / "kustomize"


class BuildFailed(Broken):
    """kustomize refuses what is written."""

    def __init__(self, said: str, status: int | None = None) -> None:
        super().__init__(said, system="kustomize", operation="build", status=status)
        self.said = said


class Kustomize:
    """Builds one folder at a time."""

    def __init__(self, *, commands: Commands, cache: Path | None = None) -> None:
        self._commands, self._cache = commands, cache or cache_directory()
        self.program = programs.kustomize()
        self._pruned = False

    async def build(
        self, *, folder: Path, root: Path, reads: Iterable[Path], written: Mapping[Path, Mapping[str, Any]]
    ) -> str:
        """The objects of `folder` as YAML. `reads` are the files that it takes in; `written` are files with another content
        than they have in the repository.

        Raises BuildFailed with kustomize's own words, or Broken where there is no kustomize.
        """
        contents = {file.relative_to(root): file.read_bytes() for file in {*reads} - written.keys()}
        for file, data in written.items():
            contents[file.relative_to(root)] = json.dumps(data, default=str).encode()
        kept = self._cache / self._key(folder.relative_to(root), contents)
        if (found := _kept(kept)) is not None:
            return found
        if self.program is None:
            hint = "Install kubectl or kustomize."
            raise Broken("neither kubectl nor kustomize is on PATH", system="kustomize", operation="build", hint=hint)
        made = await self._run(self.program, folder.relative_to(root), contents)
        self._keep(kept, made)
        return made

    async def _run(self, program: tuple[str, ...], folder: Path, contents: Mapping[Path, bytes]) -> str:
        with tempfile.TemporaryDirectory(prefix="rebirth-kustomize-") as name:
            scratch = Path(name).resolve()
            for file, content in contents.items():
                (scratch / file).parent.mkdir(parents=True, exist_ok=True)
                (scratch / file).write_bytes(content)
            argv = (*program, str(scratch / folder), "--load-restrictor", "LoadRestrictionsNone")
            try:
                async with asyncio.timeout(_PATIENCE):
                    return await self._commands.run(argv, operation="build", env=_GO)
            except TimeoutError:
                raise BuildFailed(f"did not finish within {_PATIENCE:g} s") from None
            except ProgramFailed as error:
                raise BuildFailed(plain(error.said, str(scratch)), error.status) from None

    def _key(self, folder: Path, contents: Mapping[Path, bytes]) -> str:
        digest = hashlib.sha256(f"{_FORMAT} {self.program} {folder}".encode())
        for file in sorted(contents):
            digest.update(f"\0{file}\0{len(contents[file])}\0".encode() + contents[file])
        return digest.hexdigest()

    def _keep(self, kept: Path, text: str) -> None:
        """What cannot be kept is made again next time."""
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("wb", dir=kept.parent, delete=False) as file:
                file.write(_sealed(text))
            Path(file.name).replace(kept)
            if not self._pruned:
                self._pruned = True
                _prune(kept.parent)


def _sealed(text: str) -> bytes:
    content = text.encode()
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _kept(file: Path) -> str | None:
    """A build from the cache; None where it is not there, or is not what was put there."""
    try:
        seal, _, content = file.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != seal:
            return None
        os.utime(file)
        return content.decode()
    except (OSError, UnicodeDecodeError):
        return None


def _prune(cache: Path) -> None:
    files = sorted(cache.iterdir(), key=lambda file: file.stat().st_mtime)
    for file in files[:-_MOST_KEPT]:
        file.unlink(missing_ok=True)


_NOISE = re.compile(
    r"accumulat\w+ (resources|components): |accumulation err='|^error: |recursed accumulation of path '[^']*': "
)
_CONFLICT = re.compile(r'produces ID conflict: \[\{.*?"kind":"(\w+)".*?"name":"([^"]+)".*', re.DOTALL)
_ADDRESS = re.compile(r"&\{0x[0-9a-f]+[^}]*\}\s*")  # in its memory: another one each time
_AGAIN = re.compile(r"'?: must build at directory: .*$")
_QUOTED = re.compile(r" with config: `[^`]*`|: \[patch: .*\]| from \[patch: .*\]", re.DOTALL)
_LITERAL = re.compile(r"literal sources? .*", re.DOTALL)


_OBJECT = re.compile(r"map\[string\]interface ?\{\}\{.*", re.DOTALL)  # as Go prints one, with all that a Secret holds


def plain(said: str, scratch: str) -> str:
    """Kustomize's words without the way to them, the folder of the copy, and values."""
    words = said.replace(f"/private{scratch}", scratch).replace(f"{scratch}/", "").replace(scratch, ".")
    words = _ADDRESS.sub("", _AGAIN.sub("", _NOISE.sub("", words)))
    words = _QUOTED.sub("", words)
    words = _CONFLICT.sub(r"makes one of two objects: \1 \2", words)
    words = _OBJECT.sub("an object", words)
    words = _LITERAL.sub("a literal is not key=value", words)
    return words if len(words) <= _LONGEST else f"...{words[-_LONGEST:]}"
