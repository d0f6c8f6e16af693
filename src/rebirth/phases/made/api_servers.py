"""An API server that answers, where the one that the kubeconfig names may be gone with its machine."""

from collections.abc import Iterable

from rebirth.errors import NotYet
from rebirth.providers.access import ClusterAccess

_PORT = 6443  # of every control plane; an endpoint in front of them may have another


async def answering(access: ClusterAccess, addresses: Iterable[str]) -> str:
    """The server to open the cluster with: its endpoint (""), or the first of these control planes that answers. Raises NotYet."""
    refused: NotYet | None = None
    for server in ("", *map(_of, addresses)):
        async with access.opened(server) as cluster:
            try:
                await cluster.ready()
            except NotYet as error:
                refused = refused or error
            else:
                return server
    assert refused
    raise refused


def _of(address: str) -> str:
    return f"https://[{address}]:{_PORT}" if ":" in address else f"https://{address}:{_PORT}"
