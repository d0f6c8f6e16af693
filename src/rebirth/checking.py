"""What check, plan and explain share: which bootstrap is meant, its proof, and how it is reported."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rebirth.errors import Impossible, Rebirth, SpecError
from rebirth.events import Checked, RunFinished, RunStarted
from rebirth.findings.certainty import Word
from rebirth.findings.forms import FORMS, Answer
from rebirth.findings.places import Places
from rebirth.findings.verdict import Verdict, weigh
from rebirth.proof.prove import Proof, collect_patiently, prove
from rebirth.proof.reading.kept import Kept
from rebirth.proof.rules import Severity
from rebirth.repository import Repository, local, repository_of, without_castle
from rebirth.terminal.output import colours, width, write

if TYPE_CHECKING:
    from rebirth.castle import Castle
    from rebirth.session import Session

_NO = 4  # exit code where the answer to a question is no
_last: list[
    "Proved"
] = []  # held until the process leaves, which frees it at once: piece by piece takes a tenth of the time
_IN_FILES = 120  # columns of text in a file


@dataclass(frozen=True)
class Asked:
    """A castle directory, or a repository alone, or a castle with the repository that it is to be proved with."""

    directory: Path | None
    gitops: Path | None = None
    clusters: Sequence[str] = ()
    kept: Kept | None = field(default=None, compare=False)  # what earlier proofs of this process have read

    @property
    def castle_directory(self) -> Path | None:
        """None: the repository alone is meant."""
        return self.directory or (None if self.gitops else Path())


@dataclass(frozen=True)
class Proved:
    proof: Proof
    places: Places
    castle: "Castle | None"
    repository: Repository
    directory: Path | None = field(default=None)


@asynccontextmanager
async def proved(asked: Asked) -> AsyncIterator[Proved]:
    """The proof of what was asked; the repository's files are there as long as it is open."""
    directory = asked.castle_directory
    if directory is None:
        repository = Repository((asked.gitops or Path()).resolve())
        yield Proved(
            await prove(repository.root, clusters=asked.clusters, kept=asked.kept),
            Places(asked=repository.root),
            None,
            repository,
        )
        return
    from rebirth.castle import load
    from rebirth.castle.load import FILE

    if not (directory / FILE).exists():
        raise without_castle(directory)
    castle = load(directory)
    async with repository_of(directory, castle, asked.gitops) as repository:
        if not asked.clusters:
            _require_path(repository, castle)
        proof = await prove(
            repository.root, clusters=asked.clusters, castle=castle, directory=directory, kept=asked.kept
        )
        yield Proved(proof, _places(repository, directory), castle, repository, directory)


def _places(repository: Repository, directory: Path) -> Places:
    return Places(repository.root if repository.fetched else None, asked=directory.resolve())


def _require_path(repository: Repository, castle: "Castle") -> None:
    if not (repository.root / castle.gitops.path).is_dir():
        where = repository.fetched or str(repository.root)
        raise SpecError(f"{where} has no folder {castle.gitops.path}", hint="Is gitops.path right?")


@dataclass(frozen=True)
class Said:
    """How `check` is to say what it found."""

    style: str = "text"  # on standard output
    outputs: Sequence[tuple[str, Path]] = ()  # other forms, and the files that they go to
    verbose: bool = False
    strict: bool = False  # warnings count as errors
    baseline: Path | None = None  # of findings that are known


def check(asked: Asked, said: Said, keep: Callable[[Proved, str, int], None] | None = None) -> int:
    """Proves, tells what was found on standard output and in files, and returns the exit code.

    `keep` gets all of that: what was said on standard output, and the exit code.
    """

    async def run() -> int:
        async with proved(asked) as done:
            verdict = judged(done, said)
            text, code = tell(Answer(verdict, done.places, said.strict, said.verbose), said), exit_code(verdict, said)
            if keep:
                keep(done, text, code)
            _last[:] = [done]
            return code

    collect_patiently()
    return asyncio.run(run())


def judged(done: Proved, said: Said) -> Verdict:
    """What is to be reported of a proof. Raises SpecError where the baseline cannot be used."""
    verdict = weigh(done.proof, done.places)
    if said.baseline is None:
        return verdict
    from rebirth.findings import baseline

    return baseline.without(verdict, done.places, baseline.read(said.baseline))


def exit_code(verdict: Verdict, said: Said) -> int:
    """Of what is reported; with --strict of warnings, too, and of what cannot be told."""
    unsure = verdict.count(Severity.WARNING) or verdict.word is Word.CANNOT_TELL
    return 3 if verdict.impossible or (said.strict and unsure) else 0


def write_baseline(asked: Asked, file: Path) -> None:
    """Proves, and writes what is found as what is known from now on."""
    from rebirth.findings import baseline

    async def run() -> int:
        async with proved(asked) as done:
            verdict = weigh(done.proof, done.places)
            baseline.write(file, verdict, done.places)
            return len(verdict.findings)

    count = asyncio.run(run())
    write(f"{count} finding{'s' * (count != 1)} written to {file}\n")


def tell(answer: Answer, said: Said) -> str:
    """On standard output, which is returned, and in files. Raises SpecError where a file cannot be written."""
    for name, file in said.outputs:
        try:
            file.write_text(FORMS[name](replace(answer, width=_IN_FILES)), encoding="utf-8")
        except OSError as error:
            raise SpecError(f"--output: {file}: {error.strerror}") from None
    text = FORMS[said.style](replace(answer, width=width(), colours=colours()))
    write(text)
    return text


