"""What the proof finds of mistakes in objects, beside what a real API server answers to each (a dry run on its side).

    python bench/refused.py [SEED [MOST]]     MOST mistakes of each object, chosen by SEED; all of them if not given

The mistakes are derived from objects that the API server takes (tests/rehearse/validated.yaml, tests/rehearse/derived.py). A row is a kind: mistakes
that the API server takes, those that it refuses, which of these R49 alone tells, which nothing tells, and what is called an error though it is
taken. Needs the lab's etcd and Kubernetes, and no root.
"""

import asyncio
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # not this folder

from rehearse.asked_of_api import ITEMS, answers, errors, told  # noqa: E402 - found only now
from rehearse.derived import cases  # noqa: E402


def table(seed: int, most: int) -> None:
    made = cases(ITEMS, seed, most)
    with tempfile.TemporaryDirectory() as folder:
        said = asyncio.run(answers([case.item for case in made], Path(folder)))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for case, answer in zip(made, said, strict=True):
        found, count = told(case.item), counts[case.kind]
        count["refused" if answer else "taken"] += 1
        count["told by R49 alone"] += bool(answer and found and {one.rule for one in found} == {"R49"})
        count["not told"] += bool(answer and not found)
        count["called an error falsely"] += bool(not answer and errors(case.item))
        if answer and not found:
            print(f"not told: {case.kind} {case.words}: {answer[-200:]}", file=sys.stderr)
    counts["all"] = sum(counts.values(), Counter())
    columns = ("taken", "refused", "told by R49 alone", "not told", "called an error falsely")
    print(f"seed {seed}, at most {most} of each object\n\n| kind | {' | '.join(columns)} |")
    print(f"|---|{'---|' * len(columns)}")
    for kind, count in counts.items():
        print(f"| {kind} | {' | '.join(str(count[column]) for column in columns)} |")


if __name__ == "__main__":
    table(*(int(word) for word in (*sys.argv[1:], *("1", "1000000")[len(sys.argv) - 1 :])))
