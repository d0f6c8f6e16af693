"""Every machine is a Ready node, and every control plane votes in etcd.

A control plane joins etcd as a learner and is promoted once it has caught up. Talos 1.12 asks one known address after the other,
half a minute each (services/etcd.go: promoteMember), and addresses of the tailnet are among them: minutes may pass.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from rebirth.castle import Machine, Machines
from rebirth.commands import ProgramFailed
from rebirth.errors import Broken, NotYet
from rebirth.providers.cluster import Cluster, condition
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import CiliumInstalled, NodesReady
from rebirth.run.waiting import now, nudged, together, until

LAYER = "platform"
PATIENCE = 1800
USUALLY = 20
WAITS = True
ONLINE = 1
HINT = "`kubectl describe nodes` says what a node lacks, and `talosctl logs kubelet` why."

Nodes = Mapping[str, Mapping[str, Any]]  # by name

_LOOKS_EVERY = 15.0  # seconds: whether the kubelets of machines that are not Ready run at all
_PAUSES = "failed to initialize CSINode"  # what a kubelet says of itself then


async def await_nodes(
    machines: Machines, cluster: Cluster, talosctl: Talosctl, network: CiliumInstalled | None
) -> NodesReady:
    """Wait for the nodes to be Ready."""
    kubelets = _Kubelets(machines, talosctl)

    async def ready() -> tuple[str, ...]:
        nodes = await _nodes(cluster)
        await kubelets.hurry_those_that_pause(nodes)
        await kubelets.start_those_that_stand_still(nodes)
        return _ready(machines, nodes)

    async def vote() -> None:
        await _vote(machines, talosctl)

    await kubelets.hurry_those_that_were_early(await _nodes(cluster))
    names = await until(ready, what="all nodes are Ready", every=5, changes=cluster.changes("v1", "Node"))
    await until(vote, what="every control plane votes in etcd", every=2, slowest=10)
    return NodesReady(names)


async def found(machines: Machines) -> NodesReady:
    return NodesReady(tuple(machine.name for machine in machines.nodes))


async def still(fact: NodesReady, machines: Machines, cluster: Cluster, talosctl: Talosctl) -> bool:
    _ready(machines, await _nodes(cluster))
    await _vote(machines, talosctl)
    return True


class _Kubelets:
    """Kubelets that pause for what has come meanwhile: a fresh one does not.

    One that has not registered asks again after up to 7 s. One that was there before its node looks for it, in order to describe it
    for CSI, with pauses of up to 20 s, and is not Ready until then (kubelet_node_status.go: registerWithAPIServer; csi_plugin.go:
    initializeCSINode): a certificate that is signed some seconds late is enough.
    """

    def __init__(self, machines: Machines, talosctl: Talosctl) -> None:
        self._machines, self._talosctl = machines, talosctl
        self._described: set[str] = set()
        self._looked = now()

    async def hurry_those_that_were_early(self, nodes: Nodes) -> None:
        """Once, now that there is an API server to register with."""
        early = [machine for machine in self._machines.nodes if machine.name not in nodes]
        why = "which looked for the API server before it was there"
        await together(*(self._restart(machine, why) for machine in early))

    async def hurry_those_that_pause(self, nodes: Nodes) -> None:
        """Once each."""
        pausing = [
            machine
            for machine in self._machines.nodes
            if machine.name not in self._described and _PAUSES in condition(nodes.get(machine.name))[1]
        ]
        self._described |= {machine.name for machine in pausing}
        why = "which looked for its node before it was there"
        await together(*(self._restart(machine, why) for machine in pausing))

    async def start_those_that_stand_still(self, nodes: Nodes) -> None:
        """A run that is killed while it restarts one, at the wrong instant, leaves it stopped; nobody else starts it."""
        if now() - self._looked < _LOOKS_EVERY:
            return
        self._looked = now()
        silent = [one for one in self._machines.nodes if condition(nodes.get(one.name))[0] != "True"]
        await together(*(self._start(machine) for machine in silent))

    async def _start(self, machine: Machine) -> None:
        with suppress(NotYet, Broken, ProgramFailed):
            if await self._talosctl.tell_kubelet("start", where="Finished", address=str(machine.address)):
                nudged(f"started the kubelet of {machine.name}, which was stopped")

    async def _restart(self, machine: Machine, why: str) -> None:
        with suppress(NotYet, Broken, ProgramFailed):
            if await self._talosctl.tell_kubelet("restart", where="Running", address=str(machine.address)):
                nudged(f"restarted the kubelet of {machine.name}, {why}")


async def _nodes(cluster: Cluster) -> Nodes:
    return {node["metadata"]["name"]: node for node in await cluster.all("v1", "Node")}


def _ready(machines: Machines, nodes: Nodes) -> tuple[str, ...]:
    """Raises NotYet."""
    wanted = [machine.name for machine in machines.nodes]
    waiting = [f"{name}: {condition(nodes.get(name))[1]}" for name in wanted if condition(nodes.get(name))[0] != "True"]
    if waiting:
        raise NotYet("; ".join(waiting))
    return tuple(sorted(wanted))


async def _vote(machines: Machines, talosctl: Talosctl) -> None:
    """Raises NotYet. A single control plane votes since it was bootstrapped."""
    names = [machine.name for machine in machines.control_planes]
    if len(names) > 1:
        voters = await talosctl.etcd_voters(address=str(machines.control_planes[0].address))
        if missing := [name for name in names if name not in voters]:
            raise NotYet(f"no voting member of etcd yet: {', '.join(missing)}")
