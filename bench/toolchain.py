"""How long the lab's programs take to build where nothing is cached: processor seconds and waiting, a line each.

`python bench/toolchain.py [--keep FOLDER] [NAME ...]`: those named, else all that are not optional, in the lab's order, in
caches of their own. Go's module cache is left as it is: downloads are not measured. `--keep` leaves the caches in that
folder, and takes what is there already.
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from pathlib import Path

from rebirth.lab.building.toolchain import Toolchain, chosen


def _spent() -> float:
    """Processor seconds of all children that have ended: user and system."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


async def _measure(caches: Path, names: list[str]) -> None:
    os.environ["GOCACHE"] = str(caches / "go-build")
    toolchain = Toolchain(caches / "rebirth")
    await toolchain.go_version()
    total, began = _spent(), time.monotonic()
    for component in chosen(names):
        before, since = _spent(), time.monotonic()
        built = await toolchain.build(component)
        said = f"{_spent() - before:6.0f} processor s {time.monotonic() - since:6.0f} s of waiting"
        print(f"{component.name:22} {'in the cache' if built.cached else said}", flush=True)
    print(f"{'all':22} {_spent() - total:6.0f} processor s {time.monotonic() - began:6.0f} s of waiting")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(given.keep or Path(folder), given.names))


if __name__ == "__main__":
    main()
