"""A stand-in of talosctl, and of the machines that it talks to: each is in maintenance mode, or configured."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from standins import talos_configuration as configuration
from standins.conftest import write_kubeconfig
from standins.programs import Call, Exit

_VERBS = re.compile(
    r"gen|config|validate|apply-config|get|version|bootstrap|services?|etcd|reset|kubeconfig|read"
)  # the first of them is what is asked
_HEAD = "NODE   SERVICE   STATE   HEALTH   LAST CHANGE   LAST EVENT\n"


@dataclass
class TalosMachine:
    card: str  # its MAC address
    configuration: str = ""  # that it was given; "" in maintenance mode
    etcd: bool = False


@dataclass
class Talos:
    """`machines` by address. `takes_seconds`: from a configuration to an answer. `writes` are calls that changed a machine."""

    machines: dict[str, TalosMachine]
    api: str = "http://kubernetes.test"  # what the kubeconfig says
    takes_seconds: float = 5.0
    hostnames: Mapping[str, str] = field(default_factory=dict)  # address -> name
    on_write: Callable[[str], None] = lambda what: None
    bootstrapped: Callable[[], None] = lambda: None
    dead: set[str] = field(default_factory=set)  # members of etcd whose machine is gone, by name
    _ready: dict[str, float] = field(default_factory=dict)  # address -> when it answers, by the loop's clock

    async def __call__(self, call: Call) -> str:
        words = [word for word in call.argv[1:] if _VERBS.fullmatch(word)]
        address = call.option("--nodes")
        if words[0] in {"gen", "config", "validate"}:
            return _local(words[0], call)
        machine = self.machines.get(address)
        if machine is None:
            raise _unavailable("no route to host")
        if "--insecure" in call.argv:
            return self._maintained(words[0], call, address, machine)
        if not machine.configuration or asyncio.get_running_loop().time() < self._ready[address]:
            raise _unavailable("connection refused")
        return self._configured(words[0], call, address, machine)

    def _maintained(self, verb: str, call: Call, address: str, machine: TalosMachine) -> str:
        if machine.configuration:
            raise _unavailable("tls: certificate required")
        if verb == "get":
            return f"00:00:00:00:00:00\n{machine.card}\n"
        machine.configuration = Path(call.option("--file")).read_text()
        self._ready[address] = asyncio.get_running_loop().time() + self.takes_seconds
        self.on_write(f"apply-config {address}")
        return ""

    def _configured(self, verb: str, call: Call, address: str, machine: TalosMachine) -> str:
        if verb == "services":
            return _HEAD + f"{address} etcd {'Running OK' if machine.etcd else 'Preparing ?'} 1s ago event\n"
        if verb == "get":
            return configuration.shown(machine.configuration)
        if verb == "version":
            return f"Server:\n\tNODE: {address}\n\tTag: v1.12.0\n"
        if verb == "apply-config":
            return self._changed(call, address, machine)
        if verb == "read":
            return f"{self._ready[address]}\n"
        if verb == "service":
            return "" if "restart" in call.argv else "STATE   Running\n"
        if verb == "etcd":
            return self._etcd(call, address, machine)
        if verb == "bootstrap":
            if machine.etcd:
                raise Exit(1, "error: rpc error: code = AlreadyExists desc = etcd data directory is not empty")
            machine.etcd = True
            self.on_write(f"bootstrap {address}")
            self.bootstrapped()
        elif verb == "kubeconfig":
            write_kubeconfig(Path(call.argv[-1]), self.api)
        elif verb == "reset":
            machine.configuration, machine.etcd = "", False
            self.on_write(f"reset {address}")
        return ""

    def _etcd(self, call: Call, address: str, machine: TalosMachine) -> str:
        alive = [one for one in self.machines.values() if one.etcd]
        if len(alive) <= len(self.dead):
            raise _unavailable("etcdserver: no leader")
        if "leave" in call.argv:
            machine.etcd = False
            self.on_write(f"leave {address}")
        if "remove-member" in call.argv:
            self._remove(call.argv[-1].removeprefix("id-"))
        return "".join(self._members())

    def _remove(self, name: str) -> None:
        self.dead.discard(name)
        for address, machine in self.machines.items():
            if self.hostnames.get(address) == name:
                machine.etcd = False
        self.on_write(f"remove-member {name}")

    def _changed(self, call: Call, address: str, machine: TalosMachine) -> str:
        text = Path(call.option("--file")).read_text()
        if "--dry-run" in call.argv:
            return configuration.rehearsed(machine.configuration, text)
        machine.configuration = text
        self.on_write(f"apply-config {address}")
        return ""

    def _members(self) -> Iterable[str]:
        yield "NODE ID HOSTNAME PEER-URLS CLIENT-URLS LEARNER\n"
        members = [
            (self.hostnames.get(address, address), address) for address, one in self.machines.items() if one.etcd
        ]
        for name, address in [*members, *((name, "192.0.2.9") for name in sorted(self.dead))]:
            yield f"{address} id-{name} {name} https://{address}:2380 https://{address}:2379 false\n"


def _local(verb: str, call: Call) -> str:
    """What talosctl does here alone."""
    if verb != "gen":
        return ""
    if "secrets" in call.argv:
        Path(call.argv[-1]).write_text("cluster: {id: stand-in}\n")
        return ""
    return "context: stand-in\n" if call.option("--output-types") == "talosconfig" else configuration.generated(call)


def _unavailable(why: str) -> Exit:
    return Exit(1, f"error: rpc error: code = Unavailable desc = {why}")
