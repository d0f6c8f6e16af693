"""The first moments of a machine: the hypervisor made its namespaces, here its file systems are mounted and machined starts.

What Docker does for Talos' container image, without Docker; tried out with Talos 1.12.
"""

import os
import stat
import uuid
from pathlib import Path

from rebirth.lab import cgroups
from rebirth.lab.namespaces import (
    CAP_SYS_RESOURCE,
    PRIVATE,
    READ_ONLY,
    RECURSIVE,
    bind,
    has_capability,
    hostname,
    mount,
    pivot,
    rebind,
)
from rebirth.lab.talos.hardware import Hardware

# The machine's disk: folder of the root file system -> its folder there. `state` and `var` are partitions on metal.
VOLUMES = {
    "var": "var",
    "system/state": "state",
    "etc/cni": "etc-cni",
    "etc/kubernetes": "etc-kubernetes",
    "usr/libexec/kubernetes": "usr-libexec-kubernetes",
    "opt": "opt",
}
_DEVICES = {  # the kernel's own numbers (its admin guide, devices.txt)
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "kmsg": (1, 11),
    "tty": (5, 0),
    "net/tun": (10, 200),
    "fuse": (10, 229),
}
# What machined sets in the kernel of the whole host: it writes to files of its own instead.
_SETTINGS = ("kernel/panic", "kernel/pid_max", "vm/overcommit_memory", "fs/inotify/max_user_instances", "fs/aio-max-nr")
_OWN = Path("/run/lab")  # in the machine: what is bound over files of /proc and /sys


def boot(hardware: Hardware) -> None:
    """Never returns: this process becomes machined. Raises OSError."""
    cgroups.enter(hardware.cgroup)
    hostname(hardware.hostname)
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    root = hardware.disk / "root"
    root.mkdir(exist_ok=True)
    bind(hardware.root, str(root))
    rebind(root, READ_ONLY)
    mount("proc", f"{root}/proc", "proc")
    mount("sysfs", f"{root}/sys", "sysfs")
    cgroups.show(root / "sys/fs/cgroup")
    _devices(root / "dev")
    for name in ("run", "system", "tmp"):
        mount("tmpfs", f"{root}/{name}", "tmpfs")
    own = Path(f"{root}{_OWN}")
    own.mkdir()
    _volumes(hardware, root)
    _files(hardware, root, own)
    _kernel(root, own)
    _processors(root, own, hardware.cores)
    pivot(root)
    environment = {
        "PLATFORM": "container",
        "TALOSSKU": f"{hardware.cores}CPU-{hardware.memory_mib}RAM",
        "PATH": "/usr/bin:/usr/sbin",
        "HOME": "/",
        "TERM": "linux",
    }
    os.execve("/sbin/init", ["/sbin/init"], environment)  # noqa: S606 - this is the machine's init


def _volumes(hardware: Hardware, root: Path) -> None:
    (root / "system/state").mkdir()
    for target, name in VOLUMES.items():
        volume = hardware.disk / name
        if not volume.exists():
            volume.mkdir()
            if target == "opt":  # as Docker fills a new volume from the image: the CNI plugins
                _fill(volume, hardware.root / target)
        bind(volume, f"{root}/{target}")


def _fill(volume: Path, source: Path) -> None:
    for path in sorted(source.rglob("*")):
        place = volume / path.relative_to(source)
        if path.is_dir():
            place.mkdir()
        else:
            place.write_bytes(path.read_bytes())
            place.chmod(path.stat().st_mode)


def _devices(dev: Path) -> None:
    mount("tmpfs", str(dev), "tmpfs", options="mode=755")
    (dev / "net").mkdir()
    for name, numbers in _DEVICES.items():
        os.mknod(dev / name, 0o666 | stat.S_IFCHR, os.makedev(*numbers))
        (dev / name).chmod(0o666)
    for name in ("pts", "shm", "mqueue"):
        (dev / name).mkdir()
    mount("devpts", str(dev / "pts"), "devpts", options="newinstance,ptmxmode=0666,mode=620,gid=5")
    mount("shm", str(dev / "shm"), "tmpfs", options="mode=1777")
    mount("mqueue", str(dev / "mqueue"), "mqueue")
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
    for name, target in links.items():
        (dev / name).symlink_to(target)


def _files(hardware: Hardware, root: Path, own: Path) -> None:
    """What the container platform reads of its surroundings: the name, the addresses, who resolves."""
    address = hardware.lease.address.partition("/")[0] if hardware.lease else "127.0.1.1"
    texts = {
        "hostname": f"{hardware.hostname}\n",
        "hosts": f"127.0.0.1 localhost\n{address} {hardware.hostname}\n",
        "resolv.conf": "".join(f"nameserver {server}\n" for server in hardware.nameservers),
    }
    for name, text in texts.items():
        (own / name).write_text(text)
        bind(own / name, f"{root}/etc/{name}")


def _kernel(root: Path, own: Path) -> None:
    """Settings of the machine's network are its own; all others belong to the host's kernel and stay as they are."""
    settings = root / "proc/sys"
    bind(settings, str(settings))
    rebind(settings, READ_ONLY)
    bind(settings / "net", str(settings / "net"))
    rebind(settings / "net", 0)
    for name in _SETTINGS:
        _over(settings / name, own / name.replace("/", "."), (settings / name).read_text())
    # A boot has an id of its own: `talosctl reboot` waits for another one.
    _over(settings / "kernel/random/boot_id", own / "boot_id", f"{uuid.uuid4()}\n")
    if not has_capability(CAP_SYS_RESOURCE):
        # Without the capability no OOM score can be lowered; containerd's library, which machined uses, forgives that only
        # in a user namespace. It reads that here, and of PID 1 only machined does.
        _over(root / "proc/1/uid_map", own / "uid_map", "         0          0 4294967294\n")


def _over(target: Path, file: Path, text: str) -> None:
    file.write_text(text)
    bind(file, str(target))


def _processors(root: Path, own: Path, cores: int) -> None:
    """As many processors as the VM has: what fits on the castle's nodes is what fits here, only slower.

    The kubelet's container does not see what is bound here; its wrapper binds it there, out of /run/lab.
    """
    everything, nodes = own / "cpu", own / "node"
    for number in range(cores):
        # No topology in it: the kubelet would hand these numbers to the kernel, which has others.
        (everything / f"cpu{number}").mkdir(parents=True)
    for name in ("online", "possible", "present"):
        (everything / name).write_text(f"0-{cores - 1}\n" if cores > 1 else "0\n")
    nodes.mkdir()  # without memory nodes the kubelet counts the processors
    for source, target in ((everything, "devices/system/cpu"), (nodes, "devices/system/node")):
        if (root / "sys" / target).is_dir():
            bind(source, f"{root}/sys/{target}")
