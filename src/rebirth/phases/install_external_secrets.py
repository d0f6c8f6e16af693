"""The External Secrets Operator: its CRDs are established and its webhook admits, before anything of its kinds is applied."""

from functools import partial

from rebirth.castle import Foundation
from rebirth.errors import NotYet
from rebirth.phases.made.admission import until_admitted
from rebirth.phases.made.vault_store import STORE_KIND, cluster_secret_store
from rebirth.providers.cluster import Cluster, condition, missing_replicas
from rebirth.providers.helm import Helm, belongs_to
from rebirth.run.facts import ExternalSecretsInstalled, NamespacesCreated
from rebirth.run.waiting import until

LAYER = "engine"
PATIENCE = 300
USUALLY = 15

_RELEASE = "external-secrets"
_CRD = "clustersecretstores.external-secrets.io"


async def install_external_secrets(
    engine: Foundation, cluster: Cluster, helm: Helm, namespaces: NamespacesCreated
) -> ExternalSecretsInstalled:
    """Install External Secrets."""
    chart = engine.external_secrets
    await helm.ensure(
        name=_RELEASE,
        namespace=chart.namespace,
        chart="external-secrets",
        version=chart.version,
        repository=chart.repository,
        values={"installCRDs": True, **chart.values},
    )
    await until(
        partial(_established, cluster),
        what=f"the CRD {_CRD} is established",
        every=5,
        changes=cluster.changes("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    )
    await until_admitted(
        partial(cluster.admits, cluster_secret_store(engine)),
        what=f"the webhook admits a {STORE_KIND}",
        cluster=cluster,
        namespace=chart.namespace,
    )
    return ExternalSecretsInstalled(chart.version)


async def _established(cluster: Cluster) -> None:
    crd = await cluster.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", _CRD)
    status, message = condition(crd, "Established")
    if status != "True":
        raise NotYet(message)


async def found(engine: Foundation) -> ExternalSecretsInstalled:
    return ExternalSecretsInstalled(engine.external_secrets.version)


async def still(fact: ExternalSecretsInstalled, engine: Foundation, cluster: Cluster) -> bool:
    await _established(cluster)
    namespace = engine.external_secrets.namespace
    found = [
        item
        for item in await cluster.all("apps/v1", "Deployment", namespace)
        if belongs_to(item, release=_RELEASE, namespace=namespace)
    ]
    if missing := [f"{item['metadata']['name']}: {why}" for item in found if (why := missing_replicas(item))]:
        raise NotYet("; ".join(missing))
    return bool(found)
