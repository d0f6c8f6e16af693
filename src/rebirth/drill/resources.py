"""What processes hold of the machine: measured at the same point of every round, it grows where something leaks."""

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def held(pids: Iterable[int], folder: Path | None = None) -> dict[str, int]:
    """Memory in MiB, processes, open files, inotify instances and namespaces of these processes, and the files below a folder."""
    counted: Counter[str] = Counter()
    namespaces = set[str]()
    for pid in pids:
        process = Path("/proc", str(pid))
        memory = _proportional(process)
        if memory is None:
            continue  # it has ended meanwhile
        counted["kibibytes"] += memory
        counted["processes"] += 1
        for link in _links(process / "fd"):
            counted["open files"] += 1
            counted["inotify instances"] += link == "anon_inode:inotify"
        namespaces.update(_links(process / "ns"))
    found = {name: counted[name] for name in ("processes", "open files", "inotify instances")}
    found = {"memory, MiB": round(counted["kibibytes"] / 1024), **found, "namespaces": len(namespaces)}
    return found | ({"files of the lab": sum(len(names) for *_, names in os.walk(folder))} if folder else {})


def _proportional(process: Path) -> int | None:
    """Kibibytes that it holds for itself, and its share of what it has in common with others."""
    try:
        text = (process / "smaps_rollup").read_text()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def _links(folder: Path) -> list[str]:
    found = []
    with suppress(OSError):
        for link in folder.iterdir():
            with suppress(OSError):
                found.append(str(link.readlink()))
    return found
