"""What follows from a castle that is complete: Secrets that its own parts read, and names that must be free."""

from typing import Any

from rebirth.init.found import ASSUMED, Found


def follow(found: Found) -> None:
    """Says what the castle places itself, in the words "assumed"."""
    document = found.document()
    secrets = [*_store(document), *_git(document, found), *found.secrets]
    if secrets and "engine" in document:
        why = "; ".join(dict.fromkeys(where for _, where in secrets))
        found.say("engine.direct_secrets", [secret for secret, _ in secrets], f"{ASSUMED}{why}")
    if found.get("storage.chart") == "local-path-provisioner":
        paths = [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": ["/var/local-path-provisioner"]}]
        found.say("storage.values", {"nodePathMap": paths}, f"{ASSUMED}on Talos only what is below /var can be written")
    if "tailscale" in document:
        names = [*found.machines(), *found.tailnet_names]
        found.say("tailscale.names", names, f"{ASSUMED}the machines, and what the Flux tree brings")


def _store(document: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    engine = document.get("engine", {})
    read, token = engine.get("store", {}).get("token_secret"), engine.get("vault", {}).get("token")
    if not read or not token:
        return []
    secret = {"namespace": read["namespace"], "name": read["name"], "data": {read["key"]: token}}
    return [(secret, "the store reads the token")]


def _git(document: dict[str, Any], found: Found) -> list[tuple[dict[str, Any], str]]:
    gitops = document.get("gitops", {})
    name, token = found.get("gitops.auth_secret"), gitops.get("token")
    if not name or not token:
        return []
    data = {"username": "git", "password": token}
    return [({"namespace": "flux-system", "name": name, "data": data}, "Flux reads the repository")]
