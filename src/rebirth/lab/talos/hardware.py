"""What a machine is told when it is switched on: its disk, its address in maintenance mode, where programs are."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Hardware:
    lab: str
    name: str  # the VM's name
    disk: Path  # survives power-off
    address: str  # with prefix length; what DHCP would give it
    gateway: str
    nameservers: tuple[str, ...]
    mac: str
    ca: Path  # the lab's CA bundle: what the machine trusts
    programs: dict[str, str]  # binary -> path
    cgroup: str  # /rebirth-<lab>/<machine>
    talos_version: str  # of the boot image
    cores: int = 0  # that it shows; 0: those of the host

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def read(cls, file: Path) -> "Hardware":
        data = json.loads(file.read_text())
        return cls(
            **{**data, "disk": Path(data["disk"]), "ca": Path(data["ca"]), "nameservers": tuple(data["nameservers"])}
        )

    def program(self, name: str) -> str:
        return self.programs[name]
