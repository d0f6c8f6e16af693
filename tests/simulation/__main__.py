"""python -m simulation: whole lives of a castle, killed and hindered as a seed says; or cut off at every point there is."""

import argparse
import gc
import hashlib
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import islice, takewhile
from typing import Any

_HASHES = "PYTHONHASHSEED"  # the order of sets is part of what a seed repeats
_TOLD = 250  # lives after which it is said how far it is


def main() -> int:
    if os.environ.get(_HASHES) != "0":
        os.execve(sys.executable, [sys.executable, "-m", "simulation", *sys.argv[1:]], os.environ | {_HASHES: "0"})
    asked = _arguments()
    return _sweep(asked) if asked.what == "sweep" else _simulate(asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("what", choices=("simulate", "sweep"))
    parser.add_argument("-n", type=int, default=None, help="how many lives (1000); with --every of a sweep: not used")
    parser.add_argument(
        "--seed", type=int, default=None, help="without -n: this life again, and all that happens in it; else the first"
    )
    parser.add_argument("--every", type=int, default=1, help="sweep: only every so-manieth point")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="begin no life after that; it is said how many there were"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def life_of(seed: int) -> Any:
    from simulation.faults import drawn
    from simulation.life import lived

    plan = drawn(seed)
    said = str(plan)
    life = lived(seed, plan)
    _collect()
    return life, said


def _collect() -> None:
    """Modules are never garbage: they are looked through once."""
    _freeze()
    gc.collect()


_freeze = cache(gc.freeze)


def _told(seed: int) -> tuple[Any, str]:
    life, said = life_of(seed)
    life.trace = []
    return life, said


def digest(trace: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(trace).encode()).hexdigest()[:16]


def _simulate(asked: argparse.Namespace) -> int:
    if asked.seed is not None and asked.n is None:
        return _again(asked.seed)
    first, number = asked.seed or 0, asked.n or 1000
    began = time.perf_counter()
    sums: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    late, slowest, wrong = 0.0, 0.0, 0
    for seed, (life, said) in _each(_told, range(first, first + number), asked):
        sums.update(lives=1, runs=life.runs, kills=life.kills, messages=len(life.failures), hours=int(life.seconds))
        hits.update(dict.fromkeys(life.hits, 1))
        late, slowest = max(late, life.late), max(slowest, life.slowest)
        if life.complaints:
            wrong += 1
            print(f"seed {seed}: {'; '.join(life.complaints[:3])}\n    {said}", flush=True)
        if sums["lives"] % _TOLD == 0:
            pace = 60 * sums["lives"] / (time.perf_counter() - began)
            print(f"{sums['lives']} of {number} lives, {pace:.0f} a minute, {wrong} failures", file=sys.stderr)
    took = time.perf_counter() - began
    print(
        f"{sums['lives']} lives (seeds {first} to {first + sums['lives'] - 1}), {sums['runs']} runs of create and destroy, {sums['kills']} kills, "
        f"{sums['messages']} runs that ended with a message, {sums['hours'] / 3600:.0f} virtual hours\n"
        f"{len(hits)} kinds of fault struck; online at most {slowest:.0f} s after a run began when everything worked, "
        f"{late:.0f} s after the last fault\n"
        f"{took:.0f} s: {60 * sums['lives'] / took:.0f} lives a minute, {60 * sums['runs'] / took:.0f} runs a minute\n"
        f"{wrong} failures"
    )
    return int(wrong > 0)


def _again(seed: int) -> int:
    life, said = life_of(seed)
    print(f"{said}\n", *life.trace, sep="\n")
    print(f"\nseed {seed}: {life.runs} runs, {life.kills} kills, trace {digest(life.trace)}")
    print(*(f"WRONG: {words}" for words in life.complaints), sep="\n")
    return int(bool(life.complaints))


def _cut(cut: Any) -> Any:
    from simulation.sweep import swept

    life = swept(cut)
    life.trace = []
    _collect()
    return life


def _sweep(asked: argparse.Namespace) -> int:
    from simulation.sweep import KINDS, cuts, points

    began = time.perf_counter()
    created, destroyed = points()
    print(f"{len(created)} points of create, {len(destroyed)} of destroy", flush=True)
    lives: Counter[str] = Counter()
    kills: Counter[str] = Counter()
    wrong = 0
    for cut, life in _each(_cut, list(cuts(asked.every)), asked):
        lives[cut.kind] += 1
        kills[cut.kind] += life.kills
        if life.complaints:
            wrong += 1
            print(f"{cut}: {'; '.join(life.complaints[:3])}", flush=True)
    for kind in KINDS:
        print(f"{kind:30} {lives[kind]:5} lives {kills[kind]:6} kills")
    print(
        f"{sum(lives.values())} lives, {sum(kills.values())} kills, {time.perf_counter() - began:.0f} s\n{wrong} failures"
    )
    return int(wrong > 0)


def _each(work: Callable[[Any], Any], items: Any, asked: argparse.Namespace) -> Iterable[tuple[Any, Any]]:
    jobs, ends = asked.jobs, time.monotonic() + 60 * asked.minutes
    if jobs == 1:
        yield from ((item, work(item)) for item in takewhile(lambda _: time.monotonic() < ends, items))
        return
    with ProcessPoolExecutor(jobs) as pool:
        left = iter(items)
        while time.monotonic() < ends and (some := list(islice(left, 64 * jobs))):
            yield from zip(some, pool.map(work, some, chunksize=4), strict=True)


if __name__ == "__main__":
    sys.exit(main())
