"""What a bootstrap applies before Flux begins, as the API server takes it: at once, later, or never."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from rebirth.errors import Broken, NotYet
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import together, until

Object = Mapping[str, Any]


class Placing:
    """`within`: seconds for which everything else waits for an object; then it is tried on beside the rest."""

    def __init__(self, cluster: Cluster, within: float) -> None:
        self._cluster, self._within = cluster, within
        self.refused: dict[str, str] = {}  # what was not taken in time: the API server's words
        self.late: list[Object] = []  # of those, what it may still take: a webhook that did not answer yet

    async def place(self, items: Iterable[Object]) -> None:
        """Applies them, all at once. What is not taken is no end."""
        await together(*map(self._first, items))

    async def go_on(self, items: Iterable[Object] = ()) -> None:
        """Applies what was late, and `items`, each as soon as the API server takes it."""
        await together(*map(self._later, (*self.late, *items)))

    async def _first(self, item: Object) -> None:
        what, last = _called(item), "no answer"

        async def attempt() -> None:
            nonlocal last
            try:
                await self._cluster.apply(item)
            except NotYet as error:
                last = str(error)
                raise

        try:
            async with asyncio.timeout(self._within):
                await until(attempt, what=f"{what} is applied", every=0.3)
        except TimeoutError:
            self.refused[what] = last
            self.late.append(item)
        except Broken as error:
            self.refused[what] = error.message

    async def _later(self, item: Object) -> None:
        with suppress(Broken):  # its kind asks for more than is known of it
            await until(lambda: self._cluster.apply(item), what=f"{_called(item)} is applied")
            if said := self.refused.get(_called(item)):
                self.refused[_called(item)] = f"{said}; taken after all, while Flux ran"


def _called(item: Object) -> str:
    return f"{item['kind']} {item['metadata']['name']}"
