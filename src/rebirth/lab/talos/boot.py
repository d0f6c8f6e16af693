"""The first moments of a machine: namespaces are there (the hypervisor made them), the disk is mounted, PID 1 reaps."""

import sys
from pathlib import Path

from rebirth.lab.namespaces import PRIVATE, RECURSIVE, SHARED, bind, mount
from rebirth.lab.talos.hardware import Hardware

# What the kubelet wants of the whole kernel, in files of the machine's own: the host's settings stay untouched.
_KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def mount_disk(hardware: Hardware) -> None:
    """Lays the machine's own folders over the host's: what is written there is on the machine's disk."""
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    ephemeral = hardware.disk / "ephemeral"
    _own_kernel_settings(hardware.disk / "sys")
    if hardware.cores:
        _own_processors(hardware.disk / "processors", hardware.cores)
    kept = _keep_in_sight(hardware)
    folders = {
        "/var": ephemeral / "var",
        "/etc/kubernetes": ephemeral / "kubernetes",
        "/etc/cni": ephemeral / "cni",
        "/opt": ephemeral / "opt",
    }
    for target, source in folders.items():
        source.mkdir(parents=True, exist_ok=True)
        if not Path(target).exists():
            mount_over_missing(target, hardware.disk)
        bind(source, target)
    mount("tmpfs", "/run", "tmpfs")
    for path, held in kept.items():
        _show(held, path)
    for folder in ("/var/lib", "/var/log", "/var/run", "/var/tmp", "/opt/cni/bin", "/run/lock"):  # noqa: S108 - the machine's own
        Path(folder).mkdir(parents=True, exist_ok=True)
    bind(Path(hardware.programs.get("cni", "/usr/lib/cni")), "/opt/cni/bin")
    # Volumes that a pod mounts must be seen by the kubelet and by other pods.
    mount("none", "/var", flags=RECURSIVE | SHARED)
    mount("none", "/run", flags=RECURSIVE | SHARED)
    resolver = hardware.disk / "resolv.conf"
    resolver.touch()
    bind(resolver, "/etc/resolv.conf")
    if Path("/etc/ssl/certs").is_dir():
        certificates = hardware.disk / "certs"
        certificates.mkdir(exist_ok=True)
        (certificates / "ca-certificates.crt").write_bytes(hardware.ca.read_bytes())
        bind(certificates, "/etc/ssl/certs")


def _own_kernel_settings(folder: Path) -> None:
    for name, value in _KERNEL_SETTINGS.items():
        if (target := Path("/proc/sys", name)).exists():
            own = folder / name
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_text(f"{value}\n")
            bind(own, str(target))


def _own_processors(folder: Path, cores: int) -> None:
    """As many processors as the VM has: what fits on the castle's nodes is what fits here, only slower."""
    everything, nodes = folder / "cpu", folder / "node"
    for number in range(cores):
        # No topology in it: the kubelet would hand these numbers to the kernel, which has others.
        (everything / f"cpu{number}").mkdir(parents=True, exist_ok=True)
    for name in ("online", "possible", "present"):
        (everything / name).write_text(f"0-{cores - 1}\n" if cores > 1 else "0\n")
    nodes.mkdir(exist_ok=True)  # without memory nodes the kubelet counts the processors
    for source, target in ((everything, "/sys/devices/system/cpu"), (nodes, "/sys/devices/system/node")):
        if Path(target).is_dir():
            bind(source, target)


def _keep_in_sight(hardware: Hardware) -> dict[str, Path]:
    """What the machine needs of the host below folders that its disk will cover: held aside, by its path."""
    needed = {sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[3]), str(hardware.ca)}
    needed |= {str(Path(path).resolve()) for path in hardware.programs.values()} | set(hardware.programs.values())
    kept = {}
    for number, path in enumerate(sorted(needed)):
        if path.startswith(("/var/", "/opt/", "/run/")):
            held = hardware.disk / "held" / str(number)
            _show(Path(path), str(held))
            kept[path] = held
    return kept


def _show(source: Path, target: str) -> None:
    place = Path(target)
    if source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    bind(source, target)


def mount_over_missing(target: str, disk: Path) -> None:
    """A folder that the host lacks: an overlay makes it appear in this namespace only, the host is not touched."""
    parent = Path(target).parent
    layers = disk / "overlay" / parent.name
    for layer in ("upper", "work"):
        (layers / layer).mkdir(parents=True, exist_ok=True)
    mount(
        "overlay",
        str(parent),
        "overlay",
        options=f"lowerdir={parent},upperdir={layers / 'upper'},workdir={layers / 'work'}",
    )
    Path(target).mkdir(parents=True, exist_ok=True)
