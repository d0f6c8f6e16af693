"""MetalLB, with its address pool accepted by its own webhook."""

from functools import partial
from typing import Any

from rebirth.castle import Networking
from rebirth.phases.made.admission import until_admitted
from rebirth.providers.cluster import Cluster
from rebirth.providers.helm import Helm
from rebirth.run.facts import MetalLbInstalled, NamespacesCreated

LAYER = "networking"
PATIENCE = 300
USUALLY = 10

_VERSION = "metallb.io/v1beta1"


async def install_metallb(
    networking: Networking, cluster: Cluster, helm: Helm, namespaces: NamespacesCreated
) -> MetalLbInstalled:
    """Install MetalLB."""
    chart = networking.metallb
    await helm.ensure(
        name="metallb",
        namespace=chart.namespace,
        chart="metallb",
        version=chart.version,
        repository=chart.repository,
        # Layer 2 needs no routing daemon.
        values={"speaker": {"frr": {"enabled": False}}, **chart.values},
    )
    await until_admitted(
        partial(cluster.apply, *objects(networking)),
        what="the webhook accepts the address pool",
        cluster=cluster,
        namespace=chart.namespace,
    )
    return MetalLbInstalled(chart.version)


def objects(networking: Networking) -> list[dict[str, Any]]:
    """The pool of addresses, and its advertisement."""
    pool = networking.pool
    place = {"name": pool.name, "namespace": networking.metallb.namespace}
    addresses = {
        "apiVersion": _VERSION,
        "kind": "IPAddressPool",
        "metadata": place,
        "spec": {"addresses": list(pool.addresses)},
    }
    advertisement = {
        "apiVersion": _VERSION,
        "kind": "L2Advertisement",
        "metadata": place,
        "spec": {"ipAddressPools": [pool.name]},
    }
    return [addresses, advertisement]


async def found(networking: Networking) -> MetalLbInstalled:
    return MetalLbInstalled(networking.metallb.version)


async def still(fact: MetalLbInstalled, networking: Networking, cluster: Cluster) -> bool:
    for wanted in objects(networking):
        place = wanted["metadata"]
        found = await cluster.find(_VERSION, wanted["kind"], place["name"], place["namespace"])
        if found is None or any(found["spec"].get(key) != value for key, value in wanted["spec"].items()):
            return False
    return True
