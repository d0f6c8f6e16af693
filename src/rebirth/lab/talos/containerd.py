"""containerd's configuration, with the registries that the machine configuration names."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rebirth.lab.namespaces import has_capability
from rebirth.lab.talos.config import MachineConfig

SOCKET = "/run/containerd/containerd.sock"
_HOSTS = Path("/etc/cni/containerd-hosts")  # on the machine's own disk
_CAP_SYS_RESOURCE = 24


def write(config: MachineConfig, pause: str = "registry.k8s.io/pause:3.10") -> Path:
    """Writes the configuration files; returns the main one."""
    shutil.rmtree(_HOSTS, ignore_errors=True)
    _HOSTS.mkdir(parents=True)
    for name, text in hosts(config).items():
        (_HOSTS / name).parent.mkdir(exist_ok=True)
        (_HOSTS / name).write_text(text)
    file = Path("/etc/cni/containerd.toml")
    file.touch(mode=0o600)  # credentials of registries are in it
    file.write_text(_main(config, pause))
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
    for host, given in credentials(config).items():
        lines.append(f'[plugins."io.containerd.grpc.v1.cri".registry.configs."{host}".auth]')
        lines += [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    return "\n".join(lines) + "\n"


def credentials(config: MachineConfig) -> dict[str, dict[str, str]]:
    """What to log in with by registry, under containerd's names; out of the old and the new kind of document."""
    words = {"username": "username", "password": "password", "auth": "auth", "identityToken": "identitytoken"}
    given = {name: entry.get("auth") or {} for name, entry in (config.get("machine.registries.config") or {}).items()}
    given |= {document["name"]: document for document in config.of_kind("RegistryAuthConfig")}
    found = {
        name: {word: str(auth[key]) for key, word in words.items() if auth.get(key)} for name, auth in given.items()
    }
    return {name: auth for name, auth in found.items() if auth}


def _tls(config: MachineConfig) -> dict[str, tuple[str, bool]]:
    """By registry: an authority of its own (PEM, or empty), and whether its certificate is not looked at."""
    found = {}
    for name, entry in (config.get("machine.registries.config") or {}).items():
        tls = entry.get("tls") or {}
        found[name] = (base64.b64decode(tls.get("ca") or "").decode(), bool(tls.get("insecureSkipVerify")))
    for document in config.of_kind("RegistryTLSConfig"):
        found[document["name"]] = (str(document.get("ca") or ""), bool(document.get("insecureSkipVerify")))
    return {name: pair for name, pair in found.items() if any(pair)}


def _mirrors(config: MachineConfig) -> dict[str, dict[str, Any]]:
    found = dict(config.get("machine.registries.mirrors") or {})
    for document in config.of_kind("RegistryMirrorConfig"):
        endpoints = [entry["url"] if isinstance(entry, dict) else entry for entry in document.get("endpoints") or []]
        found[document["name"]] = {**document, "endpoints": endpoints}
    return found


def hosts(config: MachineConfig) -> dict[str, str]:
    """Files below containerd's config_path: hosts.toml by registry, mirrors in order, and authorities beside them."""
    secured, files = _tls(config), dict[str, str]()
    for name, mirror in _mirrors(config).items():
        endpoints = [(str(url), mirror) for url in mirror.get("endpoints") or []]
        server = []
        if mirror.get("skipFallback") and endpoints:  # the last one takes the place of the registry itself
            url, _ = endpoints.pop()
            server = _server(name, url, mirror, secured, files)
        lines = [*server]
        for url, _ in endpoints:
            lines += [f"[host.{json.dumps(url)}]", *_entry(name, url, mirror, secured, files)]
        files[f"{_folder(name)}/hosts.toml"] = "\n".join(lines) + "\n"
    for name in secured:
        if f"{_folder(name)}/hosts.toml" not in files:
            url = "https://registry-1.docker.io" if name == "docker.io" else f"https://{name}"
            files[f"{_folder(name)}/hosts.toml"] = "\n".join(_server(name, url, {}, secured, files)) + "\n"
    return files


def _server(
    name: str, url: str, mirror: dict[str, Any], secured: dict[str, tuple[str, bool]], files: dict[str, str]
) -> list[str]:
    return [f"server = {json.dumps(url)}", *(line.strip() for line in _entry(name, url, mirror, secured, files))]


def _entry(
    name: str, url: str, mirror: dict[str, Any], secured: dict[str, tuple[str, bool]], files: dict[str, str]
) -> list[str]:
    lines = ['  capabilities = ["pull", "resolve"]']
    if mirror.get("overridePath"):
        lines.append("  override_path = true")
    host = urlsplit(url).netloc
    authority, unchecked = secured.get(host, ("", False))
    if authority:
        file = f"{_folder(name)}/{host}-ca.crt"
        files[file] = authority
        lines.append(f"  ca = {json.dumps(str(_HOSTS / file))}")
    if unchecked:
        lines.append("  skip_verify = true")
    return lines


def _folder(host: str) -> str:
    """What containerd calls the folder of a registry."""
    if host == "*":
        return "_default"
    name, colon, port = host.rpartition(":")
    return f"{name}_{port}_" if colon else host
