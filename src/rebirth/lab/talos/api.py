"""The Talos API in front of a machine: machine.MachineService, as far as a cluster's life needs it."""

import asyncio
import io
import tarfile
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from grpclib import GRPCError, Status
from grpclib.const import Cardinality, Handler
from grpclib.server import Stream

from rebirth.lab.talos import control_plane, joining
from rebirth.lab.talos.config import MachineConfig
from rebirth.lab.talos.forwarding import Call, Router
from rebirth.lab.talos.machine import ConfigurationError, Machine
from rebirth.lab.talos.protocol import machine_pb2 as pb

SERVICE = "/machine.MachineService/"
_TRY = 60.0  # seconds before `--mode=try` goes back, unless told otherwise
_Modes = pb.ApplyConfigurationRequest
_Unary = Callable[[Any], Coroutine[Any, Any, Any]]
_Streaming = Callable[[Any], AsyncIterator[Any]]


class MachineApi:
    """In maintenance mode open to everybody, for little; closed from the first configuration until `router` is set."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.router: Router | None = None  # says whose calls are answered, and by which machine
        self._handlers: dict[str, Handler] = {}
        self._unary("ApplyConfiguration", pb.ApplyConfigurationRequest, pb.ApplyConfigurationResponse, self._apply)
        self._unary("Version", Empty, pb.VersionResponse, self._version, read=True)
        self._unary("Bootstrap", pb.BootstrapRequest, pb.BootstrapResponse, self._bootstrap)
        self._unary("ServiceList", Empty, pb.ServiceListResponse, self._services, read=True)
        self._unary("Reset", pb.ResetRequest, pb.EndedResponse, self._reset)
        self._unary("Reboot", pb.RebootRequest, pb.EndedResponse, self._reboot)
        self._unary("Shutdown", pb.ShutdownRequest, pb.EndedResponse, self._shutdown)
        self._unary("EtcdMemberList", pb.EtcdMemberListRequest, pb.EtcdMemberListResponse, self._members, read=True)
        self._streaming("Kubeconfig", Empty, self._kubeconfig)
        self._streaming("Logs", pb.LogsRequest, self._logs, read=True)

    def __mapping__(self) -> dict[str, Handler]:
        return self._handlers

    def _unary(
        self, method: str, request: type[Message], reply: type[Message], answer: _Unary, *, read: bool = False
    ) -> None:
        path = SERVICE + method

        async def handle(stream: Stream[Any, Any]) -> None:
            message = await stream.recv_message() or request()
            router = self._admitted(stream, method, read=read)
            call = Call(path, message, request, reply)
            await stream.send_message(await router.unary(stream, call, answer) if router else await answer(message))

        self._handlers[path] = Handler(handle, Cardinality.UNARY_UNARY, request, reply)

    def _streaming(self, method: str, request: type[Message], answer: _Streaming, *, read: bool = False) -> None:
        path = SERVICE + method

        async def handle(stream: Stream[Any, Any]) -> None:
            message = await stream.recv_message() or request()
            if router := self._admitted(stream, method, read=read):
                async for part in router.streaming(stream, Call(path, message, request, pb.Data), answer):
                    await stream.send_message(part)

        self._handlers[path] = Handler(handle, Cardinality.UNARY_STREAM, request, pb.Data)

    def _admitted(self, stream: Stream[Any, Any], method: str, *, read: bool) -> Router | None:
        """The router that the call goes through; None in maintenance mode. Raises GRPCError."""
        if self.router is not None:
            self.router.admit(stream, read=read)
        elif self._machine.configured.is_set():
            raise GRPCError(Status.UNAVAILABLE, "the machine has no certificate yet")
        elif method not in {"ApplyConfiguration", "Version"}:
            raise GRPCError(Status.UNIMPLEMENTED, "API is not implemented in maintenance mode")
        return self.router

    # -- configuration

    async def _apply(self, request: pb.ApplyConfigurationRequest) -> pb.ApplyConfigurationResponse:
        try:
            await self._machine.validate(request.data)
        except ConfigurationError as error:
            raise GRPCError(Status.INVALID_ARGUMENT, str(error)) from None
        config = MachineConfig.parse(request.data)
        mode = self._mode(request.mode, config)
        details = _DETAILS[mode]
        if request.dry_run:
            changed = self._machine.config != config
            details = f"Dry run summary:\n{details} (skipped in dry-run).\n{'Changes.' if changed else 'No changes.'}"
        else:
            details += self._carry_out(mode, config, request)
        return pb.ApplyConfigurationResponse(messages=[pb.ApplyConfiguration(mode=mode, mode_details=details)])

    def _mode(
        self, asked: "pb.ApplyConfigurationRequest.Mode", config: MachineConfig
    ) -> "pb.ApplyConfigurationRequest.Mode":
        """What an asked-for mode comes down to; refuses what cannot be done without a reboot where none is wanted."""
        if self._machine.node is None:
            return _Modes.NO_REBOOT  # what a machine does to install itself does not end what answers here
        keys = self._machine.needs_reboot(config)
        if asked == _Modes.AUTO:
            return _Modes.REBOOT if keys else _Modes.NO_REBOOT
        if keys and asked in {_Modes.NO_REBOOT, _Modes.TRY}:
            what = f"this config change can't be applied in immediate mode\ndiff: machine.{', machine.'.join(keys)}"
            raise GRPCError(Status.INVALID_ARGUMENT, what)
        return asked

    def _carry_out(self, mode: int, config: MachineConfig, request: pb.ApplyConfigurationRequest) -> str:
        if mode == _Modes.TRY:
            seconds = request.try_mode_timeout.ToSeconds() if request.HasField("try_mode_timeout") else _TRY
            self._machine.soon(config, revert_after=seconds)
            return f"\nThe config is applied in 'try' mode and will be automatically reverted back in {seconds}s"
        self._machine.store(request.data)
        if mode == _Modes.NO_REBOOT:
            self._machine.soon(config)
        if mode == _Modes.REBOOT:
            _later(lambda: self._machine.end(reboot=True))
        return ""

    # -- what is asked

    async def _version(self, request: Empty) -> pb.VersionResponse:
        version = pb.VersionInfo(tag=self._machine.version, sha="stand-in", os="linux", arch="amd64", go_version="none")
        platform, features = pb.PlatformInfo(name="metal", mode="metal"), pb.FeaturesInfo(rbac=True)
        return pb.VersionResponse(messages=[pb.Version(version=version, platform=platform, features=features)])

    async def _services(self, request: Empty) -> pb.ServiceListResponse:
        rows = []
        for service in sorted(self._machine.parts.services.values(), key=lambda row: row.id):
            event = pb.ServiceEvent(msg=service.message, state=service.state)
            event.ts.FromSeconds(int(service.since))
            health = pb.ServiceHealth(healthy=service.healthy, last_message=service.message)
            events = pb.ServiceEvents(events=[event])
            rows.append(pb.ServiceInfo(id=service.id, state=service.state, events=events, health=health))
        return pb.ServiceListResponse(messages=[pb.ServiceList(services=rows)])

    def _control_plane(self, what: str) -> MachineConfig:
        config = self._machine.config
        if config is None or not config.control_plane:
            raise GRPCError(Status.UNIMPLEMENTED, f"{what} is only available on control plane nodes")
        return config

    async def _members(self, request: pb.EtcdMemberListRequest) -> pb.EtcdMemberListResponse:
        config = self._control_plane("member list")
        try:
            found = await joining.etcd_members(config)
        except (httpx.HTTPError, OSError):
            raise GRPCError(Status.UNAVAILABLE, "etcd does not answer") from None
        members = [
            pb.EtcdMember(
                id=int(member["ID"]),
                hostname=member.get("name", ""),
                peer_urls=member.get("peerURLs", []),
                client_urls=member.get("clientURLs", []),
                is_learner=bool(member.get("isLearner")),
            )
            for member in found
        ]
        return pb.EtcdMemberListResponse(messages=[pb.EtcdMembers(members=members)])

    async def _kubeconfig(self, request: Empty) -> AsyncIterator[pb.Data]:
        config = self._control_plane("kubeconfig")
        text = control_plane.admin_kubeconfig(config, config.endpoint).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            entry = tarfile.TarInfo("kubeconfig")
            entry.size, entry.mode = len(text), 0o600
            archive.addfile(entry, io.BytesIO(text))
        yield pb.Data(bytes=packed.getvalue())

    async def _logs(self, request: pb.LogsRequest) -> AsyncIterator[pb.Data]:
        file = self._machine.hardware.disk / "log" / f"{request.id}.log"
        if "/" in request.id or not file.exists():
            raise GRPCError(Status.NOT_FOUND, f'log "{request.id}" was not registered')
        lines = file.read_bytes().splitlines(keepends=True)
        yield pb.Data(bytes=b"".join(lines[-request.tail_lines :] if request.tail_lines > 0 else lines))

    # -- what is done

    async def _bootstrap(self, request: pb.BootstrapRequest) -> pb.BootstrapResponse:
        # Status and words of siderolabs/talos v1.12, internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go.
        node = self._machine.node
        if node is None or not node.config.control_plane:
            raise GRPCError(Status.FAILED_PRECONDITION, "bootstrap can only be performed on a control plane node")
        if node.etcd_has_data:
            raise GRPCError(Status.ALREADY_EXISTS, "etcd data directory is not empty")
        self._machine.bootstrap()
        return pb.BootstrapResponse(messages=[pb.Bootstrap()])

    async def _reset(self, request: pb.ResetRequest) -> pb.EndedResponse:
        _later(lambda: asyncio.ensure_future(self._machine.reset(graceful=request.graceful, reboot=request.reboot)))
        return _ended()

    async def _reboot(self, request: pb.RebootRequest) -> pb.EndedResponse:
        _later(lambda: self._machine.end(reboot=True))
        return _ended()

    async def _shutdown(self, request: pb.ShutdownRequest) -> pb.EndedResponse:
        _later(lambda: self._machine.end(reboot=False))
        return _ended()


_DETAILS: dict[int, str] = {
    _Modes.REBOOT: "Applied configuration with a reboot",
    _Modes.NO_REBOOT: "Applied configuration without a reboot",
    _Modes.STAGED: "Staged configuration to be applied after the next reboot",
    _Modes.TRY: "Applied configuration without a reboot",
}


def _later(act: Callable[[], object]) -> None:
    """After the answer has left."""
    asyncio.get_running_loop().call_later(0.1, act)


def _ended() -> pb.EndedResponse:
    return pb.EndedResponse(messages=[pb.Ended(actor_id=str(uuid.uuid4()))])
