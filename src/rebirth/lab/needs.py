"""What this machine is missing for the lab, and the fix for each."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from rebirth.castle import load
from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.lab.namespaces import UNSHARE
from rebirth.lab.spec import load_lab, refuse
from rebirth.secrets import Redaction
from rebirth.store.cache import cache_directory
from rebirth.terminal.checklist import Check, found, program

_PROGRAMS = {  # program -> Debian package
    "containerd": "containerd", "runc": "runc", "git": "git", "ip": "iproute2", "iptables": "iptables", "nft": "nftables",
    "unshare": "util-linux", "conntrack": "conntrack", "socat": "socat", "ethtool": "ethtool", "busybox": "busybox-static",
}  # fmt: skip
_CNI = Path("/usr/lib/cni/bridge")
_DISK_GIB, _MEMORY_GIB = 12, 6
_GO = (1, 26)
_MACHINES = 2  # of the example castle
_WATCHERS = 14  # inotify instances of one machine with its pods: a castle of two takes about 27
_INOTIFY = "fs.inotify.max_user_instances"
_GROUPS = Path("/sys/fs/cgroup")


async def examine(castle: Path | None) -> list[Check]:
    """Every check for the lab; for that castle, where one is named. Raises SpecError."""
    machines, served = _MACHINES, []
    if castle:
        spec = load(castle)
        refuse(spec)
        machines = len(spec.machines.nodes)
        if spec.gitops.ssh:
            served.append(program("sshd", "apt-get install openssh-server"))
        load_lab(castle)
    return [*_machine(), *served, *filter(None, [watchers(machines), controllers()]), await _namespaces(), await _go()]


def _machine() -> Iterator[Check]:
    yield Check("Linux", platform.system() == "Linux", "The lab needs Linux.")
    yield Check("root", os.geteuid() == 0, "The lab makes namespaces: run it as root, or with sudo.")
    missing = sorted({package for program, package in _PROGRAMS.items() if not found(program)})
    if not _CNI.exists():
        missing.append("containernetworking-plugins")
    yield Check("Debian packages", not missing, f"apt-get install {' '.join(missing)}")
    yield Check("control groups", _GROUPS.is_dir() and any(_GROUPS.iterdir()), f"Mount {_GROUPS}.")
    cache = cache_directory()
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(place).free >> 30
    fix = f"Building the lab's programs needs {_DISK_GIB} GiB. REBIRTH_CACHE names another folder."
    yield Check(f"disk ({free} GiB free in {place})", free >= _DISK_GIB, fix)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    yield Check(f"memory ({memory:.0f} GiB)", memory >= _MEMORY_GIB, f"The example castle needs {_MEMORY_GIB} GiB.")


def watchers(machines: int, proc: Path = Path("/proc")) -> Check | None:
    """Whether this user may have as many inotify instances as a castle of so many machines takes; None where nobody says.

    Without them kubelets end at once, and nothing that is waited for says why.
    """
    try:
        limit = int((proc / "sys" / _INOTIFY.replace(".", "/")).read_text())
    except (OSError, ValueError):
        return None
    used, wanted = _instances(proc), machines * _WATCHERS
    more = max(512, 1 << (used + wanted).bit_length())
    fix = f"The castle takes about {wanted}: sysctl -w {_INOTIFY}={more}, or take another lab down."
    return Check(f"{_INOTIFY} ({used} of {limit} in use)", limit - used >= wanted, fix)


def controllers(groups: Path = _GROUPS) -> Check | None:
    """Whether control groups of version 2 hand their controllers down; None where nothing can be in the way.

    In a container the first group is an ordinary one to the kernel, and one that holds processes hands nothing down: machines
    boot, but no container that has limits or shares starts in them, which is every one of a pod.
    """
    if not (groups / "cgroup.type").exists():  # version 1, or the kernel's own first group, which may hold processes
        return None
    held = len((groups / "cgroup.procs").read_text().split())
    move = f"for pid in $(cat {groups}/cgroup.procs); do echo $pid > {groups}/init/cgroup.procs; done"
    fix = f"They keep the controllers from all groups below; move them: mkdir {groups}/init; {move}"
    return Check(f"controllers of the control groups ({held} processes in the first group)", not held, fix)


def _instances(proc: Path) -> int:
    """The inotify instances of this user, as far as its processes are to be seen."""
    count = 0
    for process in proc.glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.geteuid():
                count += sum(str(file.readlink()) == "anon_inode:inotify" for file in (process / "fd").iterdir())
        except OSError:
            continue  # it has ended, or is none of ours
    return count


async def _namespaces() -> Check:
    fix = "The lab needs mount, PID, network, UTS and IPC namespaces: run it as root, in a container with --privileged."
    try:
        await Commands(Redaction()).run((*UNSHARE, "true"), operation="make namespaces")
    except Broken:
        return Check("namespaces", sound=False, fix=fix)
    return Check("namespaces", sound=True)


async def _go() -> Check:
    wanted = ".".join(map(str, _GO))
    fix = f"Install Go {wanted} or later: https://go.dev/dl"
    try:
        said = await Commands(Redaction()).run(["go", "env", "GOVERSION"], operation="ask its version")
    except Broken:
        return Check("Go", sound=False, fix=fix)
    version = re.match(r"go(\d+)\.(\d+)", said)
    return Check(f"Go ({said.strip()})", (int(version[1]), int(version[2])) >= _GO if version else False, fix)
