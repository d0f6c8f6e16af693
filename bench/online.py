"""How fast the example castle goes online: warm runs of the graph, then of the protocol's layer order, in one sitting.

    python bench/online.py [RUNS [graph|layers]]

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
    rebirth("destroy", str(castle), "--yes", "--lab", "--lab-name", NAME)
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
    orders = sys.argv[2:] or ["graph", "layers"]
    print(f"{os.cpu_count()} cores; load before: {os.getloadavg()[0]:.2f}", flush=True)
    found: dict[str, list[Timeline]] = {order: [] for order in orders}
    with tempfile.TemporaryDirectory(prefix="rebirth-bench-") as scratch:
        castle = Path(scratch) / "castle"
        shutil.copytree(CASTLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
        for number in range(1, count + 1):
            for order in orders:  # by turns: what else the machine does meets both alike
                timeline = one_run(castle, layered=order == "layers")
                found[order].append(timeline)
                words = f"{order} {number}: online after {timeline.online:.1f} s, everything ready after {timeline.total:.1f} s"
                print(f"{words}, path {busy_share(timeline):.3f}; load {os.getloadavg()[0]:.2f}", flush=True)
    for order, timelines in found.items():
        print(summary(f"{order}, online", [timeline.online or 0 for timeline in timelines]))
        print(summary(f"{order}, everything ready", [timeline.total for timeline in timelines]))
        ratio = statistics.median(map(busy_share, timelines))
        print(f"{order}, ratio to the critical path's own length: {ratio:.3f}")
    if len(orders) == 2:
        graph, layers = (statistics.median(timeline.online or 0 for timeline in found[order]) for order in orders)
        print(f"the layered order takes {layers / graph:.2f} times as long")


main()
