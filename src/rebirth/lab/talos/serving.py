"""The doors of a machine: the Talos API on port 50000, and on control planes trustd on 50001."""

import asyncio
import hmac
import ssl
import tempfile
from pathlib import Path
from typing import Any

from grpclib import GRPCError, Status
from grpclib.const import Cardinality, Handler
from grpclib.server import Server, Stream

from rebirth.lab.talos import joining, pki
from rebirth.lab.talos.api import MachineApi
from rebirth.lab.talos.config import KeyPair
from rebirth.lab.talos.forwarding import PORT, Router
from rebirth.lab.talos.machine import Machine
from rebirth.lab.talos.node import Node
from rebirth.lab.talos.protocol import machine_pb2 as pb

_ANY = "0.0.0.0"


class Trustd:
    """Signs the API certificates of machines that know the token and have no CA key (workers)."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def _certificate(self, stream: Stream[Any, Any]) -> None:
        request = await stream.recv_message()
        config = self._machine.config
        token = str(stream.metadata.get("token", "")) if stream.metadata else ""
        if request is None or config is None or not hmac.compare_digest(token, str(config.get("machine.token", ""))):
            raise GRPCError(Status.UNAUTHENTICATED, "token mismatch")
        authority = config.key_pair("machine.ca")
        signed = pki.sign(authority, request.csr)
        await stream.send_message(pb.CertificateResponse(ca=authority.certificate, crt=signed))

    def __mapping__(self) -> dict[str, Handler]:
        method = "/securityapi.SecurityService/Certificate"
        unary = Cardinality.UNARY_UNARY
        return {method: Handler(self._certificate, unary, pb.CertificateRequest, pb.CertificateResponse)}


def _server_context(pair: KeyPair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    _load(context, pair)
    return context


def _load(context: ssl.SSLContext, pair: KeyPair) -> None:
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        context.load_cert_chain(*pki.write(pair, Path(folder), "api"))


def _forwarding_context(authority: KeyPair) -> ssl.SSLContext | None:
    """How apid speaks to other machines' apid; only where the authority's key is."""
    if not authority.key:
        return None
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    context.set_alpn_protocols(["h2"])
    _load(context, pki.issue(authority, pki.Request("apid", "os:admin", server=False)))
    return context


async def serve(machine: Machine) -> None:
    """Maintenance mode until there is a configuration; then mutual TLS only. Returns when the machine ends.

    One listener for both: closing one and opening another would leave whoever connects in between without any answer.
    """
    context = _server_context(pki.self_signed("maintenance-service.talos.dev", [machine.address]))
    api = MachineApi(machine)
    server = Server([api])
    await server.start(_ANY, PORT, ssl=context)
    opening = asyncio.create_task(_open(machine, api, context))
    await machine.ended.wait()
    opening.cancel()
    server.close()


async def _open(machine: Machine, api: MachineApi, context: ssl.SSLContext) -> None:
    """Lets the operator in as soon as there are certificates, and shows new ones when other names are asked for."""
    await machine.configured.wait()
    node = machine.node
    if node is None:
        return
    authority = node.config.key_pair("machine.ca")
    context.load_verify_locations(cadata=authority.certificate.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    pair = await _certificate(node)
    _load(context, pair)
    own = frozenset({node.address, node.name, "127.0.0.1", "localhost"})
    api.router = Router(own, _forwarding_context(authority))
    machine.parts.service("apid").turn("Running", "Health check successful", healthy=True)
    trustd = await _trustd(machine, pair) if node.config.control_plane else None
    try:
        while True:
            await machine.renamed.wait()
            machine.renamed.clear()
            if machine.node:
                _load(context, await _certificate(machine.node))
    finally:
        if trustd:
            trustd.close()


async def _certificate(node: Node) -> KeyPair:
    names = [node.address, node.name, "localhost", "127.0.0.1", *node.config.get("machine.certSANs", [])]
    return await joining.api_certificate(node.config, names, node.name)


async def _trustd(machine: Machine, pair: KeyPair) -> Server:
    server = Server([Trustd(machine)])
    await server.start(_ANY, joining.TRUSTD_PORT, ssl=_server_context(pair))
    machine.parts.service("trustd").turn("Running", "Health check successful", healthy=True)
    return server
