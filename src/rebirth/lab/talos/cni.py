"""What stands in for flannel: a bridge and host-local addresses on each node, and a route to each other node's pods."""

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from rebirth.lab.talos import kubelet
from rebirth.lab.talos.config import MachineConfig
from rebirth.lab.talos.network import ip

_FILE = Path("/etc/cni/net.d/10-flannel.conflist")
_EVERY = 1.0  # seconds between looks at the nodes


def configuration(pod_network: str) -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": "/var/lib/cni/networks",
            "ranges": [[{"subnet": pod_network}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "cbr0", "plugins": [bridge, portmap, {"type": "loopback"}][:2]}


async def keep_routes(config: MachineConfig, name: str) -> None:
    """Writes the CNI configuration once this node has its pod network, and keeps a route to each other node's."""
    routes: dict[str, str] = {}
    while True:
        for node in await _nodes(config):
            pod_network = node.get("spec", {}).get("podCIDR")
            if not pod_network:
                continue
            if node["metadata"]["name"] == name:
                _write(pod_network)
                continue
            address = next(
                (a["address"] for a in node["status"].get("addresses", []) if a["type"] == "InternalIP"), None
            )
            if address and routes.get(pod_network) != address:
                await ip("route", "replace", pod_network, "via", address)
                routes[pod_network] = address
        await asyncio.sleep(_EVERY)


def _write(pod_network: str) -> None:
    text = json.dumps(configuration(pod_network))
    if not _FILE.exists() or _FILE.read_text() != text:
        _FILE.parent.mkdir(parents=True, exist_ok=True)
        _FILE.write_text(text)


async def _nodes(config: MachineConfig) -> list[dict[str, Any]]:
    with suppress(httpx.HTTPError, OSError, ssl.SSLError):
        trust = ssl.create_default_context(cadata=config.key_pair("cluster.ca").certificate.decode())
        trust.load_cert_chain(kubelet.CERTIFICATE)
        async with httpx.AsyncClient(verify=trust, timeout=5) as client:
            answer = await client.get(f"{config.endpoint}/api/v1/nodes")
            if answer.status_code == 200:
                return list(answer.json()["items"])
    return []
