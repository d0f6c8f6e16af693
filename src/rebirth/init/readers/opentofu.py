"""OpenTofu or Terraform with bpg/proxmox: variables, and the resources that name them. Tokens and passwords stay there."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hcl2.api import loads
from lark.exceptions import LarkError

from rebirth.init.folder import Folder
from rebirth.init.found import Found

# Where people write it -> what it is here; the first part of several is the block or the variable it stands in.
_NAMES = {
    "proxmox.endpoint": ("proxmox_endpoint", "proxmox_api_url", "proxmox_url", "pm_api_url", "proxmox.endpoint"),
    "proxmox.node": ("node_name", "proxmox_node", "proxmox_node_name", "target_node", "host_node"),
    "proxmox.image_storage": ("iso_datastore", "image_datastore", "proxmox_iso_datastore", "iso_storage"),
    "proxmox.disk_storage": ("datastore_id", "vm_datastore", "disk_datastore", "datastore", "proxmox_datastore"),
    "proxmox.bridge": ("bridge", "network_bridge", "proxmox_bridge", "proxmox_network_bridge", "network_device"),
    "name": ("cluster_name", "cluster.name"),
    "talos.version": ("talos_version", "cluster.talos_version", "image.version"),
    "talos.schematic": ("talos_schematic_id", "schematic_id"),
    "kubernetes.version": ("kubernetes_version", "cluster.kubernetes_version"),
    "machines.gateway": ("cluster_gateway", "gateway", "cluster.gateway", "network_gateway", "internal_gateway"),
    "machines.network": ("network_cidr", "node_cidr", "cluster_cidr"),
}
_PATH = {name: path for path, names in _NAMES.items() for name in names}
_MACHINE = {
    "address": ("ip", "ip_address", "address"),
    "cores": ("cpu", "cores", "cpu_cores"),
    "memory_mib": ("ram_dedicated", "memory", "ram", "memory_mb"),
    "disk_gib": ("disk_size", "os_disk_size", "disk"),
    "mac": ("mac_address", "mac"),
    "vlan": ("vlan_id", "vlan_tag", "vlan"),
    "node": ("host_node", "target_node"),
}
_ROLES = ("machine_type", "role", "type")
_IMAGES = "proxmox_virtual_environment_download_file"
_REFERENCE = re.compile(r"\$\{var\.(\w+)((?:\.\w+)*)\}")
_WHOLE = {"cores", "memory_mib", "disk_gib", "vlan"}


def read(folder: Folder, found: Found) -> None:
    parsed = [(file, text, _parsed(text)) for file, text in folder.texts(".tfvars", ".tf")]
    variables: dict[str, Any] = {}
    for file, _, content in sorted(parsed, key=lambda one: one[0].suffix == ".tfvars"):
        if file.suffix == ".tfvars":
            variables |= content
        else:
            for block in content.get("variable", ()):
                variables |= {name: body["default"] for name, body in block.items() if "default" in body}
    for file, text, content in sorted(parsed, key=lambda one: one[0].suffix != ".tfvars"):
        _Reader(folder, file, text, variables, found).read(content)


def _parsed(text: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = loads(text)
    except LarkError:
        return {}
    return content


class _Reader:
    def __init__(self, folder: Folder, file: Path, text: str, variables: Mapping[str, Any], found: Found) -> None:
        self.shown, self.lines = folder.shown(file), text.splitlines()
        self.variables, self.found = variables, found

    def read(self, content: Mapping[str, Any]) -> None:
        for block in content.get("resource", ()):
            for body in _resources(block, _IMAGES):
                self.say("proxmox.image_storage", "datastore_id", body.get("datastore_id"))
        for path, key, value in self.values({name: v for name, v in content.items() if name != "variable"}):
            if "talos_machine" not in path and _IMAGES not in path:
                known = _PATH.get(".".join([*path[-1:], key])) or _PATH.get(key)
                if known:
                    self.say(known, key, value)
        for block in content.get("variable", ()):
            for name, body in block.items():
                if name in _PATH:
                    self.say(_PATH[name], name, body.get("default"))
        self.machines(content)

    def say(self, path: str, key: str, value: object) -> None:
        value = self.resolved(value)
        if isinstance(value, str) and value and "${" not in value:
            if path == "proxmox.endpoint":
                value = value.removesuffix("/").removesuffix("/api2/json")
            if path in {"talos.version", "kubernetes.version"}:
                value = f"v{value.removeprefix('v')}"
            self.found.say(path, value, self.where(key))

    def values(self, value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, object]]:
        """Every value that is no block, with the blocks that it stands in."""
        if isinstance(value, Mapping):
            for key, item in value.items():
                if isinstance(item, Mapping | list):
                    yield from self.values(item, (*path, str(key)))
                else:
                    yield path, str(key), item
        elif isinstance(value, list):
            for item in value:
                yield from self.values(item, path)

    def machines(self, value: object) -> None:
        """A mapping name -> machine, wherever it stands."""
        if not isinstance(value, Mapping):
            return
        for name, body in value.items():
            if not isinstance(body, Mapping):
                continue
            address = self.first(body, _MACHINE["address"])
            role = str(self.first(body, _ROLES) or "").replace("-", "").replace("_", "")
            if isinstance(address, str) and role in {"controlplane", "worker"}:
                said = {key: self.first(body, names) for key, names in _MACHINE.items()}
                said = {key: item for key, item in said.items() if key not in _WHOLE or isinstance(item, int)}
                said["address"] = address.partition("/")[0]
                self.found.machine(str(name), self.where(str(name)), role=role, **said)
            else:
                self.machines(body)

    def first(self, body: Mapping[str, Any], names: tuple[str, ...]) -> Any:
        return next((self.resolved(body[name]) for name in names if name in body), None)

    def resolved(self, value: object) -> object:
        match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return value
        inner: Any = self.variables.get(match[1])
        for part in match[2].split(".")[1:]:
            inner = inner.get(part) if isinstance(inner, Mapping) else None
        return inner

    def where(self, key: str) -> str:
        """The line on which a key is first written."""
        written = re.compile(rf'(^|[\s{{,]){re.escape(key)}"?\s*[={{]|"{re.escape(key)}"')
        number = next((index for index, line in enumerate(self.lines, 1) if written.search(line)), 1)
        return f"{self.shown}:{number}"


def _resources(block: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    yield from (body for body in block.get(kind, {}).values() if isinstance(body, Mapping))
