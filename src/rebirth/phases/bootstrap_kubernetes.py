"""etcd is bootstrapped, exactly once in the castle's life, and the Kubernetes API answers."""

from functools import partial

from rebirth.castle import Kubernetes, Machines
from rebirth.errors import NoAnswer, NotYet
from rebirth.paths import Paths
from rebirth.providers.access import ClusterAccess
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import KubernetesBootstrapped, MachinesBooted, MachinesConfigured, MachinesCreated, Made
from rebirth.run.files import made_of
from rebirth.run.journal import Once
from rebirth.run.waiting import together, until

LAYER = "platform"
# Every control plane pulls etcd, the control plane's images and the kubelet's, half a gigabyte together.
PATIENCE = 1800
UNDO_AFTER = (MachinesCreated, MachinesBooted)  # while a machine is there, its credentials are needed
USUALLY = 60
HINT = "`talosctl dmesg` and `talosctl logs etcd` of the first control plane say what it lacks."
ETCD = "bootstrap etcd"  # as the journal names it


async def bootstrap_kubernetes(
    machines: Machines,
    kubernetes: Kubernetes,
    talosctl: Talosctl,
    access: ClusterAccess,
    once: Once,
    configured: MachinesConfigured,
) -> KubernetesBootstrapped:
    """Bootstrap Kubernetes."""
    addresses = [str(machine.address) for machine in machines.control_planes]
    first = addresses[0]

    async def exists() -> bool:
        # On any of them: without a journal, and with a first control plane that was made anew, etcd lives on the others.
        return any(await together(*(talosctl.etcd_exists(address=address) for address in addresses)))

    await once(ETCD, partial(talosctl.bootstrap, address=first), exists)
    await talosctl.write_kubeconfig(address=first)
    await _ready(kubernetes, access)
    return KubernetesBootstrapped(kubernetes.endpoint)


async def _ready(kubernetes: Kubernetes, access: ClusterAccess) -> None:
    async with access.opened() as cluster:

        async def ready() -> None:
            try:
                await cluster.ready()
            except NotYet as error:
                hint = (
                    error.hint or "kubernetes.endpoint must be the address of a control plane, or one that they share."
                )
                raise NotYet(f"{kubernetes.endpoint}: {error}", hint=hint) from None

        await until(ready, what="the Kubernetes API is ready", every=0.3, slowest=3)


async def found(kubernetes: Kubernetes) -> KubernetesBootstrapped:
    return KubernetesBootstrapped(kubernetes.endpoint)


async def still(fact: KubernetesBootstrapped, paths: Paths, access: ClusterAccess) -> bool:
    if not paths.kubeconfig.exists():
        raise NoAnswer("the castle's kubeconfig is not in the produced folder")
    async with access.opened() as cluster:
        await cluster.ready()
    return True


async def undo(paths: Paths) -> list[Made]:
    """The kubeconfig."""
    return made_of([paths.kubeconfig])
