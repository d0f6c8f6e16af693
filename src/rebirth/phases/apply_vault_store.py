"""The ClusterSecretStore is placed once its CRD and webhook are there. That it works is another matter: open_vault_store."""

from functools import partial

from rebirth.castle import Foundation
from rebirth.phases.made.vault_store import STORE_KIND, STORE_VERSION, cluster_secret_store
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import ExternalSecretsInstalled, SecretsPlaced, VaultStoreApplied
from rebirth.run.waiting import until

LAYER = "engine"
PATIENCE = 120


async def apply_vault_store(
    engine: Foundation, cluster: Cluster, operator: ExternalSecretsInstalled, placed: SecretsPlaced
) -> VaultStoreApplied:
    """Apply the Vault store."""
    await until(partial(cluster.apply, cluster_secret_store(engine)), what="the store is accepted", every=0.5)
    return VaultStoreApplied(engine.store.name)


async def found(engine: Foundation) -> VaultStoreApplied:
    return VaultStoreApplied(engine.store.name)


async def still(fact: VaultStoreApplied, cluster: Cluster) -> bool:
    return await cluster.find(STORE_VERSION, STORE_KIND, fact.name) is not None
