"""The kernel's namespaces and mounts, for which Python 3.11 has no functions."""

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

PRIVATE, SHARED, RECURSIVE = 0x40000, 0x100000, 0x4000
MOUNT, UTS, IPC, PID, NET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
CGROUP = 0x02000000
CAP_SYS_RESOURCE = 24  # capabilities(7); containers of some clouds lack it
READ_ONLY = 0x1
_BIND, _REMOUNT, _DETACH = 0x1000, 0x20, 0x2
_SET_PARENT_DEATH_SIGNAL = 1

# Runs what follows as PID 1 of namespaces of its own; all of it dies when unshare(1) is killed.
UNSHARE = ("unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child", "--mount-proc")

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mounts a file system or binds a folder. Raises OSError."""
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), options.encode() or None
    )
    _checked(result, f"mount {source} on {target}")


def bind(source: Path, target: str) -> None:
    """Shows `source`, with everything mounted below it, at `target` too."""
    mount(str(source), target, flags=_BIND | RECURSIVE)


def rebind(target: Path, flags: int) -> None:
    """Gives a bind mount other flags, such as READ_ONLY, than what it shows has."""
    mount("none", str(target), flags=_REMOUNT | _BIND | flags)


def pivot(root: Path) -> None:
    """Makes `root`, a mount point with a folder run, the root file system; what was there before is out of sight."""
    old = root / "run/old"
    old.mkdir()
    _checked(_libc.pivot_root(str(root).encode(), str(old).encode()), f"pivot_root {root}")
    os.chdir("/")
    _checked(_libc.umount2(b"/run/old", _DETACH), "umount /run/old")


def unshare(kinds: int) -> None:
    """Leaves the namespaces of these kinds for new ones; a new PID namespace counts for children only. Raises OSError."""
    _checked(_libc.unshare(kinds), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enters the namespace behind an open /proc/PID/ns/ file; a PID namespace counts for children only. Raises OSError."""
    _checked(_libc.setns(descriptor, kind), "setns")


def die_with_parent() -> None:
    """The kernel kills this process when its parent ends, however that ends."""
    _checked(_libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")


def become_init() -> None:
    """Forks: PID 1 stays here and reaps every orphan; returns in the child only. When the child ends, so does PID 1."""
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            sys.exit(0)
        if pid == child:
            sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


def hostname(name: str) -> None:
    socket.sethostname(name)


def has_capability(number: int) -> bool:
    """Whether this process may use the capability of that number (capabilities(7))."""
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    return bool(effective >> number & 1)
