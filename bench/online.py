"""How fast the example castle goes online: warm runs of the graph, then of the protocol's layer order, in one sitting.

    python bench/online.py [RUNS]

Prints medians and spreads, the ratio to the critical path's own length, and the ratio of the two orders.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rebirth.report.timeline import Timeline, read, runs

CASTLE = Path(__file__).parents[1] / "examples" / "castle"
NAME = "bench"


def rebirth(*arguments, check=True):
    return subprocess.run([sys.executable, "-m", "rebirth", *arguments], check=check, capture_output=True, text=True)


def one_run(castle: Path, *, layered: bool) -> Timeline:
    rebirth("lab", "up", str(castle), "--lab-name", NAME)
    order = ["--layered"] if layered else []
    done = rebirth("create", str(castle), "--lab", "--lab-name", NAME, "--budget", "600", *order, check=False)
    if done.returncode:
        sys.exit(f"create ended with {done.returncode}:\n{done.stderr}")
    timeline = read(runs(castle / "logs")[-1])
    rebirth("destroy", str(castle), "--lab", "--lab-name", NAME)
    rebirth("lab", "down", NAME)
    return timeline


def busy_share(timeline: Timeline) -> float:
    """What `online` took, divided by the length of the phases on the critical path to it (gaps left out)."""
    path = timeline.critical_path("visit_sites")
    return (timeline.online or 0) / sum(step.seconds for step in path if step.phase)


def summary(words: str, values: list[float]) -> str:
    return f"{words}: median {statistics.median(values):.1f} s, from {min(values):.1f} to {max(values):.1f} s, {len(values)} runs"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{os.cpu_count()} cores; load before: {os.getloadavg()[0]:.2f}", flush=True)
    found: dict[bool, list[Timeline]] = {False: [], True: []}
    with tempfile.TemporaryDirectory(prefix="rebirth-bench-") as scratch:
        castle = Path(scratch) / "castle"
        shutil.copytree(CASTLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
        for layered in (False, True):
            for number in range(count):
                timeline = one_run(castle, layered=layered)
                found[layered].append(timeline)
                order = "layers" if layered else "graph"
                words = f"{order} {number + 1}: online after {timeline.online:.1f} s, everything ready after {timeline.total:.1f} s"
                print(f"{words}; load {os.getloadavg()[0]:.2f}", flush=True)
    graph, layers = ([t.online or 0 for t in found[layered]] for layered in (False, True))
    print(summary("graph,  online", graph))
    print(summary("graph,  everything ready", [t.total for t in found[False]]))
    print(summary("layers, online", layers))
    print(f"ratio to the critical path's own length: {statistics.median(map(busy_share, found[False])):.3f}")
    print(f"the layered order takes {statistics.median(layers) / statistics.median(graph):.2f} times as long")


main()
