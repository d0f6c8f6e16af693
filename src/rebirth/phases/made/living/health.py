"""Whether a castle can do without one machine for a moment, and is back afterwards."""

from dataclasses import dataclass

from rebirth.castle import Machine, Machines
from rebirth.errors import NotYet
from rebirth.providers.access import ClusterAccess
from rebirth.providers.cluster import condition
from rebirth.providers.talos import Talosctl


async def healthy(machines: Machines, talosctl: Talosctl, access: ClusterAccess) -> None:
    """Every node that there is is Ready, and every control plane of the cluster votes in etcd. Raises NotYet.

    Where there is no cluster yet nothing can be lost.
    """
    if not access.paths.kubeconfig.exists():
        return
    async with access.opened() as cluster:
        await cluster.ready()
        nodes = {node["metadata"]["name"]: node for node in await cluster.all("v1", "Node")}
    ours = [machine for machine in machines.nodes if machine.name in nodes]
    states = {machine.name: condition(nodes[machine.name]) for machine in ours}
    if waiting := [f"{name}: {message}" for name, (status, message) in states.items() if status != "True"]:
        raise NotYet("; ".join(waiting))
    planes = [machine for machine in ours if machine.role == "controlplane"]
    if len(planes) > 1:
        voters = await talosctl.etcd_voters(address=str(planes[0].address))
        if missing := [machine.name for machine in planes if machine.name not in voters]:
            raise NotYet(f"no voting member of etcd: {', '.join(missing)}")


@dataclass(frozen=True)
class Boot:
    """Which of its boots a machine is in."""

    identity: str  # as its kernel names it
    reported: str  # when its kubelet has last said that the node is Ready; "" where there is no such node


async def boot_of(machine: Machine, talosctl: Talosctl, access: ClusterAccess) -> Boot:
    """Asks the machine, and the cluster where there is one. (That Node knows the boot, too, but not in a container.)"""
    identity = await talosctl.boot(address=str(machine.address))
    if not access.paths.kubeconfig.exists():
        return Boot(identity, "")
    async with access.opened() as cluster:
        node = await cluster.find("v1", "Node", machine.name) or {}
    conditions = (node.get("status") or {}).get("conditions") or ()
    said = (entry.get("lastHeartbeatTime") or "" for entry in conditions if entry["type"] == "Ready")
    return Boot(identity, str(next(said, "")))


async def booted_again(before: Boot, machine: Machine, talosctl: Talosctl, access: ClusterAccess) -> None:
    """Raises NotYet while the machine is in that boot, or its node Ready only because nobody has missed it yet."""
    now = await boot_of(machine, talosctl, access)
    if now.identity == before.identity:
        raise NotYet("it has not booted again yet")
    if before.reported and now.reported == before.reported:
        raise NotYet("its kubelet has not reported yet")
