"""containerd's configuration, with the registries that the machine configuration names."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rebirth.lab.talos.boot import has_capability
from rebirth.lab.talos.config import MachineConfig

SOCKET = "/run/containerd/containerd.sock"
_HOSTS = Path("/etc/cni/containerd-hosts")  # on the machine's own disk
_CAP_SYS_RESOURCE = 24


def write(config: MachineConfig, pause: str = "registry.k8s.io/pause:3.10") -> Path:
    """Writes the configuration files; returns the main one."""
    _write_mirrors(config.get("machine.registries.mirrors", {}))
    file = Path("/etc/cni/containerd.toml")
    file.write_text(_main(config, pause))
    file.chmod(0o600)
    return file


def _main(config: MachineConfig, pause: str) -> str:
    # Without CAP_SYS_RESOURCE no process may lower its OOM score, and no pod would start.
    restrict = str(not has_capability(_CAP_SYS_RESOURCE)).lower()
    lines = [
        "version = 2",
        'root = "/var/lib/containerd"',
        'state = "/run/containerd"',
        "[grpc]",
        f'address = "{SOCKET}"',
        '[plugins."io.containerd.grpc.v1.cri"]',
        f'sandbox_image = "{pause}"',
        f"restrict_oom_score_adj = {restrict}",
        "max_concurrent_downloads = 10",
        "enable_unprivileged_ports = true",
        "enable_unprivileged_icmp = true",
        '[plugins."io.containerd.grpc.v1.cri".containerd]',
        'snapshotter = "overlayfs"',
        '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]',
        'runtime_type = "io.containerd.runc.v2"',
        '[plugins."io.containerd.grpc.v1.cri".cni]',
        'bin_dir = "/opt/cni/bin"',
        'conf_dir = "/etc/cni/net.d"',
        '[plugins."io.containerd.grpc.v1.cri".registry]',
        f'config_path = "{_HOSTS}"',
    ]
    for host, entry in (config.get("machine.registries.config", {}) or {}).items():
        lines += _credentials(host, entry.get("auth") or {})
    return "\n".join(lines) + "\n"


def _credentials(host: str, auth: dict[str, Any]) -> list[str]:
    known = {key: value for key, value in auth.items() if key in {"username", "password", "auth", "identityToken"}}
    if not known:
        return []
    section = f'[plugins."io.containerd.grpc.v1.cri".registry.configs."{host}".auth]'
    return [section, *(f"{key.lower()} = {json.dumps(value)}" for key, value in known.items())]


def _write_mirrors(mirrors: dict[str, Any]) -> None:
    _HOSTS.mkdir(parents=True, exist_ok=True)
    for host, entry in (mirrors or {}).items():
        folder = _HOSTS / ("_default" if host == "*" else host)
        folder.mkdir(exist_ok=True)
        lines = [] if entry.get("skipFallback") or host == "*" else [f'server = "https://{host}"']
        for endpoint in entry.get("endpoints") or []:
            lines.append(f'[host."{endpoint}"]\n  capabilities = ["pull", "resolve"]')
            if entry.get("overridePath") or urlsplit(endpoint).path not in {"", "/"}:
                lines.append("  override_path = true")
        (folder / "hosts.toml").write_text("\n".join(lines) + "\n")
