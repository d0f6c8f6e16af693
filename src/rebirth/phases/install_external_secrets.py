"""External Secrets: its chart, its CRDs established, its webhook admitting."""

from rebirth.castle import ExternalSecrets, Store, Vault
from rebirth.phases.made.external_secrets import established, until_serving
from rebirth.phases.made.living.differences import of_release
from rebirth.phases.made.rollout import PODS, rolled_out
from rebirth.providers.cluster import Cluster
from rebirth.providers.helm import Helm
from rebirth.run.change import Change
from rebirth.run.facts import CiliumInstalled, ExternalSecretsInstalled, NamespacesCreated

LAYER = "engine"
PATIENCE = 900
USUALLY = 15
WAITS_FOR = (CiliumInstalled,)  # its pods need the network of pods
HINT = PODS

_RELEASE = "external-secrets"


async def install_external_secrets(
    chart: ExternalSecrets,
    store: Store | None,
    vault: Vault | None,
    cluster: Cluster,
    helm: Helm,
    namespaces: NamespacesCreated,
) -> ExternalSecretsInstalled:
    """Install External Secrets."""
    await helm.ensure(
        name=_RELEASE,
        namespace=chart.namespace,
        chart="external-secrets",
        version=chart.version,
        repository=chart.repository,
        values=values(chart),
    )
    await until_serving(cluster, namespace=chart.namespace, store=store, vault=vault)
    return ExternalSecretsInstalled(chart.version)


def values(chart: ExternalSecrets) -> dict[str, object]:
    return {"installCRDs": True, **chart.values}


async def changes(chart: ExternalSecrets, helm: Helm) -> list[Change]:
    return await of_release(
        helm,
        name=_RELEASE,
        chart="external-secrets",
        spec=chart,
        values=values(chart),
        setting="engine.external_secrets",
    )


async def found(chart: ExternalSecrets) -> ExternalSecretsInstalled:
    return ExternalSecretsInstalled(chart.version)


async def still(fact: ExternalSecretsInstalled, chart: ExternalSecrets, cluster: Cluster) -> bool:
    await established(cluster)
    return bool(await rolled_out(cluster, release=_RELEASE, namespace=chart.namespace, kinds=("Deployment",)))
