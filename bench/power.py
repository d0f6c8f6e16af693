"""How a castle comes back from a power cut: all machines lose their plug, and get it back; nobody runs anything.

    python bench/power.py [CUTS]

The example castle, in a lab: one create, then that many cuts in a row (5). Prints after how many seconds its site answered, and its
Vault's store was found valid again; ends with 1 where one of them did not come back by itself.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASTLE, CYCLE = ROOT / "examples" / "castle", ROOT / "tests" / "lab" / "power_cycle.py"
NAME = "bench-power"


def rebirth(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rebirth", *arguments], check=check, capture_output=True, text=True)


def cut(castle: Path) -> dict[str, float]:
    """What was true again -> after how many seconds."""
    inside = ("lab", "run", "--lab-name", NAME, "--", sys.executable, str(CYCLE), str(castle))
    done = rebirth(*inside, check=False)
    if done.returncode:
        sys.exit(f"it did not come back by itself:\n{done.stdout}{done.stderr}")
    return {
        what: float(seconds) for what, seconds in re.findall(r"^(.*) after ([0-9.]+) s$", done.stdout, re.MULTILINE)
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{os.cpu_count()} cores; load before: {os.getloadavg()[0]:.2f}", flush=True)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="rebirth-bench-") as scratch:
        castle = Path(scratch) / "castle"
        shutil.copytree(CASTLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
        try:
            rebirth("create", str(castle), "--lab", "--lab-name", NAME, "--budget", "900")
            for number in range(1, count + 1):
                back = cut(castle)
                for what, seconds in back.items():
                    found.setdefault(what, []).append(seconds)
                said = ", ".join(f"{what} after {seconds:.1f} s" for what, seconds in back.items())
                print(f"cut {number}: {said}; load {os.getloadavg()[0]:.2f}", flush=True)
        finally:
            rebirth("lab", "down", NAME)
    for what, values in found.items():
        middle, least, most = statistics.median(values), min(values), max(values)
        print(f"{what}: median {middle:.1f} s, from {least:.1f} to {most:.1f} s, {len(values)} of {count} cuts")


if __name__ == "__main__":
    main()
