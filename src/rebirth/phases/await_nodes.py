"""Every machine is a Ready node, and every control plane votes in etcd.

A control plane joins etcd as a learner and is promoted once it has caught up. Talos 1.12 asks one known address after the other,
half a minute each (services/etcd.go: promoteMember), and addresses of the tailnet are among them: minutes may pass.
"""

from contextlib import suppress

from rebirth.castle import Machine, Machines
from rebirth.commands import ProgramFailed
from rebirth.errors import Broken, NotYet
from rebirth.providers.cluster import Cluster, condition
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import CiliumInstalled, NodesReady
from rebirth.run.waiting import nudged, together, until

LAYER = "platform"
PATIENCE = 1800
USUALLY = 20
WAITS = True
ONLINE = 1


async def await_nodes(
    machines: Machines, cluster: Cluster, talosctl: Talosctl, network: CiliumInstalled | None
) -> NodesReady:
    """Wait for the nodes to be Ready."""

    async def ready() -> tuple[str, ...]:
        return await _ready(machines, cluster)

    async def vote() -> None:
        await _vote(machines, talosctl)

    await _hurry(machines, cluster, talosctl)
    names = await until(ready, what="all nodes are Ready", every=5, changes=cluster.changes("v1", "Node"))
    await until(vote, what="every control plane votes in etcd", every=2, slowest=10)
    return NodesReady(names)


async def found(machines: Machines) -> NodesReady:
    return NodesReady(tuple(machine.name for machine in machines.nodes))


async def still(fact: NodesReady, machines: Machines, cluster: Cluster, talosctl: Talosctl) -> bool:
    await _ready(machines, cluster)
    await _vote(machines, talosctl)
    return True


async def _hurry(machines: Machines, cluster: Cluster, talosctl: Talosctl) -> None:
    """Kubelets that have not registered are restarted, once, now that there is an API server to register with.

    They were there before it. One asks again after up to 7 s, and then looks for its node in order to describe it for CSI, with pauses
    of up to 20 s (kubelet_node_status.go: registerWithAPIServer; csi_plugin.go: initializeCSINode); a fresh one does both at once.
    """
    there = {node["metadata"]["name"] for node in await cluster.all("v1", "Node")}

    async def restart(machine: Machine) -> None:
        with suppress(NotYet, Broken, ProgramFailed):
            if await talosctl.restart_kubelet(address=str(machine.address)):
                nudged(f"restarted the kubelet of {machine.name}, which looked for the API server before it was there")

    await together(*(restart(machine) for machine in machines.nodes if machine.name not in there))


async def _ready(machines: Machines, cluster: Cluster) -> tuple[str, ...]:
    nodes = {node["metadata"]["name"]: node for node in await cluster.all("v1", "Node")}
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
