"""External Secrets where Flux installs it: the castle's store waits for its CRDs and its webhook."""

from rebirth.castle import ExternalSecretsOfFlux, Store, Vault
from rebirth.phases.made.external_secrets import established, until_serving
from rebirth.phases.made.rollout import PODS
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import Converged, ExternalSecretsInstalled, FluxBootstrapped

LAYER = "waits"
PATIENCE = 3600
WAITS_FOR = (Converged,)  # the graph brings it
WAITS = True
HINT = PODS


async def await_external_secrets(
    operator: ExternalSecretsOfFlux, store: Store, vault: Vault, cluster: Cluster, flux: FluxBootstrapped
) -> ExternalSecretsInstalled:
    """Wait for Flux to install External Secrets."""
    await until_serving(cluster, namespace=operator.namespace, store=store, vault=vault)
    return ExternalSecretsInstalled("")


async def found() -> ExternalSecretsInstalled:
    return ExternalSecretsInstalled("")


async def still(fact: ExternalSecretsInstalled, cluster: Cluster) -> bool:
    await established(cluster)
    return True
