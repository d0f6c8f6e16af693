"""Every machine is a Ready node."""

from rebirth.castle import Machines
from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster, condition
from rebirth.run.facts import NodesReady
from rebirth.run.waiting import until

LAYER = "platform"
PATIENCE = 600
USUALLY = 20
WAITS = True


async def await_nodes(machines: Machines, cluster: Cluster) -> NodesReady:
    """Wait for the nodes to be Ready."""

    async def ready() -> tuple[str, ...]:
        return await _ready(machines, cluster)

    return NodesReady(await until(ready, what="all nodes are Ready", every=5, changes=cluster.changes("v1", "Node")))


async def found(machines: Machines) -> NodesReady:
    return NodesReady(tuple(machine.name for machine in machines.nodes))


async def still(fact: NodesReady, machines: Machines, cluster: Cluster) -> bool:
    await _ready(machines, cluster)
    return True


async def _ready(machines: Machines, cluster: Cluster) -> tuple[str, ...]:
    nodes = {node["metadata"]["name"]: node for node in await cluster.all("v1", "Node")}
    wanted = [machine.name for machine in machines.nodes]
    waiting = [f"{name}: {condition(nodes.get(name))[1]}" for name in wanted if condition(nodes.get(name))[0] != "True"]
    if waiting:
        raise NotYet("; ".join(waiting))
    return tuple(sorted(wanted))
