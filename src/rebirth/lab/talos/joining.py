"""How machines find each other: trustd for a worker's certificate, etcd's member list for further control planes."""

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
from grpclib.client import Channel
from grpclib.exceptions import GRPCError, StreamTerminatedError

from rebirth.lab.talos import control_plane, kubelet, machine_pb2, pki
from rebirth.lab.talos.config import KeyPair, MachineConfig

TRUSTD_PORT = 50001
_METHOD = "/securityapi.SecurityService/Certificate"


async def api_certificate(config: MachineConfig, names: list[str], name: str) -> KeyPair:
    """The Talos API's server certificate: signed here where the CA's key is, else asked of a control plane's trustd."""
    authority = config.key_pair("machine.ca")
    if authority.key:
        return pki.issue(authority, pki.Request(name, names=tuple(names), client=False))
    key, csr = pki.request_for(name, names)
    host = urlsplit(config.endpoint).hostname or ""
    while True:
        with suppress(OSError, GRPCError, StreamTerminatedError, TimeoutError):
            return KeyPair(await _ask(config, host, csr), key)
        await asyncio.sleep(0.5)


async def _ask(config: MachineConfig, host: str, csr: bytes) -> bytes:
    trust = ssl.create_default_context(cadata=config.key_pair("machine.ca").certificate.decode())
    trust.set_alpn_protocols(["h2"])
    channel = Channel(host, TRUSTD_PORT, ssl=trust)
    try:
        async with channel.request(
            _METHOD,
            _unary(),
            machine_pb2.CertificateRequest,
            machine_pb2.CertificateResponse,
            metadata={"token": str(config.get("machine.token"))},
            timeout=10,
        ) as stream:
            await stream.send_message(machine_pb2.CertificateRequest(csr=csr), end=True)
            answer = await stream.recv_message()
            return bytes(answer.crt) if answer else b""
    finally:
        channel.close()


def _unary():  # type: ignore[no-untyped-def]  # noqa: ANN202 - grpclib exports the type from a module of constants
    from grpclib.const import Cardinality

    return Cardinality.UNARY_UNARY


async def join_etcd(config: MachineConfig, address: str, name: str) -> dict[str, str] | None:
    """Adds this machine to the etcd of another control plane; None where there is none that answers yet.

    Returns the peer URLs of the members by name. The others are found through the Kubernetes API at the cluster's
    endpoint (Talos asks its discovery service).
    """
    with suppress(httpx.HTTPError, OSError):
        for other in await _other_control_planes(config, address):
            return await _add_member(config, other, address, name)
    return None


async def _other_control_planes(config: MachineConfig, address: str) -> list[str]:
    trust = ssl.create_default_context(cadata=config.key_pair("cluster.ca").certificate.decode())
    pair = pki.write(control_plane.admin(config), kubelet.FOLDER / "secrets", "joining")
    trust.load_cert_chain(*pair)
    async with httpx.AsyncClient(verify=trust, timeout=5) as client:
        answer = await client.get(
            f"{config.endpoint}/api/v1/nodes", params={"labelSelector": "node-role.kubernetes.io/control-plane"}
        )
        answer.raise_for_status()
    addresses = [
        a["address"]
        for node in answer.json()["items"]
        for a in node["status"].get("addresses", [])
        if a["type"] == "InternalIP"
    ]
    return [other for other in addresses if other != address]


async def _add_member(config: MachineConfig, other: str, address: str, name: str) -> dict[str, str]:
    ca, certificate, key = control_plane.etcd_client(config)
    trust = ssl.create_default_context(cafile=ca)
    trust.load_cert_chain(certificate, key)
    peer = f"https://{address}:2380"
    async with httpx.AsyncClient(verify=trust, timeout=10, base_url=f"https://{other}:2379") as client:
        members = (await client.post("/v3/cluster/member/list", json={})).raise_for_status().json()["members"]
        if not any(peer in member["peerURLs"] for member in members):
            # etcd takes one change at a time: an unstarted member means that another machine is joining right now.
            if any(not member.get("name") for member in members):
                raise httpx.TransportError("another member is joining")
            (await client.post("/v3/cluster/member/add", json={"peerURLs": [peer]})).raise_for_status()
    return {
        member["name"]: member["peerURLs"][0] for member in members if member.get("name") and member["name"] != name
    }
