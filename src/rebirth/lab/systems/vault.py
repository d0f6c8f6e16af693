"""A real Vault API: OpenBao, with a policy, a scoped token, and what lab.yaml seeds."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from rebirth.castle import Vault, VaultAnchor
from rebirth.errors import Broken

SERVER = "http://127.0.0.1:18200"  # in the world's own namespace: nothing else reaches it
_INNER = "http://127.0.0.1:18201"  # where the members of a cluster would meet
_POLICY = """
path "{mount}/data/*"     {{ capabilities = ["create", "read", "update", "patch"] }}
path "{mount}/metadata/*" {{ capabilities = ["read", "list"] }}
path "auth/token/lookup-self" {{ capabilities = ["read"] }}
"""


_SNAPSHOTS = """
path "{mount}/metadata/*" {{ capabilities = ["list"] }}
path "sys/storage/raft/snapshot" {{ capabilities = ["read"] }}
path "auth/token/lookup-self" {{ capabilities = ["read"] }}
"""


def configuration(folder: Path | None) -> str:
    """OpenBao's configuration file: Raft in that folder, which snapshots are of; else all in memory.

    TLS is up to what stands before it, which counts the writes.
    """
    address = SERVER.removeprefix("http://")
    if folder is None:
        listener: dict[str, Any] = {"tcp": {"address": address, "tls_disable": True}}
        return json.dumps({"storage": {"inmem": {}}, "listener": listener, "disable_mlock": True, "api_addr": SERVER})
    folder.mkdir(parents=True)
    raft = {"path": str(folder), "node_id": "lab", "performance_multiplier": 1}
    listener = {"tcp": {"address": address, "cluster_address": _INNER.removeprefix("http://"), "tls_disable": True}}
    said = {"storage": {"raft": raft}, "listener": listener, "disable_mlock": True, "api_addr": SERVER}
    return json.dumps(said | {"cluster_addr": _INNER})


async def prepare(spec: Vault, anchor: VaultAnchor | None, *, seeds: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Initialises and unseals; mounts KV v2; seeds. Returns, by their names in the vault directory, the token that may read and
    write below the mount only, and where snapshots are taken what they take.

    The root token lives as long as this call.
    """
    mount = spec.mount
    async with httpx.AsyncClient(base_url=f"{SERVER}/v1", timeout=10, trust_env=False) as client:
        await _reachable(client)
        started = await _call(client, "PUT", "/sys/init", {"secret_shares": 1, "secret_threshold": 1})
        await _call(client, "PUT", "/sys/unseal", {"key": started["keys"][0]})
        client.headers["X-Vault-Token"] = started["root_token"]
        await _call(client, "POST", f"/sys/mounts/{mount}", {"type": "kv", "options": {"version": "2"}})
        await _call(client, "PUT", "/sys/policies/acl/castle", {"policy": _POLICY.format(mount=mount)})
        found = {spec.token.secret: await _token(client, "castle")}
        if anchor:
            await _call(client, "PUT", "/sys/policies/acl/snapshots", {"policy": _SNAPSHOTS.format(mount=mount)})
            found[anchor.token.secret] = await _token(client, "snapshots")
            found |= {key.secret: started["keys"][0] for key in anchor.unseal_keys[:1]}
        for path, values in seeds.items():
            await _call(client, "POST", f"/{mount}/data/{path}", {"data": dict(values)})
        await _call(client, "POST", "/auth/token/revoke-self", {})
        return found


async def _token(client: httpx.AsyncClient, policy: str) -> str:
    made = await _call(client, "POST", "/auth/token/create-orphan", {"policies": [policy], "ttl": "768h"})
    return str(made["auth"]["client_token"])


async def _reachable(client: httpx.AsyncClient) -> None:
    for _ in range(300):
        try:
            await client.get("/sys/health")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    raise Broken("does not answer", system="OpenBao", operation="start", hint="See openbao.log.")


async def _call(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    for _ in range(100):
        answer = await client.request(method, path, json=body)
        # After the unseal the node takes a moment to become active, and a new KV v2 mount to be upgraded.
        if answer.status_code in {400, 500, 503} and not path.startswith("/sys/init"):
            await asyncio.sleep(0.1)
            continue
        answer.raise_for_status()
        return answer.json() if answer.content else {}
    raise Broken("rejected", system="OpenBao", operation=f"{method} {path}", status=answer.status_code)
