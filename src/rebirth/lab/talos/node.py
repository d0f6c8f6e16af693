"""What a configured machine runs, kept as its configuration says."""

import asyncio
import os
import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from rebirth.lab.namespaces import bind, hostname
from rebirth.lab.talos import cni, containerd, control_plane, joining, kubelet, manifests, network, tailscale
from rebirth.lab.talos.config import MachineConfig
from rebirth.lab.talos.hardware import Hardware
from rebirth.lab.talos.parts import Parts

_OWNED_EVERY = 15.0  # seconds after which Talos takes back what it owns
_ADMIN = Path("/run/admin.kubeconfig")


class Node:
    """One configuration in force. Starting another one over it leaves running what it does not change."""

    def __init__(self, hardware: Hardware, config: MachineConfig, parts: Parts, bootstrapped: asyncio.Event) -> None:
        self.hardware = hardware
        self.config = config
        self.parts = parts
        self.name = config.hostname or hardware.name
        self.address = next(iter(config.addresses), hardware.address).partition("/")[0]
        self._bootstrapped = bootstrapped
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Takes the configured name and address, and begins with everything else."""
        hostname(self.name)
        await network.by_configuration(self.hardware, self.config)
        self._keep(self._containerd)
        self._keep(self._node)
        if self.config.control_plane:
            self._keep(self._control_plane)
        if (environment := self.config.extension("tailscale")) is not None:
            tailscale.start(environment, self.hardware, self.parts, self._path())

    async def stop(self) -> None:
        """Ends watching and waiting; the programs go on."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks.clear()

    @property
    def etcd_has_data(self) -> bool:
        """Whether this machine was bootstrapped, or has joined."""
        data = control_plane.ETCD_DATA
        return self._bootstrapped.is_set() or (data.exists() and any(data.iterdir()))

    def _keep(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        async def again() -> None:
            while True:
                try:
                    await work()
                    return
                except Exception:  # noqa: BLE001 - one part that cannot be started is no reason to switch the machine off
                    traceback.print_exc(file=sys.stderr)
                    await asyncio.sleep(2)

        self._tasks.append(asyncio.create_task(again()))

    def _path(self) -> str:
        programs = Path(self.hardware.program("kubelet")).parent
        return f"{programs}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

    async def _containerd(self) -> None:
        file = containerd.write(self.config)
        trust = {"SSL_CERT_FILE": str(self.hardware.ca), "PATH": self._path()}
        argv = [self.hardware.programs.get("containerd", "containerd"), "--config", str(file)]
        self.parts.run("containerd", argv, trust, files=[file])

    # -- the control plane

    async def _control_plane(self) -> None:
        await self._etcd()
        config, hardware, parts = self.config, self.hardware, self.parts
        command = control_plane.apiserver_arguments(config, hardware, self.address, self.name)
        # Its memory is cheap here, the processors are not: fewer collections.
        parts.run("kube-apiserver", command, {"GOGC": "300"}, files=control_plane.files())
        # The others would start, find nobody and end, again and again, while the API server needs the processors.
        await control_plane.api_ready(config)
        command = control_plane.controller_manager_arguments(config, hardware)
        parts.run("kube-controller-manager", command, files=control_plane.files())
        command = control_plane.scheduler_arguments(config, hardware)
        parts.run("kube-scheduler", command, files=control_plane.files())
        await self._apply(manifests.bootstrap(self.config))
        await self._apply(manifests.inline(self.config))
        self._keep(self._label)
        while True:
            if not self.config.get("cluster.coreDNS.disabled"):
                await self._apply(manifests.coredns(self.config))
            await asyncio.sleep(_OWNED_EVERY)

    async def _etcd(self) -> None:
        if self.parts.running("etcd"):
            return  # what it was started with depends on whether there was data, so it is not compared
        members = None
        if not self.etcd_has_data:
            self.parts.service("etcd").turn("Preparing", "Running pre state")
            members = await self._bootstrap_or_join()
        arguments = control_plane.etcd_arguments(self.config, self.hardware, self.address, self.name, members)
        self.parts.run("etcd", arguments)
        if members:
            self._keep(lambda: joining.promote(self.config, list(members.values()), self.name))

    async def _bootstrap_or_join(self) -> dict[str, str] | None:
        while not self._bootstrapped.is_set():
            if members := await joining.join_etcd(self.config, self.address, self.name):
                self._bootstrapped.set()
                return members
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._bootstrapped.wait()
        return None

    # -- the node

    async def _node(self) -> None:
        service = self.parts.service("kubelet")
        if not kubelet.CERTIFICATE.exists():
            service.turn("Preparing", "Waiting for its certificate")
        await joining.kubelet_certificate(self.config, self.name)
        self._kubelet()
        if self.config.get("cluster.proxy.disabled"):
            self.parts.end("kube-proxy")
        else:
            argv = kubelet.proxy_arguments(self.config, self.hardware, self.name)
            self.parts.run("kube-proxy", argv, {"PATH": self._path()}, files=[kubelet.PROXY_CONFIGURATION])
        await cni.keep_routes(self.config, self.name)

    def _kubelet(self) -> None:
        for source, target in kubelet.extra_mounts(self.config):
            source.mkdir(parents=True, exist_ok=True)
            if source != target and not target.is_mount():
                target.mkdir(parents=True, exist_ok=True)
                bind(source, str(target))
        argv = kubelet.kubelet_arguments(self.config, self.hardware, self.address, self.name)
        self.parts.run("kubelet", argv, {"PATH": self._path()}, files=[kubelet.CONFIGURATION])

    async def _label(self) -> None:
        """The labels that a kubelet may not give itself."""
        labels = {"node-role.kubernetes.io/control-plane": "", **(self.config.get("machine.nodeLabels") or {})}
        pairs = [f"{key}={value}" for key, value in labels.items()]
        while not await self._kubectl("label", "node", self.name, "--overwrite", *pairs):  # noqa: ASYNC110 - in another system
            await asyncio.sleep(1)

    async def _apply(self, objects: list[dict[str, object]]) -> None:
        """Server-side apply with Talos' field manager, until the API takes it."""
        how = ("--server-side", "--force-conflicts", "--field-manager=talos")
        while objects and not await self._kubectl("apply", *how, "-f", "-", stdin=manifests.as_yaml(objects)):  # noqa: ASYNC110 - in another system
            await asyncio.sleep(0.3)

    async def _kubectl(self, *arguments: str, stdin: bytes = b"") -> bool:
        if not _ADMIN.exists():
            kubelet.write(_ADMIN, control_plane.admin_kubeconfig(self.config, control_plane.API))
        argv = (self.hardware.program("kubectl"), "--kubeconfig", str(_ADMIN), "--cache-dir=/run/kubectl", *arguments)
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=null, stderr=null)
        await process.communicate(stdin)
        return process.returncode == 0

    async def leave_etcd(self) -> None:
        """Takes this machine out of etcd's members, as a graceful reset does; nothing where it is the only one."""
        if self.config.control_plane and self.parts.running("etcd"):
            with suppress(TimeoutError):
                await joining.leave_etcd(self.config, self.name)
