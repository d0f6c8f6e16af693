"""Machines that castle.yaml no longer names. Nothing but the operator's word, machine by machine, has one destroyed.

Their pods go to others first, as disruption budgets allow it; a control plane gives its seat in etcd back while a majority stays.
"""

from rebirth.castle import Machines, Proxmox, Tailscale
from rebirth.commands import ProgramFailed
from rebirth.errors import Broken, Differs, NotYet
from rebirth.paths import Paths
from rebirth.phases.made import machine_records as records
from rebirth.phases.made import nodes
from rebirth.phases.made.etcd_seats import seats_without
from rebirth.phases.made.lost_volumes import lost_with
from rebirth.providers.cluster import Cluster
from rebirth.providers.proxmox import ProxmoxApi, Vm
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.talos import EtcdMember, Talosctl
from rebirth.run.change import Change, How
from rebirth.run.consent import Consent
from rebirth.run.facts import NodesReady, SurplusRemoved
from rebirth.run.waiting import note, together, until

LAYER = "platform"
PATIENCE = 1800  # a pod may take minutes to end, and its budget to allow it
HINT = "`kubectl get poddisruptionbudgets --all-namespaces` says which pods may not go, and why."


async def remove_machines(
    machines: Machines,
    spec: Proxmox,
    paths: Paths,
    consent: Consent,
    proxmox: ProxmoxApi,
    talosctl: Talosctl,
    cluster: Cluster,
    tailscale: Tailscale | None,
    tailnet: TailnetApi | None,
    ready: NodesReady,
) -> SurplusRemoved:
    """Remove the machines that are to go."""
    surplus = await _surplus(machines, spec, proxmox)
    going = [vm for vm in surplus if vm.name in consent.remove]
    for vm in surplus:
        if vm not in going:
            note(
                f"{_described(vm, spec)}: name it there, or `rebirth create --remove {vm.name}` drains it, takes it out of the "
                "cluster and destroys it"
            )
    for name in sorted({*consent.remove} - {vm.name for vm in surplus}):
        note(f"there is no machine {name} with the tag {spec.tag}: nothing to remove")
    if not consent.loss:
        await _refuse_losses([vm.name for vm in going], cluster)
    for vm in going:  # one after the other: etcd needs its majority in between
        others = await _addresses(cluster, [other.name for other in surplus if other != vm])
        planes = {plane.name: str(plane.address) for plane in machines.control_planes}
        seats = await seats_without([vm.name], planes | others, talosctl, dead=not vm.running)
        await nodes.drain(cluster, vm.name)
        for member in seats.of([vm.name]):
            await _leave_etcd(vm, member, seats.asked, cluster, talosctl)
        if vm.running:  # a kubelet that runs could register again
            await proxmox.stop(node=vm.node, vm_id=vm.vm_id)
        await nodes.forget(cluster, vm.name)
        if tailscale and tailnet:
            await _leave_tailnet(vm, tailscale, tailnet)
        await proxmox.delete(node=vm.node, vm_id=vm.vm_id)  # last: until then the next run finds it
        records.forget(paths, vm.name)
        surplus.remove(vm)
        note(f"removed the machine {vm.name} ({vm.vm_id})")
    return SurplusRemoved()


async def changes(machines: Machines, spec: Proxmox, proxmox: ProxmoxApi) -> list[Change]:
    by_hand = "`rebirth create --remove {}` drains it, takes it out of the cluster and destroys it"
    return [
        Change(f"machine {vm.name}", How.REFUSED, f"{_described(vm, spec)}: {by_hand.format(vm.name)}", "machines")
        for vm in await _surplus(machines, spec, proxmox)
    ]


async def found() -> SurplusRemoved:
    return SurplusRemoved()


async def still(fact: SurplusRemoved, machines: Machines, spec: Proxmox, consent: Consent, proxmox: ProxmoxApi) -> bool:
    if surplus := await _surplus(machines, spec, proxmox):
        raise Differs(_described(surplus[0], spec))
    return not consent.remove


async def _surplus(machines: Machines, spec: Proxmox, proxmox: ProxmoxApi) -> list[Vm]:
    named = {machine.name for machine in machines.nodes}
    return [vm for vm in await proxmox.machines() if spec.tag in vm.tags and vm.name not in named]


def _described(vm: Vm, spec: Proxmox) -> str:
    return f"the machine {vm.name} ({vm.vm_id}) has this castle's tag {spec.tag}, and castle.yaml does not name it"


async def _refuse_losses(names: list[str], cluster: Cluster) -> None:
    """Raises Broken where something would be gone with the machines, before anything is done to them."""
    lost = [str(volume) for volume in await lost_with(cluster, names)] if names else []
    for name in names:
        alone = [pod["metadata"] for pod in await nodes.pods_of(cluster, name) if nodes.is_nobodys(pod)]
        lost += [f"the pod {meta['namespace']}/{meta['name']}, which nobody makes anew" for meta in alone]
    if lost:
        text = f"{', '.join(names)}: nothing else holds {'; nor '.join(lost)}"
        hint = (
            "The machine is left as it is. Move what is in it to another; or `--accept-loss` beside `--remove` gives it up: claims "
            "and pods are removed, and whoever keeps them makes new ones, which are empty."
        )
        raise Broken(text, operation="remove machines", hint=hint)


async def _addresses(cluster: Cluster, names: list[str]) -> dict[str, str]:
    """Of nodes that castle.yaml says nothing of."""
    found = await together(*(cluster.find("v1", "Node", name) for name in names))
    listed = {
        name: [entry["address"] for entry in (node.get("status") or {}).get("addresses") or () if entry["type"] == "InternalIP"]
        for name, node in zip(names, found, strict=True)
        if node
    }  # fmt: skip
    return {name: addresses[0] for name, addresses in listed.items() if addresses}


async def _leave_etcd(vm: Vm, member: EtcdMember, asked: str, cluster: Cluster, talosctl: Talosctl) -> None:
    """By itself, or where it does not answer, by the one that is `asked`."""
    own = await _addresses(cluster, [vm.name])
    try:
        if not (vm.running and own):
            raise NotYet(f"{vm.name} does not run")
        await talosctl.leave_etcd(address=own[vm.name])
    except (NotYet, ProgramFailed):
        await talosctl.remove_etcd_member(member, address=asked)

    async def left() -> None:
        if member in await talosctl.etcd_members(address=asked):
            raise NotYet("it is a member yet")

    await until(left, what=f"{vm.name} has left etcd", every=0.5, slowest=5)
    note(f"{vm.name} has left etcd")


async def _leave_tailnet(vm: Vm, tailscale: Tailscale, tailnet: TailnetApi) -> None:
    ours = set(tailscale.node_key.tags)
    for device in await tailnet.devices():
        if vm.name in {device.name, device.hostname} and ours & set(device.tags):
            await tailnet.delete_device(identity=device.identity)
