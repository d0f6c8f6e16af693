"""How machines find each other: trustd for a worker's certificate, etcd's member list for further control planes."""

import asyncio
import base64
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
from grpclib.client import Channel
from grpclib.const import Cardinality
from grpclib.exceptions import GRPCError, StreamTerminatedError

from rebirth.lab.talos import control_plane, kubelet, pki
from rebirth.lab.talos.config import KeyPair, MachineConfig
from rebirth.lab.talos.protocol import machine_pb2

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
            Cardinality.UNARY_UNARY,
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


async def kubelet_certificate(config: MachineConfig, name: str) -> None:
    """Gets the kubelet its client certificate with the bootstrap token, waiting until the cluster gives it.

    What the kubelet would do itself, and goes on doing when it renews; but one that starts before there is an API spends
    half a minute in back-offs of its own.
    """
    if kubelet.CERTIFICATE.exists():
        return
    key, csr = pki.node_request(f"system:node:{name}", "system:nodes")
    trust = ssl.create_default_context(cadata=config.key_pair("cluster.ca").certificate.decode())
    token = {"Authorization": f"Bearer {config.get('cluster.token')}"}
    async with httpx.AsyncClient(
        base_url=config.endpoint, verify=trust, headers=token, timeout=5, trust_env=False
    ) as client:
        request = await _sign(client, csr)
        while not request["status"].get("certificate"):
            await asyncio.sleep(0.2)
            with suppress(httpx.HTTPError):
                request = (await client.get(f"{_REQUESTS}/{request['metadata']['name']}")).raise_for_status().json()
    kubelet.install(base64.b64decode(request["status"]["certificate"]), key)


_REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


async def _sign(client: httpx.AsyncClient, csr: bytes) -> dict[str, Any]:
    """Posts the request as soon as the API knows the token."""
    body = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": "csr-"},
        "spec": {
            "request": base64.b64encode(csr).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "usages": ["client auth", "digital signature"],
        },
    }
    while True:
        with suppress(httpx.HTTPError):
            posted: dict[str, Any] = (await client.post(_REQUESTS, json=body)).raise_for_status().json()
            return {"status": {}, **posted}
        await asyncio.sleep(0.3)


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


def _etcd(config: MachineConfig, address: str) -> httpx.AsyncClient:
    ca, certificate, key = control_plane.etcd_client(config)
    trust = ssl.create_default_context(cafile=ca)
    trust.load_cert_chain(certificate, key)
    return httpx.AsyncClient(verify=trust, timeout=10, base_url=f"https://{address}:2379", trust_env=False)


async def _members(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return list((await client.post("/v3/cluster/member/list", json={})).raise_for_status().json()["members"])


async def _add_member(config: MachineConfig, other: str, address: str, name: str) -> dict[str, str]:
    peer = f"https://{address}:2380"
    async with _etcd(config, other) as client:
        members = await _members(client)
        if not any(peer in member["peerURLs"] for member in members):
            # As a learner: it does not count for the majority before it has caught up. etcd takes one at a time.
            body = {"peerURLs": [peer], "isLearner": True}
            (await client.post("/v3/cluster/member/add", json=body)).raise_for_status()
    return {
        member["name"]: member["peerURLs"][0] for member in members if member.get("name") and member["name"] != name
    }


async def promote(config: MachineConfig, peers: list[str], name: str) -> None:
    """Makes this machine's learner a member that votes, as soon as etcd thinks it has caught up."""
    host = urlsplit(peers[0]).hostname or ""
    while True:
        with suppress(httpx.HTTPError, OSError):
            async with _etcd(config, host) as client:
                own = next((member for member in await _members(client) if member.get("name") == name), None)
                if own and not own.get("isLearner"):
                    return
                if own:
                    await client.post("/v3/cluster/member/promote", json={"ID": own["ID"]})
        await asyncio.sleep(1)


async def etcd_members(config: MachineConfig) -> list[dict[str, Any]]:
    """The members as this machine's own etcd knows them. Raises httpx.HTTPError."""
    async with _etcd(config, "127.0.0.1") as client:
        return await _members(client)


async def leave_etcd(config: MachineConfig, name: str) -> None:
    """Takes this machine out of the members, unless it is the only one; tries for 30 s where etcd refuses for now.

    etcd refuses while a member has only just come or gone. Asked is another member: the one that leaves may not answer.
    """
    async with asyncio.timeout(30):
        while True:
            with suppress(httpx.HTTPError, OSError):
                members = await etcd_members(config)
                own = next((member for member in members if member.get("name") == name), None)
                others = [
                    url for member in members if member.get("name") != name for url in member.get("clientURLs", [])
                ]
                if own is None or not others:
                    return
                async with _etcd(config, urlsplit(others[0]).hostname or "") as client:
                    (await client.post("/v3/cluster/member/remove", json={"ID": own["ID"]})).raise_for_status()
                return
            await asyncio.sleep(1)
