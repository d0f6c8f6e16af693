"""`python -m fuzz MINUTES [TARGET ...]`: spoils input until the time is over; `--seed N` repeats one that was found."""

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz.targets import TARGETS, Unsound


def once(name: str, seed: int) -> str:
    """What is wrong with the target on that seed's input; "" where nothing is."""
    with TemporaryDirectory(prefix="rebirth-fuzz-") as folder:
        try:
            TARGETS[name](random.Random(seed), Path(folder))
        except Unsound as error:
            return str(error)
    return ""


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", type=float, nargs="?", default=60)
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--seed", type=int)
    asked = parser.parse_args()
    if asked.seed is not None:
        return _repeated(asked.targets, asked.seed)
    ends, first = time.monotonic() + 60 * asked.minutes, random.SystemRandom().randrange(1 << 40)
    done, found, number = Counter[str](), Counter[str](), 0
    while time.monotonic() < ends:
        name, seed = asked.targets[number % len(asked.targets)], first + number
        number += 1
        if wrong := once(name, seed):
            found[name] += 1
            _say(f"{name}, --seed {seed}: {wrong}")
        done[name] += 1
    _say(f"{sum(done.values())} inputs from seed {first}: {dict(done)}; unsound: {dict(found) or 'none'}")
    return 1 if found else 0


def _repeated(targets: list[str], seed: int) -> int:
    wrong = {name: said for name in targets if (said := once(name, seed))}
    for name, said in wrong.items():
        _say(f"{name}: {said}")
    return 1 if wrong else 0


sys.exit(main())
