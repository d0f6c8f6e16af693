"""What this machine, and a castle's vault directory, still lack, and the fix for each."""

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROGRAMS = {  # program -> Debian package
    "containerd": "containerd", "runc": "runc", "git": "git", "ip": "iproute2", "iptables": "iptables", "nft": "nftables",
    "unshare": "util-linux", "conntrack": "conntrack", "socat": "socat", "ethtool": "ethtool", "busybox": "busybox-static",
}  # fmt: skip
_CNI = Path("/usr/lib/cni/bridge")
_DISK_GIB, _MEMORY_GIB = 12, 6


@dataclass(frozen=True)
class Check:
    what: str
    sound: bool
    fix: str = ""


def examine(castle: Path | None) -> list[Check]:
    """Every check for the lab on this machine, and for the castle's secrets where a castle is named. Raises SpecError."""
    return [*_machine(), *(_castle(castle) if castle else ())]


def _machine() -> Iterator[Check]:
    yield Check("Linux", platform.system() == "Linux", "The lab needs Linux.")
    yield Check("root", os.geteuid() == 0, "The lab makes namespaces: run it as root, or with sudo.")
    missing = sorted({package for program, package in _PROGRAMS.items() if not _found(program)})
    if not _CNI.exists():
        missing.append("containernetworking-plugins")
    yield Check("Debian packages", not missing, f"apt-get install {' '.join(missing)}")
    yield Check("Go", _found("go"), "Install Go 1.26 or later: https://go.dev/dl")
    yield Check(
        "control groups",
        Path("/sys/fs/cgroup").is_dir() and any(Path("/sys/fs/cgroup").iterdir()),
        "Mount /sys/fs/cgroup.",
    )
    free = shutil.disk_usage(Path.home()).free >> 30
    yield Check(f"disk ({free} GiB free)", free >= _DISK_GIB, f"A cold toolchain needs {_DISK_GIB} GiB.")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    yield Check(f"memory ({memory:.0f} GiB)", memory >= _MEMORY_GIB, f"The example castle needs {_MEMORY_GIB} GiB.")


def _found(program: str) -> bool:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def _castle(directory: Path) -> Iterator[Check]:
    from rebirth.place import place_of
    from rebirth.spec import load

    castle = load(directory)
    place = place_of(directory, castle.secrets)
    for program in ("talosctl", "helm"):
        yield Check(program, _found(program), f"Put {program} on PATH; the lab builds its own.")
    for name in sorted({reference.secret for _, reference in castle.references()}):
        file = place.vault / name
        there = file.is_file()
        yield Check(f"secret {name}", there, f"Write it to {file}.")
        if there:
            yield Check(f"secret {name}: mode", not file.stat().st_mode & 0o077, f"chmod 600 {file}")


def show(checks: list[Check]) -> int:
    """Prints the checks; returns the exit code."""
    for check in checks:
        print(
            f"{'ok    ' if check.sound else 'LACKS '} {check.what}" + ("" if check.sound else f"\n       {check.fix}")
        )
    return 0 if all(check.sound for check in checks) else 1
