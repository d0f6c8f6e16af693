"""The Talos API in front of a machine: gRPC on port 50000, trustd on 50001."""

import asyncio
import io
import ssl
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from grpclib.const import Cardinality, Handler
from grpclib.server import Server, Stream

from rebirth.lab.talos import control_plane, joining, pki
from rebirth.lab.talos import machine_pb2 as pb
from rebirth.lab.talos.config import KeyPair
from rebirth.lab.talos.machine import ConfigurationError, Machine

PORT = 50000
_Method = Callable[[Any], Coroutine[Any, Any, Any]]


class _Service:
    """Maps method names of one gRPC service to handlers."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._handlers: dict[str, Handler] = {}

    def unary(self, method: str, request: type, reply: type, answer: _Method) -> None:
        async def handle(stream: Stream[Any, Any]) -> None:
            message = await stream.recv_message()
            await stream.send_message(await answer(message))

        self._handlers[f"/{self._name}/{method}"] = Handler(handle, Cardinality.UNARY_UNARY, request, reply)

    def raw(self, method: str, handler: Handler) -> None:
        self._handlers[f"/{self._name}/{method}"] = handler

    def __mapping__(self) -> dict[str, Handler]:
        return self._handlers


class MachineApi:
    """machine.MachineService, as far as a bootstrap uses it."""

    def __init__(self, machine: Machine, *, maintenance: bool) -> None:
        self._machine = machine
        self._maintenance = maintenance

    def service(self) -> _Service:
        service = _Service("machine.MachineService")
        service.unary("ApplyConfiguration", pb.ApplyConfigurationRequest, pb.ApplyConfigurationResponse, self._apply)
        service.unary("Version", Empty, pb.VersionResponse, self._version)
        if self._maintenance:
            return service
        service.unary("Bootstrap", pb.BootstrapRequest, pb.BootstrapResponse, self._bootstrap)
        service.unary("ServiceList", Empty, pb.ServiceListResponse, self._services)
        service.unary("Reset", pb.ResetRequest, pb.EndedResponse, self._reset)
        service.unary("Reboot", pb.RebootRequest, pb.EndedResponse, self._reboot)
        service.unary("Shutdown", pb.ShutdownRequest, pb.EndedResponse, self._shutdown)
        service.raw("Kubeconfig", Handler(self._kubeconfig, Cardinality.UNARY_STREAM, Empty, pb.Data))
        return service

    async def _apply(self, request: pb.ApplyConfigurationRequest) -> pb.ApplyConfigurationResponse:
        try:
            await self._machine.validate(request.data)
        except ConfigurationError as error:
            raise GRPCError(Status.INVALID_ARGUMENT, str(error)) from None
        details = "Dry run summary: no changes applied" if request.dry_run else "Applied configuration without a reboot"
        if not request.dry_run:
            # The answer has to leave before the certificate it travels under is replaced.
            asyncio.get_running_loop().call_later(
                0.05, lambda: asyncio.ensure_future(self._machine.apply(request.data))
            )
        return pb.ApplyConfigurationResponse(messages=[pb.ApplyConfiguration(mode=request.mode, mode_details=details)])

    async def _version(self, request: Empty) -> pb.VersionResponse:
        version = pb.VersionInfo(tag=self._machine.version, sha="stand-in", os="linux", arch="amd64", go_version="none")
        return pb.VersionResponse(
            messages=[
                pb.Version(
                    version=version,
                    platform=pb.PlatformInfo(name="metal", mode="metal"),
                    features=pb.FeaturesInfo(rbac=True),
                )
            ]
        )

    async def _bootstrap(self, request: pb.BootstrapRequest) -> pb.BootstrapResponse:
        # Status and words of siderolabs/talos v1.12, internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go.
        config = self._machine.config
        if config is None or not config.control_plane:
            raise GRPCError(Status.FAILED_PRECONDITION, "bootstrap can only be performed on a control plane node")
        if self._machine.etcd_has_data:
            raise GRPCError(Status.ALREADY_EXISTS, "etcd data directory is not empty")
        self._machine.bootstrap()
        return pb.BootstrapResponse(messages=[pb.Bootstrap()])

    async def _services(self, request: Empty) -> pb.ServiceListResponse:
        self._machine.parts.service("apid").turn("Running", healthy=True)
        rows = []
        for service in sorted(self._machine.parts.services.values(), key=lambda row: row.id):
            event = pb.ServiceEvent(msg=service.message, state=service.state)
            event.ts.FromSeconds(int(service.since))
            health = pb.ServiceHealth(healthy=service.healthy, last_message=service.message)
            rows.append(
                pb.ServiceInfo(
                    id=service.id, state=service.state, events=pb.ServiceEvents(events=[event]), health=health
                )
            )
        return pb.ServiceListResponse(messages=[pb.ServiceList(services=rows)])

    async def _kubeconfig(self, stream: Stream[Empty, pb.Data]) -> None:
        await stream.recv_message()
        config = self._machine.config
        if config is None or not config.control_plane:
            raise GRPCError(Status.UNIMPLEMENTED, "kubeconfig is only available on control plane nodes")
        text = control_plane.admin_kubeconfig(config, config.endpoint).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            entry = tarfile.TarInfo("kubeconfig")
            entry.size, entry.mode = len(text), 0o600
            archive.addfile(entry, io.BytesIO(text))
        await stream.send_message(pb.Data(bytes=packed.getvalue()))

    def _ended(self) -> pb.EndedResponse:
        return pb.EndedResponse(messages=[pb.Ended(actor_id=str(uuid.uuid4()))])

    async def _reset(self, request: pb.ResetRequest) -> pb.EndedResponse:
        asyncio.get_running_loop().call_later(
            0.1, lambda: asyncio.ensure_future(self._machine.reset(reboot=request.reboot))
        )
        return self._ended()

    async def _reboot(self, request: pb.RebootRequest) -> pb.EndedResponse:
        asyncio.get_running_loop().call_later(0.1, lambda: self._machine.end(reboot=True))
        return self._ended()

    async def _shutdown(self, request: pb.ShutdownRequest) -> pb.EndedResponse:
        asyncio.get_running_loop().call_later(0.1, lambda: self._machine.end(reboot=False))
        return self._ended()


def _trustd(machine: Machine) -> _Service:
    """trustd: signs the API certificates of machines that know the token and have no CA key (workers)."""
    service = _Service("securityapi.SecurityService")

    async def handle(stream: Stream[Any, Any]) -> None:
        request = await stream.recv_message()
        config = machine.config
        assert config is not None
        if (stream.metadata or {}).get("token") != config.get("machine.token"):
            raise GRPCError(Status.UNAUTHENTICATED, "token mismatch")
        authority = config.key_pair("machine.ca")
        await stream.send_message(
            pb.CertificateResponse(ca=authority.certificate, crt=pki.sign(authority, request.csr))
        )

    service.raw("Certificate", Handler(handle, Cardinality.UNARY_UNARY, pb.CertificateRequest, pb.CertificateResponse))
    return service


def _tls(pair: KeyPair, clients: bytes | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients.decode())
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        context.load_cert_chain(*pki.write(pair, Path(folder), "api"))
    return context


async def serve(machine: Machine) -> None:
    """Maintenance mode until there is a configuration; then mutual TLS only. Returns when the machine ends."""
    if not machine.configured.is_set():
        server = Server([MachineApi(machine, maintenance=True).service()])
        await server.start(
            "0.0.0.0", PORT, ssl=_tls(pki.self_signed("maintenance-service.talos.dev", [machine.address]), None)
        )
        await _first(machine.configured, machine.ended)
        server.close()
        await server.wait_closed()
    if machine.ended.is_set():
        return
    config = machine.config
    assert config is not None
    servers = []
    authority = config.key_pair("machine.ca")
    names = [machine.address, machine.name, "localhost", "127.0.0.1", *config.get("machine.certSANs", [])]
    pair = await joining.api_certificate(config, names, machine.name)
    if config.control_plane:
        trustd = Server([_trustd(machine)])
        await trustd.start("0.0.0.0", joining.TRUSTD_PORT, ssl=_tls(pair, None))
        machine.parts.service("trustd").turn("Running", healthy=True)
        servers.append(trustd)
    api = Server([MachineApi(machine, maintenance=False).service()])
    await api.start("0.0.0.0", PORT, ssl=_tls(pair, authority.certificate))
    await machine.ended.wait()
    for server in [api, *servers]:
        server.close()


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