def before_create(session: "Session", *, unproved: bool) -> Checked:
    """Proves the castle of a run before anything is made.

    Raises Impossible where there are errors, and what stood in the way of the proof, unless `unproved` is set. What was not
    proved is always said.
    """
    try:
        checked, words = session.run(_proved_for(session, unproved=unproved))
    except Exception as error:
        if not unproved or isinstance(error, SpecError):
            _record(session, Checked(0, 0, "the proof failed"), error)
            raise
        why = f": {error}" if isinstance(error, Rebirth) else f" with {type(error).__name__}"
        checked, words = Checked(0, 0, f"the proof failed{why}"), ""
    if checked.errors and not unproved:
        _stop(session, checked, words)
    if not session.quiet:
        session.say(f"unproved: {checked.unproved}" if checked.unproved else _proved(checked))
    return checked


async def _proved_for(session: "Session", *, unproved: bool) -> tuple[Checked, str]:
    """What the proof says, and its words where it found errors."""
    from rebirth.plan.prediction import until_online

    directory, castle = session.paths.castle, session.castle
    async with AsyncExitStack() as stack:
        if local(directory, castle) is None:
            if unproved:
                return Checked(0, 0, "the repository is not on this machine"), ""
            from rebirth.phases.resolve_secrets import resolve_secrets

            try:
                await resolve_secrets(castle, session.paths, session.redaction)
            except SpecError:  # the same words end the run itself, with every secret, before it makes anything
                return Checked(0, 0, "without its secrets the repository cannot be fetched"), ""
        repository = await stack.enter_async_context(repository_of(directory, castle))
        _require_path(repository, castle)
        places = _places(repository, directory)
        proof = await prove(repository.root, castle=castle, directory=directory)
        verdict = weigh(proof, places)
        errors = verdict.count(Severity.ERROR)
        against = f"continued in spite of {errors} error{'s' * (errors != 1)}" if errors else ""
        online = until_online(proof.model, proof.graph, session.paths)
        words = FORMS["text"](Answer(verdict, places, width=width(), colours=colours())) if errors else ""
        return Checked(errors, verdict.count(Severity.WARNING), against, "; ".join(verdict.needed), online), words


def _proved(checked: Checked) -> str:
    """What is said before a run; "proved" only where nothing that matters was left unread."""
    if checked.needed:
        return f"cannot tell whether it can finish: it takes {checked.needed}; {_counted(checked)}"
    return f"proved: {_counted(checked)}"


def _counted(checked: Checked) -> str:
    warnings = f"{checked.warnings} warning{'s' * (checked.warnings != 1)}"
    shown = " (`rebirth check` shows them)" if checked.warnings else ""
    predicted = f"; online is predicted after {checked.online:.0f} s" if checked.online is not None else ""
    return f"no errors, {warnings}{shown}{predicted}"


def _stop(session: "Session", checked: Checked, words: str) -> NoReturn:
    session.view.close()
    (sys.stderr if session.quiet else sys.stdout).write(words)
    message = f"the bootstrap cannot finish: the proof found {checked.errors} error{'s' * (checked.errors != 1)}"
    error = Impossible(message, hint="Nothing was created. `--unproved` continues all the same.")
    _record(session, Checked(checked.errors, checked.warnings), error)
    raise error


def _record(session: "Session", checked: Checked, error: Exception) -> None:
    """A run that ended before it began has its events, too."""
    session.events(RunStarted(session.castle.name, "create", ()))
    session.events(checked)
    session.events(RunFinished(ok=False, error=str(error) if isinstance(error, Rebirth) else type(error).__name__))


def of_one_cluster(proof: Proof) -> Proof:
    """A plan is one cluster's. Raises SpecError where the repository holds several."""
    if len(proof.worlds) > 1:
        clusters = ", ".join(world.cluster for world in proof.worlds)
        raise SpecError(f"the repository has several clusters: {clusters}", hint="Name one of them with --cluster.")
    return proof


def explain(asked: Asked, one: str, other: str, *, style: str) -> int:
    """Why `one` needs `other`, on standard output. Returns 0 where it does, 4 where it does not: 1 is a failure's."""
    from rebirth.findings.data import edge_data
    from rebirth.findings.text import Text
    from rebirth.plan.schedule import labels
    from rebirth.proof.explain import explain as ask

    if style not in {"text", "json"}:
        raise SpecError(f"--format: {style} is neither text nor json")

    async def run() -> int:
        async with proved(asked) as done:
            proof = of_one_cluster(done.proof)
            answer = ask(proof.graph, one, other, labels(proof.model, proof.graph))
            chain = answer.chain or answer.back or ()
            links = tuple(edge for edge in chain if edge.by.label != edge.needs.label) or chain
            if style == "json":
                edges = [edge_data(edge, done.places) for edge in links]
                found = {"needs": edges if answer.chain else None, "needed_by": edges if answer.back else None}
                write(json.dumps({"version": 1, "one": answer.one, "other": answer.other} | found, indent=2) + "\n")
                return 0 if answer.chain else _NO
            words = (
                f"{answer.one} needs {answer.other}:" if answer.chain else f"{answer.one} does not need {answer.other}"
            )
            if answer.back:
                words += f"; {answer.other} needs {answer.one}:"
            drawn = Text(done.places, width=width(), colours=colours()).chain(links) if links else []
            unknown = len(proof.graph.unknowns)
            said = [f"according to the files; {unknown} things are unknown"] if unknown and not answer.chain else []
            write("\n".join([words, *drawn, *said]) + "\n")
            return 0 if answer.chain else _NO

    return asyncio.run(run())


def show_page(rule: str) -> None:
    """The page of a rule, for the terminal."""
    from rebirth.findings.pages import page_of

    write(page_of(rule).text())


def show_rules() -> None:
    """All rules, for the terminal."""
    from rebirth.findings.pages import index

    write(index())
