"""A client of the Kubernetes API with the few verbs a node needs: get, list, watch, server-side apply, merge patch."""

import base64
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import yaml

FIELD_MANAGER = "talos"


class Kube:
    """Speaks to one API server with a client certificate."""

    def __init__(self, endpoint: str, ca: Path, certificate: Path, key: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        context.load_cert_chain(certificate, key)
        self._client = httpx.AsyncClient(base_url=endpoint, verify=context, timeout=15, trust_env=False)
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}

    async def close(self) -> None:
        await self._client.aclose()

    async def ready(self) -> bool:
        try:
            return (await self._client.get("/readyz", timeout=3)).status_code == 200
        except httpx.HTTPError:
            return False

    async def get(self, path: str) -> dict[str, Any]:
        response = await self._client.get(path)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    async def patch(self, path: str, body: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        (await self._client.patch(path, content=json.dumps(body), headers=headers)).raise_for_status()

    async def apply(self, manifest: dict[str, Any]) -> None:
        """Server-side apply as field manager `talos`, by force: what others changed in these fields is taken back."""
        path = await self._path(manifest)
        response = await self._client.patch(
            path,
            params={"fieldManager": FIELD_MANAGER, "force": "true"},
            content=json.dumps(manifest),
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        response.raise_for_status()

    async def watch(self, path: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """All objects of a collection as ("ADDED", object), then what happens to them; ends when the server ends it."""
        listed = await self.get(path)
        for item in listed["items"]:
            yield "ADDED", item
        params = {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"]}
        async with self._client.stream("GET", path, params=params, timeout=httpx.Timeout(15, read=None)) as stream:
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]

    async def _path(self, manifest: dict[str, Any]) -> str:
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        if (version, kind) not in self._resources:
            for resource in (await self.get(root))["resources"]:
                if "/" not in resource["name"]:
                    self._resources[version, resource["kind"]] = resource["name"], resource["namespaced"]
        name, namespaced = self._resources[version, kind]
        meta = manifest["metadata"]
        folder = f"{root}/namespaces/{meta.get('namespace', 'default')}" if namespaced else root
        return f"{folder}/{name}/{meta['name']}"


def kubeconfig(*, cluster: str, endpoint: str, ca: bytes, user: str, credentials: dict[str, str]) -> str:
    """A kubeconfig (YAML) with one context; `credentials` is the body of its user entry."""
    context = f"{user}@{cluster}"
    server = {"server": endpoint, "certificate-authority-data": base64.b64encode(ca).decode()}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": server}],
        "users": [{"name": context, "user": credentials}],
        "contexts": [{"name": context, "context": {"cluster": cluster, "namespace": "default", "user": context}}],
        "current-context": context,
    }
    return str(yaml.safe_dump(document, sort_keys=False))
