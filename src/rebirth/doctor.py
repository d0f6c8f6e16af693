"""What this machine, and a castle's vault directory, still lack, and the fix for each."""

import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.place import Place
from rebirth.secrets import Redaction, SecretRef

_PROGRAMS = {  # program -> Debian package
    "containerd": "containerd", "runc": "runc", "git": "git", "ip": "iproute2", "iptables": "iptables", "nft": "nftables",
    "unshare": "util-linux", "conntrack": "conntrack", "socat": "socat", "ethtool": "ethtool", "busybox": "busybox-static",
}  # fmt: skip
_CNI = Path("/usr/lib/cni/bridge")
_DISK_GIB, _MEMORY_GIB = 12, 6
_GO = (1, 26)
_NAMESPACES = ("unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "true")


@dataclass(frozen=True)
class Check:
    what: str
    sound: bool
    fix: str = ""


async def examine(castle: Path | None, environment: Mapping[str, str] = os.environ) -> list[Check]:
    """Every check for the lab on this machine, and for the castle's secrets where a castle is named. Raises SpecError."""
    of_castle = list(_castle(castle, environment)) if castle else []
    return [*_machine(), await _namespaces(), await _go(), *of_castle]


def _machine() -> Iterator[Check]:
    yield Check("Linux", platform.system() == "Linux", "The lab needs Linux.")
    yield Check("root", os.geteuid() == 0, "The lab makes namespaces: run it as root, or with sudo.")
    missing = sorted({package for program, package in _PROGRAMS.items() if not _found(program)})
    if not _CNI.exists():
        missing.append("containernetworking-plugins")
    yield Check("Debian packages", not missing, f"apt-get install {' '.join(missing)}")
    yield Check(
        "control groups",
        Path("/sys/fs/cgroup").is_dir() and any(Path("/sys/fs/cgroup").iterdir()),
        "Mount /sys/fs/cgroup.",
    )
    free = shutil.disk_usage(Path.home()).free >> 30
    yield Check(f"disk ({free} GiB free)", free >= _DISK_GIB, f"A cold toolchain needs {_DISK_GIB} GiB.")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    yield Check(f"memory ({memory:.0f} GiB)", memory >= _MEMORY_GIB, f"The example castle needs {_MEMORY_GIB} GiB.")


async def _namespaces() -> Check:
    fix = "The lab needs mount, PID, network, UTS and IPC namespaces: run it as root, in a container with --privileged."
    try:
        await Commands(Redaction()).run(_NAMESPACES, operation="make namespaces")
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
    found = re.match(r"go(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return Check(f"Go ({said.strip()})", version >= _GO, fix)


def _found(program: str) -> bool:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def _castle(directory: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    from rebirth.castle import load
    from rebirth.place import place_of

    castle = load(directory)
    place = place_of(directory, castle.secrets, environment)
    for program in ("talosctl", "helm"):
        yield Check(program, _found(program), f"Put {program} on PATH; the lab builds its own.")
    references = {reference.secret: reference for _, reference in castle.references()}
    for name in sorted(references):
        yield _secret(references[name], place, environment)


def _secret(reference: SecretRef, place: Place, environment: Mapping[str, str]) -> Check:
    """Whether it is there and kept from others; the value is not looked at."""
    what = f"secret {reference.secret}"
    if environment.get(reference.variable):
        return Check(f"{what} (from {reference.variable})", sound=True)
    file = place.vault / reference.secret
    if not file.is_file() or not file.stat().st_size:
        return Check(what, sound=False, fix=f"Write it to {file}, mode 600, or set {reference.variable}.")
    return Check(what, not file.stat().st_mode & 0o077, f"Others may read it: chmod 600 {file}")


def show(checks: list[Check]) -> int:
    """Prints the checks; returns the exit code."""
    for check in checks:
        print(
            f"{'ok    ' if check.sound else 'LACKS '} {check.what}" + ("" if check.sound else f"\n       {check.fix}")
        )
    return 0 if all(check.sound for check in checks) else 1
