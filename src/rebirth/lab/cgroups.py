"""Control groups of a lab, in version 1 or 2 of the kernel's interface: made and removed under the lab's own name."""

from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def unified() -> bool:
    """Whether the host has version 2 only."""
    return (_ROOT / "cgroup.controllers").exists()


def _hierarchies() -> list[Path]:
    if unified():
        return [_ROOT]
    return [folder for folder in _ROOT.iterdir() if (folder / "tasks").exists() or (folder / "cgroup.procs").exists()]


def create(path: str) -> None:
    """Makes the group `path`, such as /rebirth-demo/cp-1, in every hierarchy, with every controller handed down."""
    for hierarchy in _hierarchies():
        folder = hierarchy
        for part in Path(path.strip("/")).parts:
            if unified():
                controllers = (folder / "cgroup.controllers").read_text().split()
                with suppress(OSError):  # a group that holds processes hands nothing down
                    (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))
            folder /= part
            folder.mkdir(exist_ok=True)
            if hierarchy.name == "cpuset":
                _inherit_cpuset(folder)


def _inherit_cpuset(folder: Path) -> None:
    for name in ("cpuset.cpus", "cpuset.mems"):
        with suppress(OSError):
            if not (folder / name).read_text().strip():
                (folder / name).write_text((folder.parent / name).read_text())


def remove(path: str) -> list[str]:
    """Removes the group and all below it; returns those that still hold processes."""
    busy = []
    for hierarchy in _hierarchies():
        top = hierarchy / path.strip("/")
        if not top.is_dir():
            continue
        for folder in sorted([top, *(entry for entry in top.rglob("*") if entry.is_dir())], reverse=True):
            try:
                folder.rmdir()
            except OSError:
                busy.append(str(folder))
    return busy
