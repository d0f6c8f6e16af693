"""The ClusterSecretStore through which the cluster reads Vault."""

from typing import Any

from rebirth.castle import KeyReference, Store, Vault

Kind = tuple[str, str]  # apiVersion and kind
STORE_KIND = "ClusterSecretStore"


def version(store: Store | None) -> str:
    """The version of External Secrets' API that the castle's store uses: today's, where it has none."""
    return f"external-secrets.io/{store.api if store else 'v1'}"


def external_secret(store: Store | None) -> Kind:
    return version(store), "ExternalSecret"


def cluster_secret_store(store: Store, vault: Vault) -> dict[str, Any]:
    provider: dict[str, Any] = {
        "server": vault.address,
        "path": vault.mount,
        "version": "v2",
        "auth": {"tokenSecretRef": _reference(store.token_secret)},
    }
    if store.ca_secret:
        provider["caProvider"] = {"type": "Secret", **_reference(store.ca_secret)}
    return {
        "apiVersion": version(store),
        "kind": STORE_KIND,
        "metadata": {"name": store.name},
        # The store is looked at again soon while its server's name does not resolve yet; later that costs next to nothing.
        "spec": {"provider": {"vault": provider}, "refreshInterval": 30},
    }


def _reference(reference: KeyReference) -> dict[str, str]:
    return {"name": reference.name, "namespace": reference.namespace, "key": reference.key}
