"""`check --since REV`: only what is new is reported and counts; and what the change does to the bootstrap."""

import asyncio
from dataclasses import replace
from pathlib import Path

from rebirth import checking
from rebirth.castle import load
from rebirth.castle.load import FILE
from rebirth.change.difference import compare, of_clusters
from rebirth.change.revision import Revision, at
from rebirth.change.snapshot import Snapshot, courses, marks
from rebirth.change.telling import Change
from rebirth.checking import Asked, Proved, Said
from rebirth.errors import SpecError
from rebirth.findings.forms import Answer
from rebirth.findings.verdict import Verdict, weigh
from rebirth.paths import paths_of
from rebirth.repository import local, without_castle


def check(asked: Asked, said: Said, revision: str) -> int:
    """Proves the tree at the revision and the tree of now, tells what is new, and returns the exit code of that."""
    return asyncio.run(_check(asked, said, revision))


async def _check(asked: Asked, said: Said, revision: str) -> int:
    before, then, unread = await _then(asked, revision)
    async with checking.proved(asked) as done:
        verdict, change = _compared(checking.judged(done, said), done, before, then)
        change = replace(change, revision=revision, unread=unread)
        checking.tell(Answer(verdict, done.places, said.strict, said.verbose, besides=change), said)
        return checking.exit_code(verdict, said)


async def _then(asked: Asked, revision: str) -> tuple[Snapshot, Revision, str]:
    """What was found at the revision; empty, and why, where the tree could not be proved then."""
    root, logs = _root(asked)
    async with at(revision, root) as then:
        directory = asked.castle_directory
        past = Asked(directory and then.then(directory), then.then(root), asked.clusters)
        try:
            async with checking.proved(past) as done:
                verdict = weigh(done.proof, done.places)
                found = marks(verdict.findings, done.places, then)
                return Snapshot(found, courses(done.proof, logs)), then, ""
        except SpecError as error:
            return Snapshot((), {}), then, str(error).replace(str(then.folder), str(then.top))


def _root(asked: Asked) -> tuple[Path, Path | None]:
    """The folder of the repository, and the logs of the castle's runs. Raises SpecError where it is not on this machine."""
    directory = asked.castle_directory
    if directory is None:
        return (asked.gitops or Path()).resolve(), None
    if not (directory / FILE).exists():
        raise without_castle(directory)
    castle = load(directory)
    root = asked.gitops or local(directory, castle)
    if root is None:
        hint = "Name a checkout of it with --gitops."
        raise SpecError("--since needs the castle's repository on this machine", hint=hint)
    return root.resolve(), paths_of(directory, castle.secrets).logs


def _compared(verdict: Verdict, done: Proved, before: Snapshot, then: Revision) -> tuple[Verdict, Change]:
    now = marks(verdict.findings, done.places)
    found = compare(before.marks, verdict.findings, now, lambda file: (then.top / file).exists())
    directory, castle = done.directory, done.castle
    logs = paths_of(directory, castle.secrets).logs if directory and castle else None
    clusters = tuple(of_clusters(before.courses, courses(done.proof, logs), done.proof.worlds))
    change = Change("", then.commit, len(found.new), found.same, found.gone, clusters, done.places)
    return replace(verdict, findings=found.new, known=verdict.known + found.same), change
