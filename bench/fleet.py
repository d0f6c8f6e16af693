"""How much more two workers of a fleet get done than one, and how much of the machine the fleet itself takes.

    python bench/fleet.py check 200                        # small repositories
    python bench/fleet.py both 200 --keep both.jsonl       # the same ones: half are checked, half rehearsed
    python bench/fleet.py simulate 1000 --blocks 2         # lives in simulation, 50 a job
    REBIRTH_FLEET_POSTGRES=URL python bench/fleet.py check 200

The jobs are cut into blocks. Of each block, for each number of workers: the same commands by `xargs -P`, which is what the machine can
give; then by the fleet, timed by the jobs' own accounts. What speaks for the fleet is how two workers compare with one, beside how two
of xargs do; each block says it once more, and beside it what others took of the machine meanwhile. With --keep a bench that was
interrupted goes on with the measurement that it had come to.
"""

import argparse
import json
import os
import random
import resource
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rebirth.fleet.adding import jobs
from rebirth.fleet.job import Job
from rebirth.fleet.kinds import KINDS

FILES = {
    "clusters/x/apps.yaml": """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {interval: 1h, path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
""",
    "apps/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n",
}
PLAIN: dict[str, Any] = {"lab": False, "lab_name": "", "faults": "none", "machine": "", "yes": False}
Measured = dict[str, Any]
QUIET = 0.1  # cores that others take of a quiet machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("check", "rehearse", "both", "simulate"))
    parser.add_argument("number", type=int, help="of repositories, or of lives")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--blocks", type=int, default=4, help="into how many the jobs are cut")
    parser.add_argument("--minutes", type=float, default=600, help="begin no measurement after that")
    parser.add_argument("--keep", type=Path, help="a file: what is measured is kept there, and not measured again")
    parser.add_argument("--fleet-only", action="store_true", help="not by xargs")
    asked = parser.parse_args()
    deadline = time.monotonic() + 60 * asked.minutes
    print(f"{asked.number} {asked.kind}; load before: {os.getloadavg()[0]:.2f}; {os.cpu_count()} cores", flush=True)
    known = kept(asked.keep)
    found: list[Measured] = []
    for which in measurements(asked):
        if one := next((one for one in known if which.items() <= one.items()), None):
            found.append(one)
        elif time.monotonic() < deadline:
            one = which | measured(which)
            found.append(one)
            print(told(one), flush=True)
            if asked.keep:
                with asked.keep.open("a") as file:
                    file.write(json.dumps(one) + "\n")
    print("\n".join(summary(found, asked.workers)))


def kept(file: Path | None) -> list[Measured]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file and file.exists() else []


def measurements(asked: argparse.Namespace) -> Iterator[Measured]:
    """What is to be measured: blocks outside, so that what is compared is measured close to each other."""
    size, rest = divmod(asked.number, asked.blocks)
    for block in range(asked.blocks):
        number = size + (block < rest)
        first = block * size + min(block, rest)
        for workers in asked.workers if number else []:
            for how in ["fleet"] if asked.fleet_only else ["xargs", "fleet"]:
                yield {"kind": asked.kind, "first": first, "number": number, "how": how, "workers": workers}


def measured(which: Measured) -> Measured:
    """Each in a folder of its own: nothing that another has left in a cache is about the same files."""
    with TemporaryDirectory(prefix="rebirth-fleet-") as name:
        folder = Path(name)
        commands = list(wanted(folder, which["kind"], which["first"], which["number"]))
        busy, own, since = machine(), processor(), time.monotonic()
        done = by_xargs(commands, which) if which["how"] == "xargs" else by_fleet(folder, commands, which)
        lasted, used = time.monotonic() - since, processor() - own
        others = max(0.0, machine() - busy - used) / lasted
    return {"processor": round(used, 1), "others": round(others, 2), "load": round(os.getloadavg()[0], 2)} | done


def wanted(folder: Path, kind: str, first: int, number: int) -> Iterator[tuple[list[str], list[Job]]]:
    """What `fleet add` takes, and the jobs that it makes of that."""
    if kind == "simulate":
        yield [kind, "-n", str(number), "--seed", str(first)], jobs(kind, None, rounds=number, seed=first, **PLAIN)
        return
    repositories = written(folder, number)
    halves = {"check": repositories[::2], "rehearse": repositories[1::2]}
    for one, own in (halves if kind == "both" else {kind: repositories}).items():
        if own:
            yield [one, *map(str, own)], jobs(one, own, rounds=1, seed=0, **PLAIN)


