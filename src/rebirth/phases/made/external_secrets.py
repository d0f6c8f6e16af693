"""What it takes for External Secrets to serve, whoever has installed it."""

from functools import partial
from typing import Any

from rebirth.castle import Store, Vault
from rebirth.errors import NotYet
from rebirth.phases.made.admission import until_admitted
from rebirth.phases.made.vault_store import STORE_KIND, cluster_secret_store, version
from rebirth.providers.cluster import Cluster, condition
from rebirth.run.waiting import until

_CRD_VERSION, _CRD = "apiextensions.k8s.io/v1", "clustersecretstores.external-secrets.io"
# A store of the provider that is made for tests: it is only shown to the webhook, in a dry run.
_ANY_STORE: dict[str, Any] = {
    "apiVersion": version(None),
    "kind": STORE_KIND,
    "metadata": {"name": "rebirth-probe"},
    "spec": {"provider": {"fake": {"data": [{"key": "a", "value": "b"}]}}},
}


async def until_serving(cluster: Cluster, *, namespace: str, store: Store | None, vault: Vault | None) -> None:
    """Until the CRD is established and the webhook admits the castle's store, or any where it has none."""
    await until(
        partial(established, cluster),
        what=f"the CRD {_CRD} is established",
        every=5,
        changes=cluster.changes(_CRD_VERSION, "CustomResourceDefinition"),
    )
    wanted = cluster_secret_store(store, vault) if store and vault else _ANY_STORE
    await until_admitted(
        partial(cluster.admits, wanted),
        what=f"the webhook admits a {STORE_KIND}",
        cluster=cluster,
        namespace=namespace,
    )


async def established(cluster: Cluster) -> None:
    """Raises NotYet while the store's CRD is not established."""
    status, message = condition(await cluster.find(_CRD_VERSION, "CustomResourceDefinition", _CRD), "Established")
    if status != "True":
        raise NotYet(message)
