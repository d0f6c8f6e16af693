"""Keeps in the castle's cluster what the lab puts there, in every life of the castle: its webhook, and what stubs do not do."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebirth.errors import NotYet
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.lab.paper.admin import Plane, authority_of, connect
from rebirth.lab.paper.admission import configuration
from rebirth.lab.paper.effects import Effects
from rebirth.paper.api.client import Api
from rebirth.paper.api.kinds import MUTATING, POD, SERVICE
from rebirth.paper.api.seen import Seen

_AGAIN = 0.5  # seconds between two looks whether there is a cluster
_LIVES = 2.0  # and whether it is still the same


@dataclass
class Keeper:
    """`url` is that of the lab's admission webhook; `invent` makes secrets of the castle."""

    planes: Callable[[], Iterable[Plane]]
    folder: Path
    url: str
    ca: Authority
    invent: Kinds
    announce: Callable[[str], Awaitable[None]]  # leads an address of a load balancer on paper to the machines
    refused: dict[str, str] = field(default_factory=dict)  # what the API server did not take, and its words
    _seen: Seen | None = None  # of the castle that lives now

    async def run(self) -> None:
        """Never returns."""
        file = self.folder / "lab.kubeconfig"
        while True:
            if life := connect(self.planes(), file):
                with suppress(NotYet):
                    await self._keep(Api(file), life)
            await asyncio.sleep(_AGAIN)

    async def services(self, namespace: str) -> Sequence[Mapping[str, Any]]:
        """Those of a namespace, as far as they have been seen."""
        found = self._seen.of(SERVICE) if self._seen else {}
        return [service for (space, _), service in found.items() if space == namespace]

    def service(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        return self._seen.get(SERVICE, namespace, name) if self._seen else None

    def pods(self) -> list[Mapping[str, Any]]:
        return list(self._seen.of(POD).values()) if self._seen else []

    async def _keep(self, api: Api, life: str) -> None:
        """As long as the castle lives. Raises NotYet where the API server does not answer yet."""
        try:
            item = configuration(self.url, self.ca.pem)
            if await api.find(MUTATING, "", item["metadata"]["name"]) is None:
                await api.create(MUTATING, item)
            self._seen = Seen(api)
            effects = Effects(api, self._seen, self.ca, self.invent, self.refused, self.announce)
            work = asyncio.create_task(effects.run())
            try:
                while authority_of(self.planes()) == life and not work.done():  # noqa: ASYNC110 - a machine writes it
                    await asyncio.sleep(_LIVES)
            finally:
                work.cancel()
                await asyncio.wait([work])
            if not work.cancelled():
                work.result()
        finally:
            if self._seen:
                await self._seen.close()
            self._seen = None
            await api.close()
