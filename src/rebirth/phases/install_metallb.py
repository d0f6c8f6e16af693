"""MetalLB, with its address pool accepted by its own webhook."""

from functools import partial
from typing import Any

from rebirth.castle import MetalLb, Pool
from rebirth.phases.made.admission import until_admitted
from rebirth.phases.made.living.differences import of_objects, of_release, of_those_left
from rebirth.phases.made.rollout import PODS
from rebirth.providers.cluster import Cluster
from rebirth.providers.helm import Helm
from rebirth.run.change import Change
from rebirth.run.facts import CiliumInstalled, MetalLbInstalled, NamespacesCreated

LAYER = "networking"
PATIENCE = 900
USUALLY = 10
WAITS_FOR = (CiliumInstalled,)  # its webhook is a pod
HINT = PODS

_VERSION = "metallb.io/v1beta1"
_LEFT = "Services may have its addresses"


async def install_metallb(
    metallb: MetalLb, pool: Pool, cluster: Cluster, helm: Helm, namespaces: NamespacesCreated
) -> MetalLbInstalled:
    """Install MetalLB."""
    await helm.ensure(
        name="metallb",
        namespace=metallb.namespace,
        chart="metallb",
        version=metallb.version,
        repository=metallb.repository,
        values=values(metallb),
    )
    await until_admitted(
        partial(cluster.apply, *objects(metallb, pool)),
        what="the webhook accepts the address pool",
        cluster=cluster,
        namespace=metallb.namespace,
    )
    return MetalLbInstalled(metallb.version)


def values(metallb: MetalLb) -> dict[str, object]:
    """Layer 2 needs no routing daemon."""
    return {"speaker": {"frr": {"enabled": False}}, **metallb.values}


async def changes(metallb: MetalLb, pool: Pool, cluster: Cluster, helm: Helm) -> list[Change]:
    release = await of_release(
        helm, name="metallb", chart="metallb", spec=metallb, values=values(metallb), setting="networking.metallb"
    )
    wanted = objects(metallb, pool)
    placed = await of_objects(cluster, [(item, "networking.pool") for item in wanted])
    left = await of_those_left(cluster, _VERSION, "IPAddressPool", wanted, "networking.pool.name", _LEFT)
    return [*release, *placed, *left]


def objects(metallb: MetalLb, pool: Pool) -> list[dict[str, Any]]:
    """The pool of addresses, and its advertisement."""
    place = {"name": pool.name, "namespace": metallb.namespace}
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


async def found(metallb: MetalLb) -> MetalLbInstalled:
    return MetalLbInstalled(metallb.version)


async def still(fact: MetalLbInstalled, metallb: MetalLb, pool: Pool, cluster: Cluster) -> bool:
    for wanted in objects(metallb, pool):
        place = wanted["metadata"]
        found = await cluster.find(_VERSION, wanted["kind"], place["name"], place["namespace"])
        if found is None or any(found["spec"].get(key) != value for key, value in wanted["spec"].items()):
            return False
    return True