def by_xargs(commands: list[tuple[list[str], list[Job]]], which: Measured) -> Measured:
    all_jobs = [job for _, own in commands for job in own]
    random.Random(0).shuffle(all_jobs)  # noqa: S311 - in no order, as the fleet takes them
    lines = "".join(f"{shlex.join(KINDS[job.kind].command(job))}\n" for job in all_jobs)
    one = KINDS[all_jobs[0].kind]
    argv = ["xargs", f"-P{which['workers']}", "-L1", sys.executable, *one.program]
    since, quiet = time.monotonic(), subprocess.DEVNULL
    done = subprocess.run(argv, input=lines, text=True, cwd=one.at, stdout=quiet, stderr=quiet, check=False)
    return {
        "seconds": round(time.monotonic() - since, 2),
        "ended": "all went well" if done.returncode == 0 else f"xargs says {done.returncode}: not all did",
    }


def by_fleet(folder: Path, commands: list[tuple[list[str], list[Job]]], which: Measured) -> Measured:
    """Seconds from the start of the first command to the end of the last, as the jobs' own accounts say: without the workers' start."""
    environment = {**os.environ, "REBIRTH_FLEET": str(folder / "fleet"), "NO_COLOR": "1"}
    if url := os.environ.get("REBIRTH_FLEET_POSTGRES"):
        # a database of its own, made when it is missing
        environment["REBIRTH_FLEET_POSTGRES"] = f"{url}_{which['workers']}_{which['first']}_{time.time_ns()}"

    def fleet(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "rebirth", "fleet", *arguments]

    for words, _ in commands:
        subprocess.run(fleet("add", *words), env=environment, check=True, capture_output=True)
    running = [
        subprocess.Popen(fleet("worker", "--name", f"w{one}", "--drain"), env=environment, stdout=subprocess.DEVNULL)
        for one in range(which["workers"])
    ]
    for worker in running:
        worker.wait()
    said = subprocess.run(fleet("status", "--json"), env=environment, check=True, capture_output=True, text=True).stdout
    found = json.loads(said)["jobs"]
    accounts = [job["account"] for job in found]
    assert all([entry["what"] for entry in account] == ["started", "ended"] for account in accounts)
    took = max(account[-1]["at"] for account in accounts) - min(account[0]["at"] for account in accounts)
    states, shares = Counter(job["state"] for job in found), Counter(job["worker"] for job in found)
    return {
        "seconds": round(took, 2),
        "ended": ", ".join(f"{number} {state}" for state, number in sorted(states.items())),
        "shares": dict(sorted(shares.items())),
        "pauses": [round(pause, 3) for pause in pauses(accounts)],
    }


def pauses(accounts: list[list[dict[str, float]]]) -> list[float]:
    """Of each worker, from the end of a job to the start of its next."""
    spans: dict[object, list[tuple[float, float]]] = {}
    for begun, ended in accounts:
        spans.setdefault(ended["worker"], []).append((begun["at"], ended["at"]))
    return [start - end for own in spans.values() for (_, end), (start, _) in pairwise(sorted(own))]


def told(one: Measured) -> str:
    words = f"from {one['first']:4}: {one['how']}, {one['workers']} at once: {one['number']} in {one['seconds']:.1f} s"
    words += f", {60 * one['number'] / one['seconds']:.1f} a minute; {one['processor']:.1f} processor seconds"
    words += f"; others took {one['others']:.2f} of {os.cpu_count()} cores, load {one['load']}; {one['ended']}"
    if one.get("pauses"):
        words += f"; between two jobs {median(one['pauses']):.2f} s in the median, {sum(one['pauses']):.1f} s in all"
    return words + (f"; {one['shares']}" if "shares" in one else "")


def summary(found: list[Measured], workers: list[int]) -> Iterator[str]:
    """Over the blocks that are measured to the end."""
    least = workers[0]
    for how in ("xargs", "fleet"):
        by_block: dict[int, dict[int, Measured]] = {}
        for one in found:
            if one["how"] == how:
                by_block.setdefault(one["first"], {})[one["workers"]] = one
        whole = [block for block in by_block.values() if len(block) == len(workers)]
        for number in workers if whole else []:
            did = sum(block[number]["number"] for block in whole)
            lasted = sum(block[number]["seconds"] for block in whole)
            words = f"{how}, {number} at once: {did} in {lasted:.1f} s, {60 * did / lasted:.1f} a minute"
            if number != least:
                ratios = [block[least]["seconds"] / block[number]["seconds"] for block in whole]
                words += f"; {sum(block[least]['seconds'] for block in whole) / lasted:.2f} times as fast as {least}"
                words += f" (by block: {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
            yield words
    if others := [one["others"] for one in found]:
        quiet = "it was quiet" if max(others) <= QUIET else "it was NOT quiet: two at once had not two cores"
        yield f"others took {min(others):.2f} to {max(others):.2f} of the machine's {os.cpu_count()} cores: {quiet}"


def processor() -> float:
    """Seconds of every process that was waited for, of those that they waited for, and of this one."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    return sum(one.ru_utime + one.ru_stime for one in used)


def machine() -> float:
    """Seconds that all cores were busy, or were another machine's: who is not waited for counts as somebody else."""
    fields = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    return float(sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")  # without idle and waiting for disks


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
