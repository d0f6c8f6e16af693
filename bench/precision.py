"""What of real faults the proof finds, and what it says that is not so.

    python bench/precision.py SCRATCH [--fixes FILE] [--mirrors DIR] [--program DIR] [--jobs N] [--words TEXT] [--quick] [--out FILE]

Checks the parent and the fix of every commit in tests/corpus/fixes.toml: what is gone after the fix was said of the fault. Then
whole repositories at a commit, tests/corpus/repositories.toml, for their errors by rule; then our own trees, tests/corpus/trees.
--fixes names another list of commits, as tests/corpus/unseen.toml, and only that is checked.
A repository is taken from DIR (owner+name/repo or owner/name.git), else cloned into SCRATCH without its old files. What a commit's check said is kept
in SCRATCH by commit and by the program's source, so that a second run asks only what changed. --program is the folder of
another version's `rebirth` package; --words limits it to commits whose kind or repository has them; --quick asks a fix only where
something was at the right line, so that nothing is "elsewhere", and leaves out whole repositories.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

HERE = Path(__file__).parents[1]
CORPUS = HERE / "tests" / "corpus"
FIXES = CORPUS / "fixes.toml"
OUTCOMES = ("found", "warned", "elsewhere", "still", "missed", "silent")
MEANING = {
    "found": "an error at the right line, gone after the fix",
    "warned": "a warning or note at the right line, gone after the fix",
    "elsewhere": "something else that is gone after the fix",
    "still": "at the right line, and after the fix, too",
    "missed": "nothing",
    "silent": "the check gave no answer: it crashed, or found no cluster",
}
LONGEST = 900  # seconds that one check may take
UNREAD = [
    f":(exclude)*.{kind}" for kind in ("png", "jpg", "jpeg", "gif", "webp", "mp4", "pdf")
]  # mirrors may lack what is large


@dataclass(frozen=True)
class Fix:
    kind: str
    weight: str
    repository: str
    parent: str
    fix: str
    at: list[str]
    words: str


@dataclass(frozen=True)
class Said:
    """A place of a finding, without what changes from run to run."""

    rule: str
    severity: str
    message: str
    file: str
    line: int
    first: bool = True  # else another place of the same cause

    @property
    def same(self) -> tuple[str, str, str]:
        """What stays the same when lines above it come and go."""
        return self.rule, self.message, self.file


class Checks:
    """Runs checks of commits, and keeps what they said."""

    def __init__(self, scratch: Path, mirrors: Path | None, program: Path) -> None:
        self.scratch, self.mirrors, self.program = scratch, mirrors, program
        self.cloning = Lock()
        digest = hashlib.sha256()
        for file in sorted(program.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(program)).encode() + file.read_bytes())
        self.kept = scratch / "said" / digest.hexdigest()[:16]
        self.kept.mkdir(parents=True, exist_ok=True)

    @cache  # noqa: B019 - one for the whole run
    def repository(self, name: str) -> Path:
        places = [self.mirrors / name.replace("/", "+") / "repo", self.mirrors / f"{name}.git"] if self.mirrors else []
        for place in places:
            if place.is_dir():
                return place
        clone = self.scratch / "clones" / f"{name}.git"
        if not clone.is_dir():
            address = f"https://github.com/{name}"
            subprocess.run(["git", "clone", "--quiet", "--bare", "--filter=blob:none", address, clone], check=True)
        return clone

    def said(self, name: str, commit: str) -> list[Said] | None:
        """The findings in a commit; None: there was no answer."""
        file = self.kept / f"{name.replace('/', '+')}-{commit[:12]}.json"
        if not file.is_file():
            with self.tree(name, commit) as tree:
                file.write_text(json.dumps(self.check(tree)))
        found = json.loads(file.read_text())
        return None if found is None else [Said(**one) for one in found]

    @contextlib.contextmanager
    def tree(self, name: str, commit: str) -> Iterator[Path]:
        with self.cloning:
            repository = self.repository(name)
        with tempfile.TemporaryDirectory(prefix=f"{commit[:8]}-", dir=self.scratch) as folder:
            archive = subprocess.Popen(
                ["git", "-C", repository, "archive", commit, ".", *UNREAD], stdout=subprocess.PIPE
            )
            subprocess.run(["tar", "x", "-C", folder], stdin=archive.stdout, check=True)
            if archive.wait():
                raise SystemExit(f"{name} has no commit {commit}")
            yield Path(folder)

    def check(self, tree: Path) -> list[dict[str, Any]] | None:
        command = [sys.executable, "-m", "rebirth", "check", "--gitops", ".", "--format", "json"]
        env = os.environ | {"PYTHONPATH": str(self.program.parent)}
        try:
            done = subprocess.run(command, cwd=tree, env=env, capture_output=True, timeout=LONGEST, check=False)
            findings = json.loads(done.stdout)["findings"]
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            return None
        kept = ("rule", "severity", "message", "file", "line")
        places = ((one | other, other is one) for one in findings for other in (one, *one["more"]))
        return [{key: place[key] for key in kept} | {"first": first} for place, first in places]


def inside(said: Said, at: str) -> bool:
    """Is a finding at this place: a folder, a file, a line of it, or some?"""
    file, _, lines = at.partition(":")
    if said.file != file:
        return not lines and said.file.startswith(f"{file}/")
    first, _, last = lines.partition("-")
    return not lines or int(first) <= said.line <= int(last or first)


def outcome(fix: Fix, checks: Checks, *, quick: bool) -> tuple[str, list[Said]]:
    """How the proof met a fault, and by what."""
    before = checks.said(fix.repository, fix.parent)
    there = [one for one in before or () if any(inside(one, at) for at in fix.at)]
    after = checks.said(fix.repository, fix.fix) if there or not quick else before
    if before is None or after is None:
        return "silent", []
    stays = {one.same for one in after}
    gone = [one for one in before if one.same not in stays]
    right = [one for one in gone if one in there]
    for name, which in (
        ("found", [one for one in right if one.severity == "error"]),
        ("warned", right),
        ("elsewhere", gone),
        ("still", there),
    ):
        if which:
            return name, which
    return "missed", []


def table(rows: dict[str, Counter[str]]) -> str:
    names = [name for name in OUTCOMES if any(row[name] for row in rows.values())]
    lines = [f"{'':42}" + "".join(f"{name:>10}" for name in names) + f"{'of':>6}"]
    lines += [
        f"{kind:42}" + "".join(f"{row[name]:>10}" for name in names) + f"{row.total():>6}" for kind, row in rows.items()
    ]
    return "\n".join(lines)


def shown(fix: Fix, name: str, by: list[Said]) -> str:
    first = next(iter(by), None)
    told = f"\n      {first.severity} {first.rule} {first.file}:{first.line} {first.message[:150]}" if first else ""
    return (
        f"  {name}, {fix.weight}: {fix.kind}: {fix.words}\n      {fix.repository} {fix.parent[:10]} {fix.at[0]}{told}"
    )


def of_fixes(checks: Checks, pool: ThreadPoolExecutor, listed: Path, words: str, *, quick: bool) -> str:
    every = [Fix(**one) for one in tomllib.loads(listed.read_text())["fix"]]
    fixes = [fix for fix in every if words in f"{fix.kind} {fix.repository} {fix.parent}"]

    def asked(fix: Fix) -> tuple[str, list[Said]]:
        name, by = outcome(fix, checks, quick=quick)
        print(shown(fix, name, by), file=sys.stderr, flush=True)
        return name, by

    met = list(pool.map(asked, fixes))
    rows: dict[str, Counter[str]] = {}
    for weight in ("hard", "soft"):
        for fix, (name, _) in zip(fixes, met, strict=True):
            if fix.weight == weight:
                rows.setdefault(f"{weight}: {fix.kind}", Counter())[name] += 1
    for weight in ("hard", "soft"):
        parts = [row for kind, row in rows.items() if kind.startswith(weight)]
        rows[f"all {weight}"] = sum(parts, Counter())
    rest = [shown(fix, name, by) for fix, (name, by) in zip(fixes, met, strict=True) if name != "found"]
    meaning = "".join(f"  {name}: {MEANING[name]}\n" for name in OUTCOMES)
    return (
        f"{len(fixes)} faults of public repositories, by what the proof said of them\n\n{table(rows)}\n\n{meaning}\n"
        + "\n".join(rest)
    )


def of_repositories(checks: Checks, pool: ThreadPoolExecutor, words: str) -> str:
    listed = tomllib.loads((CORPUS / "repositories.toml").read_text())["repository"]
    wanted = [(one["name"], one["commit"]) for one in listed if words in one["name"]]
    lines = []
    for (name, commit), said in zip(wanted, pool.map(lambda one: checks.said(*one), wanted), strict=True):
        errors = Counter(one.rule for one in said or () if one.severity == "error" and one.first)
        rules = " ".join(f"{rule}x{count}" for rule, count in sorted(errors.items()))
        lines.append(
            f"  {name} {commit[:10]}: " + ("no answer" if said is None else f"{errors.total()} errors  {rules}")
        )
    return "Whole repositories: errors\n\n" + "\n".join(lines)


def of_trees(program: Path) -> str:
    """Our own trees, by a process of their own: the program may be another version."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(program.parent), str(HERE / "tests")))}
    done = subprocess.run(
        [sys.executable, "-m", "corpus.measure"], env=env, capture_output=True, text=True, cwd=HERE, check=False
    )
    return done.stdout + done.stderr


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("scratch", type=Path)
    ask.add_argument("--fixes", type=Path, default=FIXES)
    ask.add_argument("--mirrors", type=Path)
    ask.add_argument("--program", type=Path, default=HERE / "src" / "rebirth")
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--words", default="")
    ask.add_argument("--quick", action="store_true")
    ask.add_argument("--out", type=Path)
    given = ask.parse_args()
    if shutil.which("git") is None:
        raise SystemExit("git is needed")
    given.scratch.mkdir(parents=True, exist_ok=True)
    checks = Checks(given.scratch.resolve(), given.mirrors, given.program.resolve())
    with ThreadPoolExecutor(given.jobs) as pool:
        parts = [of_fixes(checks, pool, given.fixes, given.words, quick=given.quick)]
        if not given.quick and given.fixes == FIXES:
            parts.append(of_repositories(checks, pool, given.words))
    if not given.words and given.fixes == FIXES:
        parts.append(of_trees(checks.program))
    report = "\n\n".join(parts) + "\n"
    print(report)
    if given.out:
        given.out.write_text(report)


main()
