"""What several descriptions of Talos machines have in common: interfaces, and references of installer images."""

import re
from collections.abc import Mapping
from ipaddress import ip_interface
from typing import Any

from rebirth.init.found import Found

_INSTALLER = re.compile(
    r"^\S+?/(?:(?:metal|nocloud)-)?installer(?:-secureboot)?/(?P<id>[0-9a-f]{64})(?::(?P<tag>v\S+))?$"
)
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")


def image_parts(image: str, where: str, found: Found) -> None:
    """The installer, and the schematic and version that its reference names."""
    if parts := _INSTALLER.match(image):
        found.say("talos.schematic", parts["id"], where)
        found.say("talos.version", parts["tag"], where)
        if parts["tag"]:
            found.say("talos.installer", image, where)


def pod_network(name: object, where: str, found: Found) -> None:
    """Where Talos brings no network of pods, and the Flux tree does not say who does."""
    if name == "none" and not found.get("kubernetes.cni"):
        found.say("kubernetes.cni", "none", where)


def network_values(interface: Mapping[str, Any], name: str, address: str, where: str, found: Found) -> None:
    """Network, gateway, MAC and shared address, of the interface that holds the machine's address."""
    written = [str(one) for one in interface.get("addresses") or ()]
    mine = next((one for one in written if one.partition("/")[0] == address), None)
    if mine is None and written:
        return
    if mine and "/" in mine:
        found.say("machines.network", str(ip_interface(mine).network), where)
    for route in interface.get("routes") or ():
        if isinstance(route, Mapping) and route.get("network", "0.0.0.0/0") == "0.0.0.0/0":
            found.say("machines.gateway", route.get("gateway"), where)
    selector = interface.get("deviceSelector")
    mac = str(selector.get("hardwareAddr", "")) if isinstance(selector, Mapping) else ""
    if _MAC.fullmatch(mac):
        found.machine(name, where, mac=mac)
    vip = interface.get("vip")
    if isinstance(vip, Mapping):
        found.say("machines.shared_address", vip.get("ip"), where)
