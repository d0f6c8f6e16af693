"""talconfig.yaml of talhelper: nodes, endpoint, versions, networks, patches."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rebirth.init.folder import Folder
from rebirth.init.found import Found
from rebirth.init.readers.talos_values import image_parts, network_values, pod_network
from rebirth.proof.reading.manifest import Manifest

_PLAIN = {
    "name": "clusterName",
    "talos.version": "talosVersion",
    "kubernetes.version": "kubernetesVersion",
    "kubernetes.endpoint": "endpoint",
    "kubernetes.cert_sans": "additionalApiServerCertSans",
    "kubernetes.cluster_domain": "domain",
}
_OFFICIAL = "siderolabs/"
_FIRST = {"kubernetes.pod_network": "clusterPodNets", "kubernetes.service_network": "clusterSvcNets"}
_PATCHES = {"talos.patches": (), "talos.control_plane_patches": ("controlPlane",), "talos.worker_patches": ("worker",)}


def read(folder: Folder, found: Found) -> None:
    variables: dict[str, str] = {}
    for document in folder.documents("talenv.yaml", "talenv.yml"):
        variables |= {str(key): str(value) for key, value in document.data.items()}
    for document in folder.documents("talconfig.yaml", "talconfig.yml"):
        written = Manifest(_filled(document.data, variables), document.file, document.line)
        if written.items("nodes"):
            _read(folder, written, found)


def _read(folder: Folder, config: Manifest, found: Found) -> None:
    for path, key in _PLAIN.items():
        found.say(path, config.at(key), folder.where(config, key))
    for path, key in _FIRST.items():
        networks = config.items(key)
        found.say(path, networks[0] if len(networks) == 1 else networks, folder.where(config, key))
    pod_network(config.at("cniConfig", "name"), folder.where(config, "cniConfig", "name"), found)
    for index, node in enumerate(config.items("nodes")):
        if isinstance(node, Mapping):
            _node(folder, config, index, node, found)
    for path, where in _PATCHES.items():
        _patches(folder, config, path, where, found)
    for where in ((), ("controlPlane",), ("worker",)):
        _schematic(config.at(*where, "schematic"), folder.where(config, *where, "schematic"), found)


def _node(folder: Folder, config: Manifest, index: int, node: Mapping[str, Any], found: Found) -> None:
    name, place = str(node.get("hostname", "")), folder.where(config, "nodes", index)
    role = "controlplane" if node.get("controlPlane") is True else "worker"
    address = str(node.get("ipAddress", "")).partition(",")[0].strip()
    found.machine(name, place, role=role, address=address)
    interfaces = config.items("nodes", index, "networkInterfaces")
    for number, interface in enumerate(interfaces):
        if isinstance(interface, Mapping):
            where = folder.where(config, "nodes", index, "networkInterfaces", number)
            network_values(interface, name, address, where, found)
    found.say("machines.nameservers", node.get("nameservers"), folder.where(config, "nodes", index, "nameservers"))
    image_parts(str(node.get("talosImageURL", "")), folder.where(config, "nodes", index, "talosImageURL"), found)
    _schematic(node.get("schematic"), folder.where(config, "nodes", index, "schematic"), found)
    place = folder.where(config, "nodes", index, "patches")
    found.machine(name, place, patches=_taken(folder, config, ("nodes", index), found))


def _patches(folder: Folder, config: Manifest, path: str, where: tuple[str, ...], found: Found) -> None:
    found.say(path, _taken(folder, config, where, found), folder.where(config, *where, "patches"))


def _taken(folder: Folder, config: Manifest, where: tuple[str | int, ...], found: Found) -> list[Any]:
    """Patches as castle.yaml has them: a file as it is seen from there, or a document."""
    taken: list[Any] = []
    for index, patch in enumerate(config.items(*where, "patches")):
        place = folder.where(config, *where, "patches", index)
        if str(patch).startswith("@"):
            file = Path(os.path.normpath(Path(config.file).parent / str(patch).removeprefix("@")))
            if file.is_file():
                taken.append(os.path.relpath(file, folder.castle))
            else:
                found.remarks.append(f"{place}: the patch {patch} does not exist")
        elif isinstance(document := _document(str(patch)), dict):
            taken.append(document)
        else:
            found.remarks.append(f"{place}: a patch that is no document (JSON 6902); save it as a file, and name that")
    return taken


def _document(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _schematic(schematic: object, place: str, found: Found) -> None:
    """Extensions and kernel arguments. One for all machines is taken, of several the first."""
    custom = schematic.get("customization") if isinstance(schematic, Mapping) else None
    if not isinstance(custom, Mapping):
        return
    extensions = custom.get("systemExtensions")
    names = extensions.get("officialExtensions") if isinstance(extensions, Mapping) else None
    found.say("talos.schematic", _plain(names, custom.get("extraKernelArgs")), place)
    if more := set(custom) - {"systemExtensions", "extraKernelArgs"}:
        found.remarks.append(f"{place}: of the schematic {', '.join(sorted(more))}")


def _plain(extensions: Any, arguments: Any) -> dict[str, list[str]]:
    said = {"extensions": extensions, "kernel_args": arguments}
    return {key: [str(one).removeprefix(_OFFICIAL) for one in value] for key, value in said.items() if value}


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    """As talhelper fills in what talenv.yaml says; a value whose variable is unknown is left out."""
    if isinstance(value, str):
        filled = re.sub(r"\$\{(\w+)\}", lambda match: variables.get(match[1], match[0]), value)
        return "" if re.search(r"\$\{\w+\}", filled) and filled == value else filled
    if isinstance(value, dict):
        return {key: _filled(item, variables) for key, item in value.items()}
    return [_filled(item, variables) for item in value] if isinstance(value, list) else value
