"""Machines that a hypervisor on paper runs: what Talos does on them, as far as talosctl shows it, and etcd."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rebirth.lab.proxmox.hypervisor import VirtualMachine
from simulation.canaries import canary
from standins import talos_configuration as configuration
from standins.conftest import write_kubeconfig
from standins.programs import Call, Exit

if TYPE_CHECKING:
    from simulation.world import World

TALOS, TRUSTD = 50000, 50001
_GONE = 30.0  # seconds until a tailnet notices that a device has gone
_FORGETS = 90.0  # and until it forgets one that is ephemeral
_CHANGES = ("apply-config", "bootstrap", "reset", "kubeconfig")


@dataclass
class Machine:
    """`state` is off, booting, maintenance, installing or running."""

    vm: VirtualMachine
    address: str
    state: str = "off"
    bundle: str = ""  # whose secrets its configuration has; "" while it has none
    key: str = ""
    role: str = ""
    etcd: bool = False
    device: str = ""  # its id on the tailnet
    life: int = 0  # which of its boots this is
    text: str = ""  # its configuration
    talos: str = "v1.12.0"  # that runs

    @property
    def name(self) -> str:
        return self.vm.name


@dataclass
class Yard:
    """The hypervisor, and talosctl."""

    world: "World"
    machines: dict[int, Machine] = field(default_factory=dict)
    configured: list[str] = field(default_factory=list)  # names, each time that one took a configuration
    changed: list[tuple[str, bool]] = field(
        default_factory=list
    )  # machines that took another one, and whether by a reboot
    bootstraps: list[int] = field(default_factory=list)  # machines that etcd was bootstrapped on
    keys_given: set[str] = field(default_factory=set)  # tailnet keys that machines were sent

    # -- the hypervisor

    async def start(self, vm: VirtualMachine) -> None:
        if vm.vmid not in self.machines:
            address = vm.cloud_init.addresses[0]["ip"].partition("/")[0] if vm.cloud_init else "192.0.2.1"
            self.machines[vm.vmid] = Machine(vm, address)
        self._boot(self.machines[vm.vmid])

    async def stop(self, vmid: int) -> None:
        if machine := self.machines.get(vmid):
            machine.state, machine.life = "off", machine.life + 1
            self._leave(machine)

    async def shutdown(self, vmid: int) -> None:
        await self.stop(vmid)

    async def running(self, vmid: int) -> bool:
        return vmid in self.machines and self.machines[vmid].state != "off"

    async def destroy(self, vmid: int) -> None:
        self.machines.pop(vmid, None)

    # -- what happens on a machine

    def runs(self, machine: Machine) -> bool:
        """Whether it is there still, and up."""
        return machine.state == "running" and self.machines.get(machine.vm.vmid) is machine

    def _boot(self, machine: Machine) -> None:
        machine.state, machine.life = "booting", machine.life + 1
        life = machine.life

        def up() -> None:
            if machine.life == life and self.machines.get(machine.vm.vmid) is machine:
                machine.state = "running" if machine.bundle else "maintenance"
                if machine.bundle:
                    self._join(machine)

        self.world.later(self.world.draw.uniform(2, 10), up)

    def _join(self, machine: Machine) -> None:
        control = self.world.control
        if machine.device in control.devices:
            control.set_connected(machine.device, connected=True)
        elif node := control.join(machine.key, machine.name):
            machine.device = node.identity
        self.world.kubelets()

    def _leave(self, machine: Machine) -> None:
        life, control = machine.life, self.world.control

        def unseen() -> None:
            if machine.life == life and machine.device in control.devices:
                control.set_connected(machine.device, connected=False)

        def forgotten() -> None:
            if machine.life == life and machine.device in control.devices and control.devices[machine.device].ephemeral:
                del control.devices[machine.device]

        self.world.later(_GONE, unseen)
        self.world.later(_FORGETS, forgotten)

    def at(self, address: str) -> Machine | None:
        return next((one for one in self.machines.values() if one.address == address), None)

    def up(self, role: str = "") -> list[Machine]:
        return [one for one in self.machines.values() if one.state == "running" and role in {"", one.role}]

    def listens(self, address: str, port: int) -> bool:
        machine = self.at(address)
        if machine is None:
            return False
        if port == TRUSTD:
            return machine.state == "running" and machine.role == "controlplane"
        return port == TALOS and machine.state in {"maintenance", "running"}

    # -- talosctl

    async def talosctl(self, call: Call) -> str:
        words, node = call.argv, call.option("--nodes")
        verb = verb_of(words)
        await self.world.takes(0.05, 0.4)
        if verb == "gen":
            return self._generate(call)
        if verb == "config":
            assert Path(call.option("--talosconfig")).exists()
            return ""
        if verb == "validate":
            return "valid for metal mode\n"
        if "--insecure" in words:
            machine = self._in_maintenance(node)
            if verb == "get":
                return f"00:00:00:00:00:00\n{machine.vm.mac.lower()}"
            return self._apply(machine, Path(call.option("--file")).read_text())
        machine = self._answers(node, Path(call.option("--talosconfig")).read_text())
        if verb == "version":
            return f"Client:\n\tTag: v1.12.0\nServer:\n\tNODE: {node}\n\tTag: {machine.talos}\n"
        if verb == "get":
            return configuration.shown(machine.text)
        if verb == "apply-config":
            return self._change(machine, call)
        if verb == "read":
            return f"{machine.vm.vmid}-{machine.life}\n"
        if verb in {"services", "service"}:
            if "restart" in words:
                return ""
            if "kubelet" in words:
                return "NODE SERVICE\nSTATE Running\n" if self.world.cluster_up else "STATE Waiting\n"
            state = "etcd Running OK 1s ago" if machine.etcd else "etcd Preparing ? 1s ago Running pre state"
            return f"NODE SERVICE STATE HEALTH LAST\n{node} {state}\n"
        if verb == "bootstrap":
            return self._bootstrap(machine)
        if verb == "kubeconfig":
            write_kubeconfig(Path(words[-1]), "http://kubernetes.test")
            return ""
        raise AssertionError(verb)

    def _generate(self, call: Call) -> str:
        if "secrets" in call.argv[:3]:
            Path(call.argv[-1]).write_text(f"cluster: {{id: {canary('talos', secrets.token_hex(8))}}}\n")
            return ""
        bundle = bundle_in(Path(call.option("--with-secrets")).read_text())
        if call.option("--output-types") == "talosconfig":
            return f"cluster: {{id: {bundle}}}"
        return configuration.generated(call, bundle)

    def _in_maintenance(self, node: str) -> Machine:
        machine = self.at(node)
        if machine is None or machine.state in {"off", "booting", "installing"}:
            raise _unavailable("connection refused")
        if machine.state == "running":
            raise _unavailable("tls: certificate required")
        return machine

    def _answers(self, node: str, talosconfig: str) -> Machine:
        machine = self.at(node)
        if machine is None or machine.state in {"off", "booting", "installing"}:
            raise _unavailable("connection refused")
        if machine.state == "maintenance" or machine.bundle != bundle_in(talosconfig):
            raise _unavailable("tls: failed to verify certificate: x509: certificate signed by unknown authority")
        planes = [one for one in self.up("controlplane") if one.bundle == machine.bundle]
        if machine.role == "worker" and not planes:
            raise _unavailable("connection refused")
        return machine

    def _apply(self, machine: Machine, text: str) -> str:
        machine.text = text
        machine.bundle, machine.role = bundle_in(text), text.partition("  type: ")[2].split()[0]
        found = re.search(r"TS_AUTHKEY=(\S+)", text)
        machine.key = found[1] if found else ""
        self.keys_given.add(machine.key)
        self.configured.append(machine.name)
        machine.state, machine.life = "installing", machine.life + 1
        life = machine.life
        delay = self.world.draw.uniform(3, 20)
        self.world.later(delay, lambda: self._boot(machine) if machine.life == life else None)
        return ""

    def _change(self, machine: Machine, call: Call) -> str:
        """Of a machine that is configured."""
        text = Path(call.option("--file")).read_text()
        if "--dry-run" in call.argv:
            return configuration.rehearsed(machine.text, text)
        reboots = call.option("--mode") == "reboot" or configuration.with_reboot(machine.text, text)
        machine.text = text
        self.changed.append((machine.name, reboots))
        if reboots:
            self._boot(machine)
        return ""

    def _bootstrap(self, machine: Machine) -> str:
        if machine.etcd:
            raise Exit(1, "rpc error: code = AlreadyExists desc = etcd data directory is not empty")
        machine.etcd = True
        self.bootstraps.append(machine.vm.vmid)
        self.world.later(self.world.draw.uniform(2, 8), lambda: self.world.cluster_born(machine))
        return ""


def _unavailable(why: str) -> Exit:
    return Exit(1, f"error: rpc error: code = Unavailable desc = {why}")


def bundle_in(text: str) -> str:
    found = re.search(r"cluster: \{id: (\S+)\}|^  id: (\S+)$", text, re.MULTILINE)
    return (found[1] or found[2]) if found else "none"


def verb_of(words: Sequence[str]) -> str:
    known = (
        "gen",
        "config",
        "validate",
        "apply-config",
        "version",
        "bootstrap",
        "services",
        "service",
        "kubeconfig",
        "get",
        "read",
    )
    return next(word for word in words[1:] if word in known)


def changes(words: Sequence[str]) -> bool:
    return (verb_of(words) in _CHANGES and "--dry-run" not in words) or list(words[1:3]) == ["gen", "secrets"]


def named(words: Sequence[str]) -> str:
    node = words[words.index("--nodes") + 1] if "--nodes" in words else ""
    kind = words[words.index("--output-types") + 1] if "--output-types" in words else ""
    return " ".join(part for part in ("talosctl", verb_of(words), kind, node) if part)
