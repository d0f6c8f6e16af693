"""The ClusterSecretStore is placed once its CRD and webhook are there. That it works is another matter: open_vault_store."""

from functools import partial

from rebirth.castle import Store, Vault
from rebirth.phases.made.living.differences import of_objects, of_those_left
from rebirth.phases.made.vault_store import STORE_KIND, cluster_secret_store, version
from rebirth.providers.cluster import Cluster
from rebirth.run.change import Change
from rebirth.run.facts import ExternalSecretsInstalled, SecretsPlaced, VaultRestored, VaultStoreApplied
from rebirth.run.waiting import until

LAYER = "engine"
PATIENCE = 120


async def apply_vault_store(
    store: Store,
    vault: Vault,
    cluster: Cluster,
    operator: ExternalSecretsInstalled,
    placed: SecretsPlaced,
    restored: VaultRestored | None,
) -> VaultStoreApplied:
    """Apply the Vault store."""
    await until(partial(cluster.apply, cluster_secret_store(store, vault)), what="the store is accepted", every=0.5)
    return VaultStoreApplied(store.name)


async def changes(store: Store, vault: Vault, cluster: Cluster) -> list[Change]:
    wanted = cluster_secret_store(store, vault)
    placed = await of_objects(cluster, [(wanted, "engine.store")])
    why = "ExternalSecrets may still read through it"
    return [*placed, *await of_those_left(cluster, version(store), STORE_KIND, [wanted], "engine.store.name", why)]


async def found(store: Store) -> VaultStoreApplied:
    return VaultStoreApplied(store.name)


async def still(fact: VaultStoreApplied, store: Store, cluster: Cluster) -> bool:
    return await cluster.find(version(store), STORE_KIND, fact.name) is not None
