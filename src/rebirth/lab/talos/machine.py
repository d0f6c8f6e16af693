"""One machine's life: maintenance mode, then what its configuration asks for."""

import asyncio
from contextlib import suppress
from pathlib import Path

from rebirth.lab.talos import kubelet, network, pki
from rebirth.lab.talos.config import MachineConfig
from rebirth.lab.talos.hardware import Hardware
from rebirth.lab.talos.node import Node
from rebirth.lab.talos.parts import Parts

# What Talos 1.12 changes in a running machine (CanApplyImmediate); anything else of `machine` needs a reboot.
_LIVE = frozenset(
    {
        *("ca", "acceptedCAs", "time", "certSANs", "install", "network", "sysfs", "sysctls", "logging", "controlPlane"),
        *("kubelet", "kernel", "registries", "pods", "seccompProfiles", "nodeAnnotations", "nodeLabels", "nodeTaints"),
        "features",
    }
)


class ConfigurationError(Exception):
    """A configuration that Talos would refuse; the message is Talos' own."""


class Machine:
    """What the Talos API acts upon."""

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.parts = Parts(hardware.disk / "log")
        self.node: Node | None = None  # None in maintenance mode
        self.configured = asyncio.Event()
        self.renamed = asyncio.Event()  # the API's certificate has to have other names
        self.ended = asyncio.Event()
        self.exit_code = 0
        self._bootstrapped = asyncio.Event()
        self._reverting: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def _stored(self) -> Path:
        return self.hardware.disk / "state" / "config.yaml"

    @property
    def _installed(self) -> Path:
        return self.hardware.disk / "state" / "version"

    @property
    def config(self) -> MachineConfig | None:
        return self.node.config if self.node else None

    @property
    def address(self) -> str:
        return self.node.address if self.node else self.hardware.address.partition("/")[0]

    @property
    def name(self) -> str:
        return self.node.name if self.node else self.hardware.name

    @property
    def version(self) -> str:
        """Of what was installed; before that, of the boot image. Another installer image needs an upgrade to count."""
        return self._installed.read_text() if self._installed.exists() else self.hardware.talos_version

    async def start(self) -> None:
        """Takes the address DHCP gives; a machine that was installed goes on with its stored configuration."""
        self.parts.service("machined").turn("Running", "Service started as goroutine", healthy=True)
        if self._stored.exists():
            await self._adopt(MachineConfig.parse(self._stored.read_bytes()))
        else:
            await network.by_reservation(self.hardware)

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

    def needs_reboot(self, config: MachineConfig) -> list[str]:
        """The keys of `machine` that cannot be changed while it runs."""
        if self.config is None:
            return []
        old, new = self.config.get("machine", {}), config.get("machine", {})
        return sorted(key for key in {*old, *new} - _LIVE if old.get(key) != new.get(key))

    def store(self, data: bytes) -> None:
        """Keeps a validated configuration for the next boot; the first one is the installation."""
        self._stored.parent.mkdir(parents=True, exist_ok=True)
        self._stored.touch(mode=0o600)
        self._stored.write_bytes(data)
        if not self._installed.exists():
            self._installed.write_text(MachineConfig.parse(data).talos_version or self.hardware.talos_version)

    def soon(self, config: MachineConfig, *, revert_after: float | None = None) -> None:
        """Obeys `config` once the answer to who asked has left; `revert_after` seconds goes back to what is stored."""
        loop = asyncio.get_running_loop()
        if self._reverting:
            self._reverting.cancel()
            self._reverting = None
        loop.call_later(0.05, self._begin, config)
        if revert_after is not None:
            stored = MachineConfig.parse(self._stored.read_bytes())
            self._reverting = loop.call_later(revert_after, self._begin, stored)

    def _begin(self, config: MachineConfig) -> None:
        task = asyncio.get_running_loop().create_task(self._adopt(config))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _adopt(self, config: MachineConfig) -> None:
        before = self.node
        if before:
            await before.stop()
            if before.config.get("machine.certSANs", []) != config.get("machine.certSANs", []):
                self._regenerate_trust()
        self.node = Node(self.hardware, config, self.parts, self._bootstrapped)
        await self.node.start()
        self.configured.set()
        if before:
            self.renamed.set()

    def _regenerate_trust(self) -> None:
        """machine.certSANs on a running node: trustd makes the PKI anew, and what the kubelet has is of an authority that
        the API server does not know. The protocol's critical lesson: the node is refused, and nothing inside can mend it.
        """
        self.parts.service("trustd").turn("Running", "regenerated PKI", healthy=True)
        if kubelet.CERTIFICATE.exists():
            request = pki.Request(f"system:node:{self.name}", "system:nodes", server=False)
            pair = pki.issue(pki.authority("regenerated"), request)
            kubelet.install(pair.certificate, pair.key)
            for part in ("kubelet", "kube-proxy"):
                self.parts.end(part)

    def bootstrap(self) -> None:
        self._bootstrapped.set()

    async def reset(self, *, graceful: bool, reboot: bool) -> None:
        """Leaves etcd where asked; wipes the disk; then off, or back into maintenance mode."""
        if self.node:
            if graceful:
                await self.node.leave_etcd()
            await self.node.stop()
        await self.parts.stop()
        with suppress(FileNotFoundError):
            self._stored.unlink()
        (self.hardware.disk / "wipe").touch()  # the hypervisor wipes what is still mounted here
        self.end(reboot=reboot)

    def end(self, *, reboot: bool) -> None:
        self.exit_code = 100 if reboot else 0
        self.ended.set()
