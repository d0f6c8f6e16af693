"""Every single mistake that tests/proof/mutations.py knows, in the example castle: where do the proof and the model of Flux disagree?

    python bench/agreement.py [WORDS]        only mistakes whose name holds WORDS

Prints each disagreement, explained ones with their explanation, and the count.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # not this folder: its proof.py is another one

from proof.test_mutations import ALL, EXAMPLE, EXPLAINED, compare  # noqa: E402 - found only now


def main() -> None:
    wanted = [mutation for mutation in ALL if " ".join(sys.argv[1:]) in mutation.name]
    open_ends = 0
    for mutation in wanted:
        with tempfile.TemporaryDirectory(prefix="rebirth-agreement-") as scratch:
            castle = Path(scratch) / "castle"
            shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
            mutation.apply(castle)
            agreed, said = compare(mutation, castle)
        if not agreed or len(wanted) < len(ALL):
            print(
                said, f"\n    explained: {EXPLAINED[mutation.name]}" if mutation.name in EXPLAINED else "", flush=True
            )
        open_ends += not agreed and mutation.name not in EXPLAINED
    print(f"{len(wanted)} mistakes, {open_ends} disagreements without an explanation")
    sys.exit(bool(open_ends))


main()
