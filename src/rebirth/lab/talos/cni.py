"""What stands in for flannel: host-local addresses on each node, and a route to each other node's pods."""

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
    """Routed point-to-point links, no bridge: answers between pods of one node pass the node's address translation then."""
    ipam = {
        "type": "host-local",
        "dataDir": "/run/cni/networks",  # in memory: no pod survives a reboot, nor need its address
        "ranges": [[{"subnet": pod_network}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    link = {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": ipam}
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "cbr0", "plugins": [link, portmap]}


def masquerade(pod_subnet: str) -> str:
    """Rules for nft(8): what leaves the pod network does so under the node's address."""
    return f"""
table ip pod_network
delete table ip pod_network
table ip pod_network {{
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {pod_subnet} ip daddr != {pod_subnet} ip daddr != 224.0.0.0/4 masquerade
    }}
}}
"""


async def _translate(pod_subnet: str) -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("nft", "-f", "-", stdin=pipe, stderr=pipe)
    _, said = await process.communicate(masquerade(pod_subnet).encode())
    if process.returncode:
        raise RuntimeError(f"nft: {said.decode().strip()}")


async def keep_routes(config: MachineConfig, name: str) -> None:
    """Writes the CNI configuration once this node has its pod network, and keeps a route to each other node's."""
    if config.get("cluster.network.cni.name", "flannel") != "flannel":
        return  # the operator brings one
    await _translate(config.pod_subnet)
    trust = ssl.create_default_context(cadata=config.key_pair("cluster.ca").certificate.decode())
    trust.load_cert_chain(kubelet.CERTIFICATE)
    routes: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=config.endpoint, verify=trust, timeout=5, trust_env=False) as client:
        while True:
            await _learn(await _nodes(client), name, routes)
            await asyncio.sleep(_EVERY)


async def _learn(nodes: list[dict[str, Any]], name: str, routes: dict[str, str]) -> None:
    """`routes`: pod network -> node's address, as it is now."""
    wanted = {}
    for node in nodes:
        pod_network = node.get("spec", {}).get("podCIDR")
        addresses = [entry["address"] for entry in node["status"].get("addresses", []) if entry["type"] == "InternalIP"]
        if pod_network and node["metadata"]["name"] == name:
            _write(pod_network)
        elif pod_network and addresses:
            wanted[pod_network] = addresses[0]
    for pod_network, address in wanted.items():
        if routes.get(pod_network) != address:
            await ip("route", "replace", pod_network, "via", address)
            routes[pod_network] = address
    for pod_network in [known for known in routes if nodes and known not in wanted]:
        await ip("route", "delete", pod_network, check=False)
        del routes[pod_network]


def _write(pod_network: str) -> None:
    text = json.dumps(configuration(pod_network))
    if not _FILE.exists() or _FILE.read_text() != text:
        _FILE.parent.mkdir(parents=True, exist_ok=True)
        _FILE.write_text(text)


async def _nodes(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All nodes; none where the API does not answer."""
    with suppress(httpx.HTTPError):
        answer = await client.get("/api/v1/nodes")
        if answer.is_success:
            return list(answer.json()["items"])
    return []
