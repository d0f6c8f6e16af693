"""The proof held against rehearsals: every single mistake of tests/proof/mutations.py in the example castle, a rehearsal each.

    python bench/rehearsals.py [--at-once N] [--seed N] [--answers FILE] [--only-answered] [WORDS]     only mistakes whose name holds WORDS

Prints a line each, and at the end where both disagree. Answers are appended to FILE; what is answered there is compared with
the proof as it is now, and not rehearsed again: so a run can be cut off and resumed, and a rule mended without rehearsing anew.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # not this folder: its proof.py is another one

from proof.mutations import mutations  # noqa: E402 - found only now
from rebirth.checking import Asked, proved  # noqa: E402
from rebirth.errors import Rebirth  # noqa: E402
from rebirth.findings.certainty import needed  # noqa: E402
from rebirth.proof.prove import Proof  # noqa: E402
from rebirth.proof.rules import Severity  # noqa: E402
from rebirth.rehearse import rehearsal  # noqa: E402
from rebirth.rehearse.disagreements import disagreements, why_beyond  # noqa: E402
from rebirth.rehearse.result import Rehearsed  # noqa: E402

EXAMPLE = Path(__file__).parents[1] / "examples" / "castle"
_ANSWER = TypeAdapter(Rehearsed)
_PREFIX = "rebirth-mutation-"
_FOLDER = re.compile(rf"[^\s\"']*/{_PREFIX}\w+/castle")  # where the castle was when it was rehearsed


@contextmanager
def _mistaken(name: str) -> Iterator[Asked]:
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as scratch:
        castle = Path(scratch) / "castle"
        shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
        next(one for one in mutations(EXAMPLE) if one.name == name).apply(castle)
        yield Asked(castle, castle / "gitops")


def rehearsed(name: str) -> dict:
    """Runs in a process of its own: what its children took is what the rehearsal took."""

    async def run(asked: Asked) -> Rehearsed:
        toolchain, programs = await rehearsal.programs(lambda _: None)
        async with proved(asked) as done:
            return await rehearsal.rehearse(done, toolchain, programs, rehearsal.Options(), lambda _: None)

    since = time.monotonic()
    with _mistaken(name) as asked:
        try:
            answer = _ANSWER.dump_python(asyncio.run(run(asked)), mode="json")
        except Rebirth as error:
            return {"name": name, "failed": str(error)}
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(one.ru_utime + one.ru_stime for one in used)
    return {"name": name, "seconds": time.monotonic() - since, "processor": processor, "answer": answer}


def compared(line: dict) -> tuple[str, list[str]]:
    """In a word what both say, and where they disagree."""

    async def run(asked: Asked) -> tuple[str, list[str]]:
        here = _FOLDER.sub(str(asked.directory), json.dumps(line["answer"]))
        seen = _ANSWER.validate_json(here)
        async with proved(asked) as done:
            told = disagreements(done.proof.worlds[0], done.proof.findings, seen)
            errors = [finding for finding in done.proof.findings if finding.severity is Severity.ERROR]
        if told:
            return "disagree", [one.words for one in told]
        if seen.stops:
            return "both stop" if errors else _without_error(done.proof), []
        return f"cannot show: {', '.join({why_beyond(one): 0 for one in errors})}" if errors else "both come up", []

    with _mistaken(line["name"]) as asked:
        return asyncio.run(run(asked))


def _without_error(proof: Proof) -> str:
    return "stops, and the proof cannot tell" if needed(proof) else "stops, and the proof warns"


def _answers(names: list[str], file: Path | None, at_once: int, *, only_answered: bool) -> Iterator[dict]:
    """Those of the file first."""
    kept = [json.loads(line) for line in file.read_text().splitlines()] if file and file.exists() else []
    earlier = {line["name"]: line for line in kept}  # of several the last
    yield from (earlier[name] for name in names if name in earlier)
    if only_answered:
        return
    todo = [name for name in names if name not in earlier]
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for line in pool.map(rehearsed, todo):
            if "failed" in line:
                print(f"the rehearsal did not work: {line['name']}: {line['failed']}", flush=True)
                continue
            if file:
                with file.open("a") as stream:
                    stream.write(json.dumps(line) + "\n")
            yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--seed", type=int, help="shuffles them")
    parser.add_argument("--answers", type=Path, metavar="FILE")
    parser.add_argument("--only-answered", action="store_true")
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    names = [one.name for one in mutations(EXAMPLE) if " ".join(given.words) in one.name]
    if given.seed is not None:
        random.Random(given.seed).shuffle(names)  # noqa: S311 - an order, no secret
    counted = Counter()
    for line in _answers(names, given.answers, given.at_once, only_answered=given.only_answered):
        word, told = compared(line)
        counted[word] += 1
        print(f"{line['seconds']:6.1f} s  {line['processor']:5.1f} s of processor  {line['name']}: {word}", flush=True)
        print("".join(f"    {words}\n" for words in told), end="", flush=True)
    print(f"\n{sum(counted.values())} mistakes")
    print("".join(f"{count:5} {word}\n" for word, count in counted.most_common()), end="")


if __name__ == "__main__":
    main()
