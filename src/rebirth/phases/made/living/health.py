"""Whether a castle can do without one machine for a moment, and is back afterwards."""

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


async def boot_of(machine: Machine, access: ClusterAccess) -> str:
    """Which of its boots the machine is in, as its node says; "" where there is no cluster or no such node."""
    if not access.paths.kubeconfig.exists():
        return ""
    async with access.opened() as cluster:
        node = await cluster.find("v1", "Node", machine.name) or {}
    return str(((node.get("status") or {}).get("nodeInfo") or {}).get("bootID", ""))


async def booted_again(before: str, machine: Machine, access: ClusterAccess) -> None:
    """Raises NotYet while the node still says that it is in the boot `before`: it is Ready until somebody misses it."""
    if before and await boot_of(machine, access) == before:
        raise NotYet(f"{machine.name} has not booted again yet")
