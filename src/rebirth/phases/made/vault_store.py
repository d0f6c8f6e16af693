"""The ClusterSecretStore through which the cluster reads Vault."""

from typing import Any

from rebirth.castle import Foundation, KeyReference

STORE_VERSION, STORE_KIND = "external-secrets.io/v1", "ClusterSecretStore"


def cluster_secret_store(engine: Foundation) -> dict[str, Any]:
    store, vault = engine.store, engine.vault
    provider: dict[str, Any] = {
        "server": vault.address,
        "path": vault.mount,
        "version": "v2",
        "auth": {"tokenSecretRef": _reference(store.token_secret)},
    }
    if store.ca_secret:
        provider["caProvider"] = {"type": "Secret", **_reference(store.ca_secret)}
    return {
        "apiVersion": STORE_VERSION,
        "kind": STORE_KIND,
        "metadata": {"name": store.name},
        # The store is looked at again soon while its server's name does not resolve yet; later that costs next to nothing.
        "spec": {"provider": {"vault": provider}, "refreshInterval": 30},
    }


def _reference(reference: KeyReference) -> dict[str, str]:
    return {"name": reference.name, "namespace": reference.namespace, "key": reference.key}
