"""What a machine is told when it is switched on: its disk, its address in maintenance mode, where programs are."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

LINK = "ens18"  # what a first virtio network card is called on Proxmox


@dataclass(frozen=True)
class Hardware:
    lab: str
    name: str  # the VM's name
    vmid: int
    disk: Path  # survives power-off
    address: str  # with prefix length; what DHCP would give it
    gateway: str
    nameservers: tuple[str, ...]
    mac: str
    cores: int
    memory_mib: int
    ca: Path  # the lab's CA bundle: what the machine trusts
    programs: dict[str, str]  # binary -> path; "cni" is the folder of the CNI plugins
    visible: tuple[str, ...]  # paths of this system that the machine sees besides /usr and the like
    cgroup: str  # /rebirth-<lab>/<machine>
    talos_version: str | None  # of the boot image; None: nothing to boot from but the disk

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def read(cls, file: Path) -> "Hardware":
        data = json.loads(file.read_text())
        paths = {key: Path(data[key]) for key in ("disk", "ca")}
        lists = {key: tuple(data[key]) for key in ("nameservers", "visible")}
        return cls(**{**data, **paths, **lists})

    def program(self, name: str) -> str:
        return self.programs[name]
