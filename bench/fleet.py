"""How much more two workers of a fleet get done than one: jobs of one kind over a queue of SQLite or PostgreSQL.

    python bench/fleet.py check 200                 # small repositories
    python bench/fleet.py simulate 1000             # lives in simulation, 50 a job
    REBIRTH_FLEET_POSTGRES=URL python bench/fleet.py check 200

Prints what each number of workers took, by the jobs' own accounts.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

FILES = {
    "clusters/x/apps.yaml": """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {interval: 1h, path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
""",
    "apps/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("check", "simulate"))
    parser.add_argument("number", type=int, help="of checks, or of lives")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    print(f"{asked.number} {asked.kind}; load before: {os.getloadavg()[0]:.2f}; {os.cpu_count()} cores")
    took = {}
    for workers in asked.workers:
        with TemporaryDirectory(prefix="rebirth-fleet-") as folder:
            took[workers] = measured(Path(folder), asked.kind, asked.number, workers)
    first = min(took)
    for workers, seconds in took.items():
        ratio = f", {took[first] / seconds:.2f} times as fast as {first}" if workers != first else ""
        print(f"{workers} workers: {seconds:.1f} s, {60 * asked.number / seconds:.0f} a minute{ratio}")


def measured(folder: Path, kind: str, number: int, workers: int) -> float:
    """Seconds from the start of the first command to the end of the last, as the jobs' own accounts say: without the workers' start."""
    environment = {**os.environ, "REBIRTH_FLEET": str(folder / "fleet"), "NO_COLOR": "1"}
    if url := os.environ.get("REBIRTH_FLEET_POSTGRES"):
        environment["REBIRTH_FLEET_POSTGRES"] = f"{url}_{workers}"  # a database of its own, made when it is missing

    def fleet(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "rebirth", "fleet", *arguments]

    if kind == "check":
        subprocess.run(
            fleet("add", "check", *repositories(folder, number)), env=environment, check=True, capture_output=True
        )
    else:
        subprocess.run(fleet("add", kind, "-n", str(number)), env=environment, check=True, capture_output=True)
    running = [
        subprocess.Popen(fleet("worker", "--name", f"w{one}", "--drain"), env=environment, stdout=subprocess.DEVNULL)
        for one in range(workers)
    ]
    for worker in running:
        worker.wait()
    said = subprocess.run(fleet("status", "--json"), env=environment, check=True, capture_output=True, text=True).stdout
    jobs = json.loads(said)["jobs"]
    accounts = [job["account"] for job in jobs]
    assert all([entry["what"] for entry in account] == ["started", "ended"] for account in accounts)
    print(
        f"  {workers} workers: {dict(Counter(job['state'] for job in jobs))}, {dict(Counter(job['worker'] for job in jobs))}"
    )
    print(
        f"  the longest: {max(account[-1]['seconds'] for account in accounts):.1f} s; load: {os.getloadavg()[0]:.2f}",
        flush=True,
    )
    time.sleep(1)
    return max(account[-1]["at"] for account in accounts) - min(account[0]["at"] for account in accounts)


def repositories(folder: Path, number: int) -> list[str]:
    """Small ones: what a worker and the engine take of their own counts most there."""
    found = []
    for one in range(number):
        repository = folder / f"repository{one}"
        for name, text in FILES.items():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).write_text(text)
        found.append(str(repository))
    return found


if __name__ == "__main__":
    main()
