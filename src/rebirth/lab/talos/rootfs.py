"""The root file system that every machine of a lab boots: what Talos' own image holds, out of its module and Debian's programs.

Sources: Talos 1.12's Dockerfile (stage rootfs-base) for the tree and the files below hack/, and /usr/etc/in-container, by which
machined knows that it runs in a container.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from rebirth.errors import Broken
from rebirth.lab.building.images import shared_libraries
from rebirth.lab.building.toolchain import Toolchain
from rebirth.lab.namespaces import CAP_SYS_RESOURCE, has_capability

_FOLDERS = (
    *("usr/bin", "usr/lib/modules", "usr/lib/firmware", "usr/lib/udev/rules.d", "usr/libexec/kubernetes", "usr/etc"),
    *("usr/local/bin", "usr/local/sbin", "usr/local/share", "usr/local/etc/containers", "usr/local/lib/containers"),
    *("usr/local/lib/kubelet/credentialproviders", "usr/share/spdx", "usr/share/zoneinfo/Etc"),
    *("boot/EFI", "mnt", "system", "opt/cni/bin", "opt/containerd/bin", "opt/containerd/lib", ".extra", "proc", "sys"),
    *("dev", "run", "tmp", "var", "root", "home", "etc/cni/net.d", "etc/cri/conf.d/hosts", "etc/containerd", "etc/lvm"),
    *("etc/kubernetes/manifests", "etc/ssl/certs", "etc/selinux/targeted/contexts/files", "etc/iscsi", "etc/nvme"),
)
_LINKS = {
    "bin": "usr/bin",
    "sbin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib",
    "usr/sbin": "bin",
    **dict.fromkeys(("etc/pki", "usr/share/ca-certificates", "usr/local/share/ca-certificates"), "/etc/ssl"),
    "etc/ca-certificates": "/etc/ssl",
    "etc/ssl/certs/ca-certificates": "ca-certificates.crt",
    "etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
}
# machined binds its own files over these, so they must be there.
_EMPTY = (
    *("etc/extensions.yaml", "etc/resolv.conf", "etc/hosts", "etc/hostname", "etc/machine-id"),
    *("etc/cri/conf.d/cri.toml", "etc/cri/conf.d/01-registries.part", "etc/cri/conf.d/20-customization.part"),
    *("etc/cri/conf.d/base-spec.json", "etc/ssl/certs/ca-certificates.crt", "etc/iscsi/initiatorname.iscsi"),
    *("etc/nvme/hostid", "etc/nvme/hostnqn", "etc/selinux/targeted/contexts/files/file_contexts"),
)
_FROM_TALOS = {
    "hack/nfsmount.conf": "etc/nfsmount.conf",
    "hack/containerd.toml": "etc/containerd/config.toml",
    "hack/cri-containerd.toml": "etc/cri/containerd.toml",
    "hack/cri-plugin.part": "etc/cri/conf.d/00-base.part",
    "hack/lvm.conf": "etc/lvm/lvm.conf",
    "hack/zoneinfo/Etc/UTC": "usr/share/zoneinfo/Etc/UTC",
    "pkg/machinery/version/os-release": "etc/os-release",
}
_INIT_NAMES = ("poweroff", "shutdown", "dashboard")  # machined goes by the name it is called with
_HOST = {"nft": "/usr/sbin/nft", "xtables-nft-multi": "/usr/sbin/xtables-nft-multi", "env": "/usr/bin/env"}
_XTABLES = ("iptables", "ip6tables", "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore")
_CNI, _RUNC = Path("/usr/lib/cni"), Path("/usr/sbin/runc")
_CA = "usr/etc/lab-ca.crt"  # read by our patch of machined


async def make(root: Path, toolchain: Toolchain, ca: str) -> None:
    """Lays the root file system into the new folder `root`; machines trust `ca` (PEM) beside Talos' own bundle.

    Raises Broken where a program of the host is missing.
    """
    programs = await toolchain.programs()
    source = await toolchain.module_folder("machined")
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, target in _LINKS.items():
        (root / name).symlink_to(target)
    for name in _EMPTY:
        (root / name).touch()
    for name, place in _FROM_TALOS.items():
        # Its nested module has a folder of its own.
        folder = await toolchain.module_folder("machined", f"{_TALOS}/pkg/machinery") if "machinery" in name else source
        _copy(folder / name.removeprefix("pkg/machinery/"), root / place)
    (root / "usr/etc/in-container").write_text("true\n")
    (root / _CA).write_text(ca)
    _programs(root, programs)


_TALOS = "github.com/siderolabs/talos"


def _programs(root: Path, programs: Mapping[str, str]) -> None:
    bin_ = root / "usr/bin"
    _copy(Path(programs["machined"]), bin_ / "init")
    for name in _INIT_NAMES:
        (bin_ / name).hardlink_to(bin_ / "init")
    for name in ("containerd", "containerd-shim-runc-v2"):
        _copy(Path(programs[name]), bin_ / name)
    for name, place in _HOST.items():
        _copy(Path(place), bin_ / name)
    for name in _XTABLES:
        (bin_ / name).symlink_to("xtables-nft-multi")
    _runc(bin_, programs)
    for plugin in _found(_CNI).iterdir():
        _copy(plugin, root / "opt/cni/bin" / plugin.name)
    _copy(Path(programs["flannel-cni"]), root / "opt/cni/bin/flannel")
    extensions = [path for folder in Path("/usr/lib").glob("*/xtables") for path in folder.iterdir()]
    for extension in extensions:
        _copy(extension, root / str(extension).lstrip("/"))
    for library in {*shared_libraries([_RUNC, *map(Path, _HOST.values()), *extensions])}:
        _copy(library, root / "usr/lib" / str(library).lstrip("/").removeprefix("usr/").split("/", 1)[1])


def _runc(bin_: Path, programs: Mapping[str, str]) -> None:
    if has_capability(CAP_SYS_RESOURCE):
        _copy(_RUNC, bin_ / "runc")
    else:
        _copy(_RUNC, bin_ / "runc.real")
        _copy(Path(programs["lab-runc"]), bin_ / "runc")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_found(source), target)
    target.chmod(0o755 if source.stat().st_mode & 0o111 else 0o644)


def _found(path: Path) -> Path:
    if not path.exists():
        hint = "apt-get install runc nftables iptables containernetworking-plugins"
        raise Broken(f"{path} is missing", system="lab", operation="root file system of the machines", hint=hint)
    return path
