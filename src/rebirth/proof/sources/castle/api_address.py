"""The address at which the Kubernetes API is reached: who holds it, and what has to run before it is there."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from rebirth.addresses import IPAddress, host_of
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Model, texts, thing
from rebirth.proof.reading.talos import Merged, shared_addresses
from rebirth.proof.sources.meeting import api, pools, within
from rebirth.proof.things import ALWAYS, Milestone, Need

if TYPE_CHECKING:
    from rebirth.castle import Castle


def read(model: Model, graph: Graph) -> None:
    castle = model.castle
    if castle is None or not model.machines:
        return
    host = host_of(castle.kubernetes.endpoint)
    if host in {str(node.address) for node in castle.machines.control_planes}:
        return
    try:
        address = ip_address(host)
    except ValueError:
        _named(model, graph, castle, host)
        return
    if host not in _held(model) and not [*_brought(model, graph, castle, address)]:
        _held_by_nobody(model, graph, castle, address)


def _named(model: Model, graph: Graph, castle: "Castle", host: str) -> None:
    """A name on the tailnet is a machine's own; who holds the address of any other no file tells."""
    name, _, rest = host.partition(".")
    if castle.tailscale is None or rest != castle.tailscale.tailnet:
        return
    if name not in {node.name for node in castle.machines.control_planes}:
        worker = name in {node.name for node in castle.machines.workers}
        words = f"the API is reached at {host}, which is " + (
            f"the worker {name}'s" if worker else "no control plane's"
        )
        graph.remark("api-address", model.at("kubernetes", "endpoint"), words, api(castle), certain="yes" * worker)


def _held(model: Model) -> set[str]:
    """Addresses that control planes share, and those that their static pods speak of."""
    found: set[str] = set()
    for machine in model.machines:
        if machine.role != "worker":
            found |= {str(item.value) for item in shared_addresses(machine)}
            merged = Merged(machine.patches)
            static = [item.value for at in ("pods", "files") for item in merged.items("machine", at)]
            found |= {word for text in texts(static) for word in text.replace("/", " ").replace(":", " ").split()}
    return found


def _brought(model: Model, graph: Graph, castle: "Castle", address: IPAddress) -> Iterator[str]:
    """Who in the cluster gives the address out."""
    place, answers = model.at("kubernetes", "endpoint"), api(castle)
    for member, where, (first, last) in pools(model):
        if within(address, first, last):
            pool = thing("address pool", "", member.name, Milestone.SERVES)
            graph.needs(answers, pool, Need.ADDRESS, place, f"{address} comes from this pool", scope=ALWAYS)
            graph.wanted(pool)
            graph.needs(pool, member.thing(), Need.APPLIED_BY, where)
            yield member.name
    for found in pods.every(model):
        for part, number, container in found.containers(init=False):
            variables = container.get("env")
            for at, entry in enumerate(variables if isinstance(variables, list) else ()):
                if _announces(entry, str(address)):
                    words = f"{found.manifest.name} announces {address}"
                    graph.needs(answers, found.thing, Need.ADDRESS, place, words, scope=ALWAYS)
                    where = found.place(part, number, "env", at)
                    graph.needs(found.thing, answers, Need.API, where, "is started through the API", scope=ALWAYS)
                    yield found.manifest.name


def _announces(entry: object, address: str) -> bool:
    return (
        isinstance(entry, Mapping)
        and entry.get("value") == address
        and str(entry.get("name")).lower() in {"address", "vip_address"}
    )


def _held_by_nobody(model: Model, graph: Graph, castle: "Castle", address: IPAddress) -> None:
    machines, kubernetes = castle.machines, castle.kubernetes
    worker = next((node.name for node in machines.workers if node.address == address), "")
    whose = (
        f"the worker {worker}'s"
        if worker
        else "the gateway's"
        if address == machines.gateway
        else "inside the pod network"
        if any(address in network for network in kubernetes.pod_network)
        else "inside the Service network"
        if any(address in network for network in kubernetes.service_network)
        else ""
    )
    words = f"the API is reached at {address}, which " + (
        f"is {whose}" if whose else "no machine, shared address or load balancer of these files has"
    )
    graph.remark("api-address", model.at("kubernetes", "endpoint"), words, api(castle), certain="yes" if whose else "")
