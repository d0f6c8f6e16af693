"""The proof held against rehearsals: every single mistake of tests/proof/mutations.py in the example castle, a rehearsal each.

    python bench/rehearsals.py [--at-once N] [--from N] [--count N] [WORDS]      only mistakes whose name holds WORDS

Prints a line each, and at the end where both disagree.
"""

import argparse
import concurrent.futures
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # not this folder: its proof.py is another one

from proof.mutations import mutations  # noqa: E402 - found only now

EXAMPLE = Path(__file__).parents[1] / "examples" / "castle"


def rehearsed(mutation) -> tuple[str, float, dict]:
    """Name, seconds, and what the rehearsal said."""
    with tempfile.TemporaryDirectory(prefix="rebirth-mutation-") as scratch:
        castle = Path(scratch) / "castle"
        shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
        mutation.apply(castle)
        since = time.monotonic()
        argv = [sys.executable, "-m", "rebirth", "rehearse", str(castle), "--gitops", str(castle / "gitops")]
        done = subprocess.run(
            [*argv, "--json", "--against-check", "--quiet"], capture_output=True, text=True, check=False
        )
        data = json.loads(done.stdout) if done.stdout else {"disagreements": [{"words": done.stderr.strip()[-500:]}]}
        return mutation.name, time.monotonic() - since, data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    wanted = [one for one in mutations(EXAMPLE) if " ".join(given.words) in one.name]
    wanted = wanted[given.first : given.first + given.count]
    disagree = []
    with concurrent.futures.ThreadPoolExecutor(given.at_once) as pool:
        for name, seconds, data in pool.map(rehearsed, wanted):
            found = [one["words"] for one in data["disagreements"]]
            said = "came up" if data.get("ready") else f"{len(data.get('stops', ()))} stops"
            print(f"{seconds:6.1f} s  {said:10} {'disagree' if found else 'agree':8} {name}", flush=True)
            disagree += [(name, words) for words in found]
    for name, words in disagree:
        print(f"\n{name}\n    {words}")
    print(f"\n{len(wanted)} mistakes, {len({name for name, _ in disagree})} with a disagreement")


main()
