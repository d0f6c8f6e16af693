"""The store is Valid: its server's name resolves inside the cluster, its CA is trusted, its token is taken.

Where that name is a tailnet's, this becomes true only when Flux has brought the Tailscale operator and its nameserver.
"""

from rebirth.errors import NotYet
from rebirth.phases.made.vault_store import STORE_KIND, STORE_VERSION
from rebirth.providers.cluster import Cluster, condition, stamp
from rebirth.run.facts import VaultStoreApplied, VaultStoreOpened
from rebirth.run.waiting import now, until

LAYER = "waits"
PATIENCE = 900
WAITS = True

_EXTERNAL = "external-secrets.io/v1", "ExternalSecret"
_NUDGE_EVERY = 3.0  # seconds: the operator backs off for minutes after failures that were only too early


async def open_vault_store(cluster: Cluster, applied: VaultStoreApplied) -> VaultStoreOpened:
    """Wait for the Vault store to be valid."""
    nudged = now()

    async def valid() -> None:
        nonlocal nudged
        status, message = condition(await cluster.find(STORE_VERSION, STORE_KIND, applied.name))
        if status == "True":
            return
        if now() - nudged > _NUDGE_EVERY:
            nudged = now()
            asked = {"metadata": {"annotations": {"rebirth.dev/asked-at": stamp()}}}
            await cluster.merge(STORE_VERSION, STORE_KIND, applied.name, None, asked)
        raise NotYet(message)

    await until(
        valid, what=f"the store {applied.name} is valid", every=2, changes=cluster.changes(STORE_VERSION, STORE_KIND)
    )
    await _wake(cluster, applied.name)
    return VaultStoreOpened(applied.name)


async def _wake(cluster: Cluster, store: str) -> None:
    """ExternalSecrets that failed while the store was not valid yet would try again only after their back-off."""
    asked = {"metadata": {"annotations": {"force-sync": stamp()}}}
    for item in await cluster.all(*_EXTERNAL):
        mine = item["spec"].get("secretStoreRef", {}).get("name") == store
        if mine and condition(item)[0] == "False":
            meta = item["metadata"]
            await cluster.merge(*_EXTERNAL, meta["name"], meta["namespace"], asked)


async def found(applied: VaultStoreApplied) -> VaultStoreOpened:
    return VaultStoreOpened(applied.name)


async def still(fact: VaultStoreOpened, cluster: Cluster) -> bool:
    return condition(await cluster.find(STORE_VERSION, STORE_KIND, fact.name))[0] == "True"
