"""etcd is bootstrapped, exactly once in the castle's life, and the Kubernetes API answers."""

from functools import partial

from rebirth.castle import Kubernetes, Machines
from rebirth.errors import NoAnswer
from rebirth.place import Place
from rebirth.providers.cluster import Cluster
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import KubernetesBootstrapped, MachinesConfigured, MachinesCreated, Made
from rebirth.run.journal import Once
from rebirth.run.waiting import until

LAYER = "platform"
PATIENCE = 600
UNDO_AFTER = (MachinesCreated,)  # while a machine is there, its credentials are needed
USUALLY = 60
ETCD = "bootstrap etcd"  # as the journal names it


async def bootstrap_kubernetes(
    machines: Machines,
    kubernetes: Kubernetes,
    place: Place,
    talosctl: Talosctl,
    once: Once,
    configured: MachinesConfigured,
) -> KubernetesBootstrapped:
    """Bootstrap Kubernetes."""
    first = str(machines.control_planes[0].address)
    await once(ETCD, partial(talosctl.bootstrap, address=first), partial(talosctl.etcd_exists, address=first))
    await talosctl.write_kubeconfig(address=first)
    await _ready(place)
    return KubernetesBootstrapped(kubernetes.endpoint)


async def _ready(place: Place) -> None:
    cluster = Cluster(place=place)
    try:
        await until(cluster.ready, what="the Kubernetes API is ready", every=0.3)
    finally:
        await cluster.close()


async def found(kubernetes: Kubernetes) -> KubernetesBootstrapped:
    return KubernetesBootstrapped(kubernetes.endpoint)


async def still(fact: KubernetesBootstrapped, place: Place) -> bool:
    if not place.kubeconfig.exists():
        raise NoAnswer("the castle's kubeconfig is not in the produced folder")
    cluster = Cluster(place=place)
    try:
        await cluster.ready()
    finally:
        await cluster.close()
    return True


async def undo(place: Place) -> list[Made]:
    """The kubeconfig."""

    async def remove() -> None:
        place.kubeconfig.unlink(missing_ok=True)

    return [Made("file", str(place.kubeconfig), "", remove)] if place.kubeconfig.exists() else []
