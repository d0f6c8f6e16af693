"""`check` of a repository alone, said again without a proof where nothing that it reads has changed since.

What was said is kept under all that was asked and all that stands around: the program itself, the programs that it runs, the
environment, what was fetched. It is said again where every file and folder of the tree is as it was then: name, size, times and
inode, as in `proof/reading/kept`. Nothing is kept where that would not tell: of a tree that has links out of it or has just been
changed, of certificates, which end some day, and of a program that failed, which may not the next time.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rebirth.proof.programs import kustomize
from rebirth.proof.reading.kept import sealed
from rebirth.secrets import VARIABLE
from rebirth.store.cache import fetched_directory, helm_cache
from rebirth.terminal.output import colours, width, write

if TYPE_CHECKING:
    from rebirth.checking import Proved

_FORMAT = "1"  # another one where what is kept changes
_TICK = 2_000_000_000  # nanoseconds: the coarsest that file systems count times in
_MOST = 100  # answers
_LARGEST = 64 << 20  # bytes of all answers
_FILES = 50_000  # in a tree: of more nothing is kept
# Variables that what is read, or a program that is run, may hang on.
_VARIABLES = ("HOME", "PATH", "LANG", "LC_", "XDG_", "HELM_", "KUBE", "KUSTOMIZE_", "GO", "PYTHON", "REBIRTH_")
_LEFT_OUT = frozenset({".git", "__pycache__"})
_OURS = Path(__file__).parents[1]


class Asked(NamedTuple):
    """The options of `check` that an answer hangs on."""

    gitops: Path
    clusters: Sequence[str] = ()
    style: str = "text"
    verbose: bool = False
    strict: bool = False


class _Tree(NamedTuple):
    digest: str  # of all that stands in it
    changed: int  # nanoseconds: when that was changed last


def check(asked: Asked) -> int:
    """Says what `checking.check` says, and returns the exit code."""
    begun = time.time_ns()
    named = asked.gitops.resolve()
    around = _around(asked, named, begun)
    if around and (known := _known(around)):
        text, code = known
        write(text)
        return code
    from rebirth import checking

    def keep(done: "Proved", text: str, code: int) -> None:
        model = done.proof.model
        top = model.root if model.root in named.parents else named
        tree = _tree(top) if around and done.proof.lasting else None
        # What was changed before the proof began and is the same now was the same all the while.
        if around and tree and tree.changed < begun - _TICK and _around(asked, named, begun) == around:
            data = {"top": str(top), "tree": tree.digest, "around": model.around, "text": text, "code": code}
            sealed.write(_file(around), json.dumps(data).encode(), most=_MOST, largest=_LARGEST)

    told = checking.Said(asked.style, verbose=asked.verbose, strict=asked.strict)
    return checking.check(checking.Asked(None, asked.gitops, asked.clusters), told, keep)


def _file(around: str) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "rebirth" / "answers" / around


def _known(around: str) -> tuple[str, int] | None:
    """What was said of the same tree."""
    content = sealed.read(_file(around))
    if content is None:
        return None
    kept = json.loads(content)
    same = all(os.path.isdir(path) == there for path, there in kept["around"].items())  # noqa: PTH112 - as text, it is quick
    tree = _tree(Path(kept["top"])) if same else None
    return (kept["text"], kept["code"]) if tree and tree.digest == kept["tree"] else None


def _around(asked: Asked, named: Path, begun: int) -> str | None:
    """A digest of all that an answer hangs on besides the tree; None where a part of it has changed just now, or cannot be told."""
    charts, ours = _tree(helm_cache()), _tree(_OURS)
    fetched = _fetched(fetched_directory())
    if ours is None or charts is None or max(charts.changed, ours.changed) >= begun - _TICK:
        return None
    programs = [path for path in ((kustomize() or ("",))[0], shutil.which("helm") or "") if path]
    variables = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(_VARIABLES) and not name.startswith(VARIABLE)
    }
    packages = [path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix))]
    said = [
        _FORMAT,
        str(asked),
        str(named),
        str(Path.cwd()),
        width(),
        colours(),
        sys.version,
        os.geteuid(),
        variables,
        [(path, _time(path)) for path in (*programs, *packages)],
        [(folder / ".git").exists() for folder in (named, *named.parents)],
        charts.digest,
        ours.digest,
        fetched,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _time(path: str) -> int:
    return os.stat(path).st_mtime_ns if os.path.exists(path) else 0  # noqa: PTH110, PTH116 - as text, it is quick


def _fetched(folder: Path) -> list[tuple[str, str]]:
    """What was fetched: records, whose times say when they were used, by content; blobs, whose names are digests, by name."""
    records = sorted(file for name in ("charts", "manifests") for file in (folder / name).rglob("*.json"))
    found = [(str(file), hashlib.sha256(file.read_bytes()).hexdigest()) for file in records]
    blobs = folder / "blobs" / "sha256"
    return [*found, *((name, "") for name in sorted(os.listdir(blobs) if blobs.is_dir() else ()))]  # noqa: PTH208 - names


def _tree(top: Path) -> _Tree | None:
    """All that stands in a folder, `.git` aside; None where that cannot be told, or where a link leads out of it."""
    digest, changed = hashlib.sha256(), 0
    try:
        for number, (line, time_) in enumerate(_entries(str(top)) if top.is_dir() else ()):
            digest.update(line)
            changed = max(changed, time_)
            if number > _FILES:
                return None
    except OSError:
        return None
    return _Tree(digest.hexdigest(), changed)


def _entries(top: str) -> Iterator[tuple[bytes, int]]:
    """A line for each file, folder and link, which is another once it has changed, and when it was. Raises OSError."""
    pending = [top]
    while pending:
        folder = pending.pop()
        with os.scandir(folder) as entries:
            inside = sorted((one for one in entries if one.name not in _LEFT_OUT), key=lambda entry: entry.name)
        yield os.fsencode(f"{folder}\0{len(inside)}\n"), os.stat(folder).st_ctime_ns  # noqa: PTH116 - as text, it is quick
        for entry in inside:
            if entry.is_symlink() and not os.path.realpath(entry.path).startswith(f"{top}/"):
                raise OSError(f"{entry.path} leads out of {top}")
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
                continue
            found = entry.stat(follow_symlinks=False)
            line = f"{entry.name}\0{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}\n"
            yield os.fsencode(line), found.st_ctime_ns
