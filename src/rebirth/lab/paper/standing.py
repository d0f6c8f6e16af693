"""All that stands in inside the castle's cluster, as the world sees it: served, kept, and reported on."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from rebirth.castle import Castle, Site
from rebirth.lab import network
from rebirth.lab.ca import Authority
from rebirth.lab.canaries import kinds
from rebirth.lab.paper import report, stub
from rebirth.lab.paper.admin import Plane
from rebirth.lab.paper.admission import NAME, Admission
from rebirth.lab.paper.choice import Choice, known
from rebirth.lab.paper.keeper import Keeper
from rebirth.lab.proxmox import Pve
from rebirth.lab.spec import Lab
from rebirth.lab.systems.servers import Servers

_HEADER = "x-rebirth-on-paper"  # in what a stub answers: the image in whose place it does
_PATIENCE = 3.0  # seconds for a site to say it


@dataclass
class Standing:
    """`folder` is the lab's; `address` is where the API server of the castle asks."""

    castle: Castle
    lab: Lab
    folder: Path
    ca: Authority
    pve: Pve
    address: str
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = Keeper(
            self._planes, self.folder, f"https://{self.address}", self.ca, kinds(self.castle, self.ca), self._announce
        )

    async def serve(self, servers: Servers, images: Iterable[str]) -> None:
        """`images`: those that the lab's registry has."""
        choice = Choice(known(images), self.lab.real, self.lab.paper)
        app = Admission(choice, self.keeper.services, stub.told(self.castle.sites)).app()
        await servers.start("paper", app, address=self.address, port=443, hosts=[NAME])

    async def _announce(self, address: str) -> None:
        """By way of any machine: kube-proxy leads on from there."""
        await asyncio.to_thread(network.lead, address, str(self.castle.machines.nodes[0].address))

    def _planes(self) -> Iterator[Plane]:
        numbers = {options["name"]: vmid for vmid, options in self.pve.machines.items()}
        for machine in self.castle.machines.nodes:
            if machine.role == "controlplane" and machine.name in numbers:
                disk = self.folder / "machines" / str(numbers[machine.name])
                yield Plane(disk / "state/config.yaml", str(machine.address))

    async def report(self) -> dict[str, Any]:
        """What ran for real and what on paper, and which sites are answered on paper."""
        found = {site.host: await self._answered(site) for site in self.castle.sites}
        on_paper = {f"https://{host}": image for host, image in found.items() if image}
        return report.data(report.workloads(self.keeper.pods()), on_paper, self._awaited)

    @property
    def _awaited(self) -> tuple[str, str, str] | None:
        """What online means, where it is a workload."""
        found = self.castle.online.awaited if self.castle.online else None
        return (found.kind, found.namespace, found.name) if found else None

    async def _answered(self, site: Site) -> str:
        """The image in whose place a stub answers for the site; "" where none does."""
        address = str(site.address or self._entrance() or site.host)
        headers, names = {"host": site.host}, {"sni_hostname": site.host}
        async with httpx.AsyncClient(verify=False, trust_env=False, timeout=_PATIENCE) as client:  # noqa: S501 - whoever it is
            try:
                answer = await client.get(f"https://{address}{site.path}", headers=headers, extensions=names)
            except httpx.HTTPError:
                return ""
        return str(answer.headers.get(_HEADER, ""))

    def _entrance(self) -> str:
        """The address of the Service that leads to the sites."""
        entrance = self.castle.online.entrance if self.castle.online else None
        service: Mapping[str, Any] = (entrance and self.keeper.service(entrance.namespace, entrance.name)) or {}
        given = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
        return str(given[0].get("ip", ""))
