"""What castle.yaml says of single machines, in Talos' words: cards, disks, the node that Kubernetes sees."""

from typing import Any

from rebirth.castle import Hardware, Identity, Machine, Machines
from rebirth.phases.made.virtual_machines import SYSTEM_DISK, wwn

Document = dict[str, Any]
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


_EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


def network(identity: Identity, machine: Machine, machines: Machines) -> Document:
    own = machines.hardware(machine)
    # One card is told from virtual ones alone; of several each needs its own name.
    several = {"hardwareAddr": machine.mac_address(identity.name)}
    first: Document = {
        "deviceSelector": several if own.interfaces or machine.mac else {"physical": True},
        "addresses": [f"{machine.address}/{machines.network.prefixlen}"],
        "routes": [{"network": _EVERYWHERE[machines.gateway.version], "gateway": str(machines.gateway)}],
        **_mtu(own.mtu),
    }
    if machine.role == "controlplane" and machines.shared_address is not None:
        first["vip"] = {"ip": str(machines.shared_address)}
    others = [
        {
            "deviceSelector": {"hardwareAddr": machine.mac_of(identity.name, number, card)},
            "addresses": [f"{card.address}/{card.prefix}"] if card.address is not None else [],
            **_mtu(card.mtu),
        }
        for number, card in enumerate(own.interfaces, 1)
    ]
    return {"interfaces": [first, *others], "nameservers": [str(server) for server in machines.nameservers]}


def _mtu(mtu: int | None) -> Document:
    """For Proxmox 1 means that of the bridge, which the card then tells by itself."""
    return {"mtu": mtu} if mtu is not None and mtu > 1 else {}


def install(identity: Identity, machine: Machine, own: Hardware) -> Document:
    """Of several disks the system's is told by its name: which the kernel finds first nobody knows."""
    return {"diskSelector": {"wwid": _wwid(identity, machine, SYSTEM_DISK)}} if own.disks else {}


def volumes(identity: Identity, machine: Machine, own: Hardware) -> list[Document]:
    return [
        {
            "apiVersion": "v1alpha1",
            "kind": "UserVolumeConfig",
            "name": disk.name,
            "provisioning": {
                "diskSelector": {"match": f'disk.wwid == "{_wwid(identity, machine, disk.name)}"'},
                "minSize": "1GiB",
                "grow": True,
            },
            "filesystem": {"type": disk.filesystem},
        }
        for disk in own.disks
        if disk.filesystem is not None
    ]


def _wwid(identity: Identity, machine: Machine, disk: str) -> str:
    """As the kernel writes it."""
    return f"naa.{wwn(identity, machine, disk).removeprefix('0x')}"


def node(machine: Machine, machines: Machines, *, balanced: bool) -> Document:
    """`balanced`: the castle's own patches say nothing of the label that takes a machine out of load balancing."""
    own = machines.hardware(machine)
    labels: Document = dict(own.labels)
    if machine.role == "controlplane" and not machines.workers and balanced:
        # Talos sets it on every control plane. Without workers nobody would be left to announce an address.
        labels[EXCLUDED] = {"$patch": "delete"}
    said = {"nodeLabels": labels, "nodeAnnotations": dict(own.annotations), "nodeTaints": dict(own.taints)}
    time = {"time": {"servers": [*map(str, machines.ntp)]}} if machines.ntp else {}
    return {key: value for key, value in said.items() if value} | time
