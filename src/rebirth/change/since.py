"""`check --since REV`: only what is new is reported and counts; and what the change does to the bootstrap."""

import asyncio
from dataclasses import replace

from rebirth import checking
from rebirth.change.difference import compare, of_clusters
from rebirth.change.revision import Revision, at
from rebirth.change.snapshot import Snapshot, courses, marks
from rebirth.change.telling import Change
from rebirth.change.tree import Tree, tree_of
from rebirth.checking import Asked, Said
from rebirth.errors import SpecError
from rebirth.findings.forms import Answer
from rebirth.findings.verdict import weigh
from rebirth.proof.prove import collect_patiently
from rebirth.proof.reading.kept import opened, put_away


def check(asked: Asked, said: Said, revision: str) -> int:
    """Proves the tree at the revision and the tree of now, tells what is new, and returns the exit code of that."""
    collect_patiently()
    return asyncio.run(_check(asked, said, revision))


async def _check(asked: Asked, said: Said, revision: str) -> int:
    tree = tree_of(asked, "--since")
    kept = opened(tree.root)  # of both trees: most files are the same in both
    asked = replace(asked, kept=kept)
    before, then, unread = await _then(asked, tree, revision)
    async with checking.proved(asked) as done:
        verdict = checking.judged(done, said)
        now = marks(verdict.findings, done.places)
        found = compare(before.marks, verdict.findings, now, lambda file: (tree.top / file).exists())
        clusters = tuple(of_clusters(before.courses, courses(done.proof, tree.logs), done.proof.worlds))
        change = Change(
            revision, then.commit, len(found.new), found.same, found.gone, clusters, done.places, unread=unread
        )
        put_away(kept, tree.root)
        new = replace(verdict, findings=found.new, known=verdict.known + found.same)
        checking.tell(Answer(new, done.places, said.strict, said.verbose, besides=change), said)
        return checking.exit_code(new, said)


async def _then(asked: Asked, tree: Tree, revision: str) -> tuple[Snapshot, Revision, str]:
    """What was found at the revision; nothing, and why, where the tree could not be proved then."""
    async with at(revision, tree.top) as then:
        directory = asked.castle_directory
        past = Asked(directory and then.then(directory), then.then(tree.root), asked.clusters, asked.kept)
        try:
            async with checking.proved(past) as done:
                found = marks(weigh(done.proof, done.places).findings, done.places, then)
                return Snapshot(found, courses(done.proof, tree.logs)), then, ""
        except SpecError as error:
            return Snapshot((), {}), then, str(error).replace(str(then.folder), str(then.top))
