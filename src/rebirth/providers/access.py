"""The way to a castle's cluster, for who asks before it is known to be there: by the kubeconfig of an earlier run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2 as httpx

from rebirth.paths import Paths
from rebirth.providers.cluster import Cluster


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
