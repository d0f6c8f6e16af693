"""What the proof finds of mistakes in objects, beside what a real API server answers to each (a dry run on its side).

    python bench/refused.py [SEED [MOST]]     MOST mistakes of each object, chosen by SEED; all of them if not given

The mistakes are derived from objects that the API server takes (tests/rehearse/validated.yaml, tests/rehearse/derived.py). "By schema" is R48,
"by validation alone" R49. Needs the lab's etcd and Kubernetes, and no root.
"""

import asyncio
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # not this folder

from rehearse.asked_of_api import ITEMS, answers, of_schema, of_validation  # noqa: E402 - found only now
from rehearse.derived import cases  # noqa: E402


def table(seed: int, most: int) -> None:
    made = cases(ITEMS, seed, most)
    with tempfile.TemporaryDirectory() as folder:
        said = asyncio.run(answers([case.item for case in made], Path(folder)))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for case, answer in zip(made, said, strict=True):
        schema, validation = of_schema(case.item), of_validation(case.item)
        count = counts[case.kind]
        count["refused" if answer else "taken"] += 1
        count["by schema"] += bool(answer and schema)
        count["by validation alone"] += bool(answer and validation and not schema)
        count["missed"] += bool(answer and not schema and not validation)
        count["false"] += bool(not answer and (schema or validation))
    counts["all"] = sum(counts.values(), Counter())
    columns = ("taken", "refused", "by schema", "by validation alone", "missed", "false")
    print(f"seed {seed}, at most {most} of each object\n\n| kind | {' | '.join(columns)} |")
    print(f"|---|{'---|' * len(columns)}")
    for kind, count in counts.items():
        print(f"| {kind} | {' | '.join(str(count[column]) for column in columns)} |")


if __name__ == "__main__":
    table(*(int(word) for word in (*sys.argv[1:], "1", "1000000")[:2]))
