"""What processes hold of the machine: measured at the same point of every round, it grows where something leaks."""

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def held(pids: Iterable[int], folder: Path | None = None) -> dict[str, int]:
    """Memory in MiB, processes, open files, inotify instances and namespaces of these processes, the memory of each program, and the
    files below a folder.
    """
    counted: Counter[str] = Counter()
    programs: Counter[str] = Counter()
    namespaces = set[str]()
    for pid in pids:
        process = Path("/proc", str(pid))
        try:
            name, kibibytes = (process / "comm").read_text().strip(), _own(process)
        except OSError:
            continue  # it has ended meanwhile
        programs[name] += kibibytes
        counted["processes"] += 1
        for link in _links(process / "fd"):
            counted["open files"] += 1
            counted["inotify instances"] += link == "anon_inode:inotify"
        namespaces.update(_links(process / "ns"))
    found = {"memory, MiB": round(programs.total() / 1024)}
    found |= {f"memory of {name}, MiB": round(kibibytes / 1024) for name, kibibytes in sorted(programs.items())}
    found |= {name: counted[name] for name in ("processes", "open files", "inotify instances")}
    found |= {"namespaces": len(namespaces)}
    return found | ({"files of the lab": sum(len(names) for *_, names in os.walk(folder))} if folder else {})


def _own(process: Path) -> int:
    """Kibibytes of its own: what it has read of files, a database or its program, the kernel takes back at will."""
    text = (process / "smaps_rollup").read_text()
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss_Anon:")), 0)


def _links(folder: Path) -> list[str]:
    found = []
    with suppress(OSError):
        for link in folder.iterdir():
            with suppress(OSError):
                found.append(str(link.readlink()))
    return found
