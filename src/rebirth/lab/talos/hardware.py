"""What a machine is told when it is switched on: its disk, its network card, what it shows of the host."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lease:
    """What the LAN gives to a network card without asking what is behind it: by DHCP, or by a cloud-init drive."""

    address: str  # with prefix length
    gateway: str
    nameservers: tuple[str, ...]


@dataclass(frozen=True)
class Hardware:
    hostname: str  # until a configuration names it
    disk: Path  # survives power-off
    root: Path  # the root file system, read-only, the same for all machines
    lease: Lease | None  # None where the stored configuration has a static address, so that nobody is asked
    nameservers: tuple[str, ...]
    cgroup: str  # /rebirth-<lab>/<machine>
    cores: int
    memory_mib: int

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), default=str))

    @classmethod
    def read(cls, file: Path) -> "Hardware":
        data = json.loads(file.read_text())
        lease = data["lease"] and Lease(**{**data["lease"], "nameservers": tuple(data["lease"]["nameservers"])})
        own = {"disk": Path(data["disk"]), "root": Path(data["root"]), "nameservers": tuple(data["nameservers"])}
        return cls(**{**data, **own, "lease": lease})
