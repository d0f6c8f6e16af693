"""One machine's life: maintenance mode, then what its configuration asks for."""

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path

from rebirth.lab.talos import cni, containerd, control_plane, joining, kubelet, manifests, network, tailscale
from rebirth.lab.talos.config import MachineConfig
from rebirth.lab.talos.boot import bind, hostname
from rebirth.lab.talos.hardware import Hardware
from rebirth.lab.talos.parts import Parts

_OWNED_EVERY = 15.0  # seconds after which Talos takes back what it owns


class ConfigurationError(Exception):
    """A configuration that Talos would refuse; the message is Talos' own."""


class Machine:
    """What the Talos API acts upon."""

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.parts = Parts(hardware.disk / "log")
        self.config: MachineConfig | None = None
        self.address = hardware.address.partition("/")[0]
        self.name = hardware.name
        self.configured = asyncio.Event()
        self.ended = asyncio.Event()
        self.exit_code = 0
        self._bootstrapped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def _stored(self) -> Path:
        return self.hardware.disk / "state" / "config.yaml"

    async def start(self) -> None:
        """Takes the address DHCP gives; a machine that was installed goes on with its stored configuration."""
        self.address = await network.by_reservation(self.hardware)
        if self._stored.exists():
            self.config = MachineConfig.parse(self._stored.read_bytes())
            await self._run(self.config)

    # -- what the API asks for

    async def validate(self, data: bytes) -> None:
        """Asks the real talosctl. Raises ConfigurationError with its words."""
        file = Path("/run/config-to-validate.yaml")
        file.touch(mode=0o600)
        file.write_bytes(data)
        try:
            argv = (self.hardware.program("talosctl"), "validate", "--mode", "metal", "--config", str(file))
            process = await asyncio.create_subprocess_exec(
                *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            said, _ = await process.communicate()
        finally:
            file.unlink()
        if process.returncode:
            raise ConfigurationError(said.decode(errors="replace").strip())

    async def apply(self, data: bytes) -> None:
        """Stores a validated configuration and obeys it."""
        config = MachineConfig.parse(data)
        before, self.config = self.config, config
        self._stored.parent.mkdir(parents=True, exist_ok=True)
        self._stored.touch(mode=0o600)
        self._stored.write_bytes(data)
        if before is None:
            await self._run(config)
        elif before != config:
            await self._change(before, config)

    def bootstrap(self) -> None:
        self._bootstrapped.set()

    @property
    def etcd_has_data(self) -> bool:
        return self._bootstrapped.is_set() or (
            control_plane.ETCD_DATA.exists() and any(control_plane.ETCD_DATA.iterdir())
        )

    @property
    def version(self) -> str:
        return (self.config.talos_version if self.config else None) or self.hardware.talos_version

    async def reset(self, *, reboot: bool) -> None:
        """Wipes the disk; then off, or back into maintenance mode."""
        await self.parts.stop()
        with suppress(FileNotFoundError):
            self._stored.unlink()
        (self.hardware.disk / "wipe").touch()  # the hypervisor wipes what is still mounted here
        self.end(reboot=reboot)

    def end(self, *, reboot: bool) -> None:
        self.exit_code = 100 if reboot else 0
        self.ended.set()

    # -- obeying

    def _go(self, work: "asyncio.Future[None] | object") -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, config: MachineConfig) -> None:
        self.name = config.hostname or self.hardware.name
        hostname(self.name)
        self.address = await network.by_configuration(self.hardware, config)
        self.configured.set()
        trust = {"SSL_CERT_FILE": str(self.hardware.ca), "PATH": self._path()}
        self.parts.run("containerd", ["containerd", "--config", str(containerd.write(config))], trust)
        if config.control_plane:
            self._go(self._run_control_plane(config))
        else:
            self._go(self._run_node(config))
        if (environment := config.extension("tailscale")) is not None:
            self._go(tailscale.run(environment, self.name, self.hardware.ca, self.parts.service("ext-tailscale")))

    def _path(self) -> str:
        return f"{Path(self.hardware.program('kubelet')).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

    async def _change(self, before: MachineConfig, after: MachineConfig) -> None:
        if before.get("machine.certSANs") != after.get("machine.certSANs"):
            await self._regenerate_trust(after)
            return
        if after.control_plane and self.etcd_has_data:
            self._run_servers(after)
            await self._apply(manifests.inline(after))
        self.parts.run(
            "containerd",
            ["containerd", "--config", str(containerd.write(after))],
            {"SSL_CERT_FILE": str(self.hardware.ca), "PATH": self._path()},
        )
        self._run_kubelet(after)

    async def _regenerate_trust(self, config: MachineConfig) -> None:
        """machine.certSANs on a running node: trustd makes its certificates anew and the kubelet's are no longer valid.

        The protocol's critical lesson: the node cannot talk to the API any more, and nothing inside can mend it.
        """
        self.parts.service("trustd").turn("Running", "regenerated PKI", healthy=True)
        kubelet.CERTIFICATE.unlink(missing_ok=True)
        kubelet.KUBECONFIG.unlink(missing_ok=True)
        kubelet.write(
            kubelet.KUBECONFIG,
            kubelet.kubeconfig(config.endpoint, config.key_pair("cluster.ca").certificate, {"token": "revoked"}),
        )
        self._run_kubelet(config)

    async def _run_control_plane(self, config: MachineConfig) -> None:
        etcd = self.parts.service("etcd")
        members: dict[str, str] | None = None
        if not self.etcd_has_data:
            etcd.turn("Preparing", "Running pre state")
            members = await self._bootstrap_or_join(config)
        self.parts.run("etcd", control_plane.etcd_arguments(config, self.hardware, self.address, self.name, members))
        self._run_servers(config)
        self._go(self._run_node(config))
        await self._apply(manifests.bootstrap(config))
        await self._apply(manifests.inline(config))
        while True:
            owned = [] if config.get("cluster.coreDNS.disabled") else manifests.coredns(config)
            await self._apply(owned)
            await self._label(config)
            await asyncio.sleep(_OWNED_EVERY)
            config = self.config or config

    async def _bootstrap_or_join(self, config: MachineConfig) -> dict[str, str] | None:
        while not self._bootstrapped.is_set():
            if members := await joining.join_etcd(config, self.address, self.name):
                self._bootstrapped.set()
                return members
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bootstrapped.wait(), 1)
        return None

    def _run_servers(self, config: MachineConfig) -> None:
        self.parts.run(
            "kube-apiserver", control_plane.apiserver_arguments(config, self.hardware, self.address, self.name)
        )
        self.parts.run("kube-controller-manager", control_plane.controller_manager_arguments(config, self.hardware))
        self.parts.run("kube-scheduler", control_plane.scheduler_arguments(config, self.hardware))

    async def _run_node(self, config: MachineConfig) -> None:
        self.parts.service("kubelet").turn("Preparing", "Waiting for its certificate")
        await joining.kubelet_certificate(config, self.name)
        self._run_kubelet(config)
        self._go(cni.keep_routes(config, self.name))
        self.parts.run("kube-proxy", kubelet.proxy_arguments(config, self.hardware, self.name), {"PATH": self._path()})

    def _run_kubelet(self, config: MachineConfig) -> None:
        for source, target in kubelet.extra_mounts(config):
            source.mkdir(parents=True, exist_ok=True)
            if source != target and not target.is_mount():
                target.mkdir(parents=True, exist_ok=True)
                bind(source, str(target))
        self.parts.run(
            "kubelet", kubelet.kubelet_arguments(config, self.hardware, self.address, self.name), {"PATH": self._path()}
        )

    async def _label(self, config: MachineConfig) -> None:
        """The labels that a kubelet may not give itself."""
        labels = {"node-role.kubernetes.io/control-plane": "", **(config.get("machine.nodeLabels") or {})}
        await self._kubectl(
            "label", "node", self.name, "--overwrite", *(f"{key}={value}" for key, value in labels.items())
        )

    async def _apply(self, objects: list[dict[str, object]]) -> None:
        """Server-side apply with Talos' field manager, until the API takes it."""
        while objects and not await self._kubectl(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=talos",
            "-f",
            "-",
            stdin=manifests.as_yaml(objects),
        ):
            await asyncio.sleep(0.3)

    async def _kubectl(self, *arguments: str, stdin: bytes = b"") -> bool:
        assert self.config is not None
        file = Path("/run/admin.kubeconfig")
        if not file.exists():
            kubelet.write(file, control_plane.admin_kubeconfig(self.config, control_plane.API))
        argv = (self.hardware.program("kubectl"), "--kubeconfig", str(file), "--cache-dir=/run/kubectl", *arguments)
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=null, stderr=null)
        await process.communicate(stdin)
        return process.returncode == 0


def wipe(disk: Path) -> None:
    """Empties a disk that is not mounted anywhere."""
    shutil.rmtree(disk, ignore_errors=True)
