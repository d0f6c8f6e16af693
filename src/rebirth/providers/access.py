"""The way to a castle's cluster, for who asks before it is known to be there: by the kubeconfig of an earlier run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx2 as httpx

from rebirth.errors import Broken, NotYet
from rebirth.paths import Paths
from rebirth.providers.cluster import Cluster

_T = TypeVar("_T")
_PATIENCE = 5.0  # seconds for a cluster that may be dead already


@dataclass(frozen=True)
class ClusterAccess:
    """`transport` is as Cluster's."""

    paths: Paths
    transport: httpx.AsyncBaseTransport | None = None

    @property
    def is_known(self) -> bool:
        """Whether there was a cluster: a run has left its kubeconfig."""
        return self.paths.kubeconfig.exists()

    def open(self, server: str = "") -> Cluster:
        """Raises Broken where there is no kubeconfig. `server` is as Cluster's: an API server that answers where another is gone."""
        return Cluster(paths=self.paths, server=server, transport=self.transport)

    @asynccontextmanager
    async def opened(self, server: str = "") -> AsyncIterator[Cluster]:
        """For one question."""
        cluster = self.open(server)
        try:
            yield cluster
        finally:
            await cluster.close()

    async def told(self, look: Callable[[Cluster], Awaitable[_T]]) -> _T | None:
        """What `look` finds in a cluster that may be dead already; None where it does not answer soon, or there was none."""
        if not self.is_known:
            return None
        try:
            async with asyncio.timeout(_PATIENCE), self.opened() as cluster:
                return await look(cluster)
        except (TimeoutError, NotYet, Broken):
            return None
