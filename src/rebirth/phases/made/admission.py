"""Waiting for an admission webhook that is being born."""

from collections.abc import Awaitable, Callable

from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import now, until

_WAKE_EVERY = 4.0  # seconds


async def until_admitted(
    attempt: Callable[[], Awaitable[None]], *, what: str, cluster: Cluster, namespace: str
) -> None:
    """Makes `attempt` until the webhook lets it through, and wakes the webhook's pods in `namespace` meanwhile.

    Endpoints that exist do not mean a webhook that answers with a certificate the API server trusts: only an attempt does.
    """
    woken = now()

    async def look() -> None:
        nonlocal woken
        try:
            await attempt()
        except NotYet:
            if now() - woken > _WAKE_EVERY:
                woken = now()
                await cluster.wake_pods(namespace)
            raise

    await until(look, what=what, every=0.5)
