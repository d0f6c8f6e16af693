"""Control groups of a lab, in version 1 or 2 of the kernel's interface: made and removed under the lab's own name."""

from contextlib import suppress
from pathlib import Path

from rebirth.lab.namespaces import CGROUP, mount, unshare

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
    with suppress(OSError):
        (folder / "cgroup.clone_children").write_text("1")  # groups that the machine makes take theirs from here


def enter(path: str) -> None:
    """Moves this process into the group, which becomes the root of a cgroup namespace of its own."""
    for hierarchy in _hierarchies():
        (hierarchy / path.strip("/") / "cgroup.procs").write_text("0")
    unshare(CGROUP)


def show(target: Path) -> None:
    """Mounts at `target` what a machine of its own would have there: this process's group as the root of everything."""
    if unified():
        mount("cgroup2", str(target), "cgroup2")
        return
    mount("tmpfs", str(target), "tmpfs", options="mode=755")
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        controllers = line.split(":")[1]  # such as cpu,cpuacct, or name=systemd; none where version 2 stands beside
        if not controllers:
            continue
        name = controllers.removeprefix("name=")
        (target / name).mkdir()
        options = f"none,{controllers}" if controllers.startswith("name=") else controllers
        mount("cgroup", str(target / name), "cgroup", options=options)
        for part in name.split(",") if "," in name else ():
            (target / part).symlink_to(name)


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
