"""Waiting for an admission webhook that is being born."""

import time
from collections.abc import Awaitable, Callable

from rebirth.errors import NotYet
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import until

_WAKE_EVERY = 4.0  # seconds


async def until_admitted(
    attempt: Callable[[], Awaitable[None]], *, what: str, cluster: Cluster, namespace: str
) -> None:
    """Makes `attempt` until the webhook lets it through, and wakes the webhook's pods in `namespace` meanwhile.

    Endpoints that exist do not mean a webhook that answers with a certificate the API server trusts: only an attempt does.
    """
    woken = time.monotonic()

    async def look() -> None:
        nonlocal woken
        try:
            await attempt()
        except NotYet:
            if time.monotonic() - woken > _WAKE_EVERY:
                woken = time.monotonic()
                await cluster.wake_pods(namespace)
            raise

    await until(look, what=what, every=0.5)
