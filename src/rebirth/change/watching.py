"""`check --watch`: proves, and again whenever a file of the tree changes, and says what that changes in the findings."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import watchfiles

from rebirth import checking
from rebirth.change.difference import Compared, compare
from rebirth.change.snapshot import Mark, marks
from rebirth.change.tree import Tree, tree_of
from rebirth.checking import Asked, Said
from rebirth.console import show_error
from rebirth.errors import Broken, SpecError
from rebirth.findings.forms import Answer
from rebirth.findings.text import Text
from rebirth.findings.verdict import Verdict
from rebirth.proof.prove import patient_collector
from rebirth.proof.reading.kept import Kept
from rebirth.terminal.ending import Ending
from rebirth.terminal.output import colours, width, write

_TICK = 200  # milliseconds after which a signal is noticed where nothing changes
_TOGETHER = 50  # milliseconds without another change that end a change of several files
_NAMED = 3  # files that have changed
_OURS = (".rebirth", "logs")  # what runs write into a castle directory


def watch(asked: Asked, said: Said) -> int:
    """Until a signal asks it to end; returns what a shell reports of that signal (130 after Ctrl-C)."""
    tree = tree_of(asked, "--watch")
    asked = replace(asked, kept=Kept())
    with patient_collector(), Ending() as ending:
        try:
            _watch(asked, said, tree, ending)
        except (KeyboardInterrupt, asyncio.CancelledError):
            write("\n")
    return ending.exit_code


def _watch(asked: Asked, said: Said, tree: Tree, ending: Ending) -> None:
    changes = _changes(tree, said)
    next(changes)  # from here on no change is missed, those while a proof runs included
    known = ending.run(_first(asked, said))
    for files in changes:
        if files:
            if asked.kept:
                asked.kept.forget_unused()
            try:
                known = ending.run(_again(asked, said, tree, known, files))
            except SpecError as error:  # half of an edit: the next change may mend it
                show_error(error)


def _changes(tree: Tree, said: Said) -> Iterator[list[str]]:
    """The files that changed together; none after each tick."""
    folders = {tree.root, tree.castle or tree.root, said.baseline.resolve().parent if said.baseline else tree.root}
    own = watchfiles.DefaultFilter(ignore_dirs=(*watchfiles.DefaultFilter.ignore_dirs, *_OURS))
    seen = watchfiles.watch(
        *sorted(folders), watch_filter=own, step=_TOGETHER, rust_timeout=_TICK, yield_on_timeout=True
    )
    try:
        for found in seen:
            yield sorted({path for _, path in found})
    except OSError as error:
        hint = "More watches: sysctl fs.inotify.max_user_watches. Without: WATCHFILES_FORCE_POLLING=1."
        raise Broken(str(error), operation="watch the tree", hint=hint) from None


async def _first(asked: Asked, said: Said) -> tuple[Mark, ...]:
    async with checking.proved(asked) as done:
        verdict = checking.judged(done, said)
        checking.tell(Answer(verdict, done.places, said.strict, said.verbose), said)
        return marks(verdict.findings, done.places)


async def _again(asked: Asked, said: Said, tree: Tree, known: tuple[Mark, ...], files: list[str]) -> tuple[Mark, ...]:
    since = time.monotonic()
    async with checking.proved(asked) as done:
        verdict = checking.judged(done, said)
        now = marks(verdict.findings, done.places)
        found = compare(known, verdict.findings, now, lambda file: (tree.top / file).exists())
        text = Text(done.places, width=width(), colours=colours())
        write(
            "".join(f"{line}\n" for line in _told(found, verdict, text, _named(files, tree), time.monotonic() - since))
        )
        return now


def _named(files: list[str], tree: Tree) -> str:
    shown = [str(Path(file).relative_to(tree.root) if Path(file).is_relative_to(tree.root) else file) for file in files]
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more


def _told(found: Compared, verdict: Verdict, text: Text, files: str, seconds: float) -> Iterator[str]:
    yield f"{time.strftime('%H:%M:%S')} {files} changed ({seconds:.1f} s)"
    for mark in found.gone:
        yield f"gone: {mark.severity} {mark.rule}: {mark.message}"
    for finding in found.new:
        yield "new:"
        yield from text.finding(finding)
    if not (found.gone or found.new):
        yield "nothing new"
    yield text.summary(verdict)[0]
