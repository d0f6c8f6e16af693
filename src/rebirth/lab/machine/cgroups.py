"""Control groups of machines, on version 1, version 2 or both at once: whatever this system has mounted."""

import os
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def hierarchies() -> tuple[tuple[Path, bool], ...]:
    """Every mounted hierarchy, and whether it is version 2."""
    rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return tuple((Path(row[1]), row[2] == "cgroup2") for row in rows if row[2] in {"cgroup", "cgroup2"})


def version() -> int:
    """Which version containers are put under: 2 only where version 1 is not mounted at all."""
    return 2 if all(is_v2 for _, is_v2 in hierarchies()) else 1


def enter(group: str) -> None:
    """Makes `group` (such as /rebirth-x/node) everywhere and moves this process into its leaf `system`.

    A leaf, because version 2 allows no process in a group that hands controllers to its children.
    """
    for mount, is_v2 in hierarchies():
        leaf = mount / group.strip("/") / "system"
        leaf.mkdir(parents=True, exist_ok=True)
        if is_v2 and version() == 2:
            _delegate(mount, leaf.parent)
        _inherit_cpuset(mount, leaf)
        (leaf / "cgroup.procs").write_text(str(os.getpid()))


def _delegate(mount: Path, group: Path) -> None:
    below = group.relative_to(mount)
    for folder in [*reversed(below.parents), below]:
        for controller in (mount / folder / "cgroup.controllers").read_text().split():
            with suppress(OSError):  # one that cannot be handed on is one that nobody here can use
                (mount / folder / "cgroup.subtree_control").write_text(f"+{controller}")


def _inherit_cpuset(mount: Path, leaf: Path) -> None:
    # A new version 1 cpuset is empty and takes no process until it is given processors and memory nodes.
    for folder in [*reversed(leaf.relative_to(mount).parents), leaf.relative_to(mount)]:
        for name in ("cpuset.cpus", "cpuset.mems"):
            file = mount / folder / name
            if folder != Path() and file.exists() and not file.read_text().strip():
                file.write_text((file.parent.parent / name).read_text())


def remove(group: str) -> None:
    """Removes `group` and all groups below it; they must hold no process any more."""
    for mount, _ in hierarchies():
        top = mount / group.strip("/")
        for folder, _, _ in os.walk(top, topdown=False):
            with suppress(FileNotFoundError):
                Path(folder).rmdir()
