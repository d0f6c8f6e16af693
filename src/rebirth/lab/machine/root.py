"""A machine's root file system: the programs of this system, everything that is written on the machine's own disk.

Built in the machine's own mount namespace, so that nothing of it is seen outside and all of it goes with the machine.
"""

import ctypes
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_BIND, _REC, _PRIVATE, _SHARED, _RDONLY, _REMOUNT, _DETACH = 0x1000, 0x4000, 1 << 18, 1 << 20, 1, 0x20, 2

_OWN = {"var", "etc", "opt", "run", "tmp", "proc", "system", "mnt", "media", "srv", "lost+found"}
# From the machine's disk, so that they are still there after a reboot.
_PERSISTENT = {"var": "var", "opt": "opt", "etc/kubernetes": "kubernetes", "etc/cni": "cni", "system/state": "state"}
# What the kubelet sets for the whole kernel is put into files of the machine's own: this system's settings stay untouched.
_KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    result = _libc.mount(source.encode(), str(target).encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {source} on {target}: {os.strerror(number)}")


def bind(source: Path, target: Path) -> None:
    """Shows `source`, with everything mounted below it, at `target` too."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(str(source), target, flags=_BIND | _REC)


def enter(disk: Path, visible: tuple[str, ...]) -> None:
    """Makes the machine's root out of its disk and enters it; `visible` are paths of this system that it needs besides."""
    mount("none", Path("/"), flags=_PRIVATE | _REC)
    root = disk / "root"
    root.mkdir(parents=True, exist_ok=True)
    mount("machine", root, "tmpfs", data="mode=755")
    _programs(root)
    _etc(root)
    for target, source in _PERSISTENT.items():
        (disk / source).mkdir(parents=True, exist_ok=True)
        bind(disk / source, root / target)
    for folder in ("run", "tmp", "system/secrets", "mnt", "proc", ".old"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    mount("proc", root / "proc", "proc")
    _kernel_settings(root)
    for path in visible:
        if not (root / path.lstrip("/")).exists():
            bind(Path(path), root / path.lstrip("/"))
    _pivot(root)


def _programs(root: Path) -> None:
    for entry in Path("/").iterdir():
        if entry.name in _OWN:
            continue
        if entry.is_symlink():
            (root / entry.name).symlink_to(entry.readlink())
        elif entry.is_dir():
            bind(entry, root / entry.name)


def _etc(root: Path) -> None:
    host, own = root / ".host/etc", root / "etc"
    bind(Path("/etc"), host)
    own.mkdir()
    for entry in Path("/etc").iterdir():
        if entry.name not in {"kubernetes", "cni", "cri", "containerd", "resolv.conf", "hosts", "hostname", "mtab"}:
            (own / entry.name).symlink_to(Path("/.host/etc") / entry.name)
    (own / "mtab").symlink_to("/proc/self/mounts")
    (own / "hosts").write_text("127.0.0.1 localhost\n")


def _kernel_settings(root: Path) -> None:
    for name, value in _KERNEL_SETTINGS.items():
        if (root / "proc/sys" / name).exists():
            own = root / "system/kernel" / name
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_text(value + "\n")
            mount(str(own), root / "proc/sys" / name, flags=_BIND)


def _pivot(root: Path) -> None:
    os.chdir(root)
    if _libc.pivot_root(b".", b".old"):
        raise OSError(ctypes.get_errno(), "pivot_root")
    os.chdir("/")
    if _libc.umount2(b"/.old", _DETACH):
        raise OSError(ctypes.get_errno(), "umount of the old root")
    Path("/.old").rmdir()
    # Volumes that a pod mounts have to be seen by the node and other pods (mountPropagation: Bidirectional).
    mount("none", Path("/"), flags=_SHARED | _REC)
