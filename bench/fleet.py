"""How much more two workers of a fleet get done than one, and how much of the machine the fleet itself takes.

    python bench/fleet.py check 200                        # small repositories
    python bench/fleet.py rehearse 6                       # the same ones, each with an API server of its own
    python bench/fleet.py simulate 1000 --workers 2        # lives in simulation, 50 a job
    REBIRTH_FLEET_POSTGRES=URL python bench/fleet.py check 200

For each number of workers, one after the other: the same commands by `xargs -P`, which is what the machine can give; then by the fleet, timed
by the jobs' own accounts. Waiting depends on who else is at work on the machine, processor seconds hardly do.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from rebirth.fleet.adding import jobs
from rebirth.fleet.kinds import KINDS

FILES = {
    "clusters/x/apps.yaml": """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {interval: 1h, path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
""",
    "apps/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n",
}


@dataclass(frozen=True)
class Took:
    seconds: float
    processor: float
    pauses: tuple[float, ...] = ()  # of each worker, from the end of a job to the start of its next


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("check", "rehearse", "simulate"))
    parser.add_argument("number", type=int, help="of repositories, or of lives")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--fleet-only", action="store_true", help="not by xargs")
    asked = parser.parse_args()
    print(f"{asked.number} {asked.kind}; load before: {os.getloadavg()[0]:.2f}; {os.cpu_count()} cores", flush=True)
    took: dict[str, dict[int, Took]] = {"xargs": {}, "fleet": {}}
    for workers in asked.workers:
        with TemporaryDirectory(prefix="rebirth-fleet-") as folder:
            repositories = [] if asked.kind == "simulate" else written(Path(folder), asked.number)
            if not asked.fleet_only:
                took["xargs"][workers] = by_xargs(asked.kind, asked.number, repositories, workers)
            took["fleet"][workers] = by_fleet(Path(folder), asked.kind, asked.number, repositories, workers)
        for how, found in took.items():
            for number in found.keys() & {workers}:
                print(told(how, number, found, asked.number), flush=True)


def told(how: str, workers: int, found: dict[int, Took], number: int) -> str:
    took, first = found[workers], found[min(found)]
    words = f"{how}, {workers} at once: {took.seconds:.1f} s, {60 * number / took.seconds:.0f} a minute"
    words += f"; {took.processor:.1f} processor seconds"
    if took.pauses:
        words += f"; between two jobs {median(took.pauses):.2f} s in the median, {sum(took.pauses):.1f} s in all"
    return words + (f"; {first.seconds / took.seconds:.2f} times as fast as {min(found)}" if took is not first else "")


def processor() -> float:
    """Of every process that was waited for, and of those that they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_xargs(kind: str, number: int, repositories: list[Path], at_once: int) -> Took:
    one = KINDS[kind]
    wanted = jobs(
        kind, repositories or None, lab=False, lab_name="", rounds=number, seed=0, faults="none", machine="", yes=False
    )
    lines = "".join(f"{' '.join(one.command(job))}\n" for job in wanted)
    argv = ["xargs", f"-P{at_once}", "-L1", sys.executable, *one.program]
    before, since = processor(), time.monotonic()
    subprocess.run(
        argv, input=lines, text=True, cwd=one.at, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return Took(time.monotonic() - since, processor() - before)


def by_fleet(folder: Path, kind: str, number: int, repositories: list[Path], workers: int) -> Took:
    """Seconds from the start of the first command to the end of the last, as the jobs' own accounts say: without the workers' start."""
    environment = {**os.environ, "REBIRTH_FLEET": str(folder / "fleet"), "NO_COLOR": "1"}
    if url := os.environ.get("REBIRTH_FLEET_POSTGRES"):
        environment["REBIRTH_FLEET_POSTGRES"] = f"{url}_{workers}"  # a database of its own, made when it is missing

    def fleet(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "rebirth", "fleet", *arguments]

    what = list(map(str, repositories)) or ["-n", str(number)]
    subprocess.run(fleet("add", kind, *what), env=environment, check=True, capture_output=True)
    before = processor()
    running = [
        subprocess.Popen(fleet("worker", "--name", f"w{one}", "--drain"), env=environment, stdout=subprocess.DEVNULL)
        for one in range(workers)
    ]
    for worker in running:
        worker.wait()
    used = processor() - before
    said = subprocess.run(fleet("status", "--json"), env=environment, check=True, capture_output=True, text=True).stdout
    found = json.loads(said)["jobs"]
    accounts = [job["account"] for job in found]
    assert all([entry["what"] for entry in account] == ["started", "ended"] for account in accounts)
    print(
        f"  {workers} workers: {dict(Counter(job['state'] for job in found))}, {dict(Counter(job['worker'] for job in found))}"
    )
    print(f"  the longest: {max(account[-1]['seconds'] for account in accounts):.1f} s; load: {os.getloadavg()[0]:.2f}")
    took = max(account[-1]["at"] for account in accounts) - min(account[0]["at"] for account in accounts)
    return Took(took, used, tuple(pauses(accounts)))


def pauses(accounts: list[list[dict[str, float]]]) -> list[float]:
    spans: dict[object, list[tuple[float, float]]] = {}
    for begun, ended in accounts:
        spans.setdefault(ended["worker"], []).append((begun["at"], ended["at"]))
    return [start - end for own in spans.values() for (_, end), (start, _) in pairwise(sorted(own))]


def written(folder: Path, number: int) -> list[Path]:
    """Small ones: what a worker and the engine take of their own counts most there."""
    found = []
    for one in range(number):
        repository = folder / f"repository{one}"
        for name, text in FILES.items():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).write_text(text)
        found.append(repository)
    return found


if __name__ == "__main__":
    main()
