"""The tailscale system extension, as Talos' image factory puts it into a boot image: containerboot in a container of its own.

Mounts and environment are those of siderolabs/extensions, network/tailscale/tailscale.yaml.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

NAME = "tailscale"
ENVIRONMENT = {
    "TS_SOCKET": "/var/run/tailscale/tailscaled.sock",
    "TS_STATE_DIR": "/var/lib/tailscale",
    "TS_USERSPACE": "false",
}
PROGRAMS = ("containerboot", "tailscaled", "tailscale")
_CONTAINERS = Path("usr/local/lib/containers")
_SERVICES = Path("usr/local/etc/containers")
_CERTIFICATES = "/etc/ssl/certs"


def service() -> dict[str, Any]:
    """The extension's service, in the words of Talos' extension services."""
    read_only, writable = ("/lib", "/usr/lib", "/sbin"), ("/dev/net/tun", "/var/run/tailscale", "/var/lib/tailscale")
    mounts = [_mount(path, "bind", "ro") for path in read_only] + [_mount(path, "bind", "rw") for path in writable]
    return {
        "name": NAME,
        "depends": [
            {"service": "cri"},
            {"network": ["addresses", "connectivity", "etcfiles"]},
            {"configuration": True},
        ],
        "container": {
            "entrypoint": "/usr/local/bin/containerboot",
            "environment": [
                "PATH=/sbin:/usr/local/bin",
                *(f"{name}={value}" for name, value in ENVIRONMENT.items()),
            ],
            "security": {"writeableRootfs": False, "writeableSysfs": True},
            "mounts": [*mounts, _mount(_CERTIFICATES, "rbind", "ro")],
        },
        "restart": "always",
    }


def _mount(path: str, *options: str) -> dict[str, Any]:
    return {"source": path, "destination": path, "type": "bind", "options": list(options)}


def lay(root: Path, programs: Mapping[str, str]) -> None:
    """Puts the extension into the root file system of a Talos: its service and its programs.

    Whom it trusts is what the machine's /etc/ssl/certs holds.
    """
    container = root / _CONTAINERS / NAME
    binaries = container / "usr/local/bin"
    binaries.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        shutil.copy2(programs[name], binaries / name)
    for mount in service()["container"]["mounts"]:  # what is mounted has to be there: the container's root is read-only
        place = container / mount["destination"].lstrip("/")
        if mount["destination"].startswith("/dev/"):
            continue  # runc brings /dev
        place.mkdir(parents=True, exist_ok=True)
    if not (lib64 := container / "lib64").is_symlink():
        lib64.symlink_to("lib")  # where programs of /sbin look for their loader, unlike Talos' own
    services = root / _SERVICES
    services.mkdir(parents=True, exist_ok=True)
    (services / f"{NAME}.yaml").write_text(yaml.safe_dump(service(), sort_keys=False))
