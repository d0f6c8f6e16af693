"""Run inside a lab: `python look.py CASTLE`. Prints as JSON what all systems hold of the castle; of Secrets only their keys' names."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rebirth.castle import load
from rebirth.commands import Commands
from rebirth.errors import NotYet
from rebirth.paths import paths_of
from rebirth.phases.connections import proxmox_api, tailnet_api, vault_api
from rebirth.phases.resolve_secrets import resolved
from rebirth.providers.cluster import Cluster
from rebirth.providers.talos import Talosctl
from rebirth.run.waiting import together
from rebirth.secrets import Redaction

KINDS = (
    *(("v1", kind) for kind in ("Namespace", "Node", "Secret", "ConfigMap", "Service", "ServiceAccount", "PersistentVolumeClaim")),
    *(("apps/v1", kind) for kind in ("Deployment", "DaemonSet", "StatefulSet")),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
    ("external-secrets.io/v1", "ExternalSecret"),
    ("external-secrets.io/v1", "ClusterSecretStore"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
)  # fmt: skip
RELEASE = "helm.sh/release.v1"


async def main(folder: Path) -> None:
    castle = load(folder)
    paths, redaction = paths_of(folder, castle.secrets), Redaction()
    secrets = resolved(castle.references(), paths, redaction)
    proxmox, tailnet = proxmox_api(castle.proxmox, secrets), tailnet_api(castle.tailscale, secrets)
    vault = vault_api(castle.engine.vault, secrets)
    own = {machine.name for machine in castle.machines.nodes}
    found: dict[str, Any] = {
        "machines": sorted(vm.name for vm in await proxmox.machines() if vm.name in own),
        "devices": sorted(device.name for device in await tailnet.devices()),
        "keys": sum(castle.name in said for said in (await tailnet.keys()).values()),
        "vault": {},
    }
    for handover in castle.handovers:
        values, version = await vault._versioned(handover.to.path)
        found["vault"][handover.to.path] = {"names": sorted(values), "version": version}
    if paths.kubeconfig.exists():
        cluster, talosctl = Cluster(paths=paths), Talosctl(paths=paths, commands=Commands(redaction))
        found["etcd"] = sorted(await talosctl.etcd_voters(address=str(castle.machines.control_planes[0].address)))
        found |= await _inside(cluster)
        await cluster.close()
    for client in (proxmox, tailnet, vault):
        await client.close()
    json.dump(found, sys.stdout)


async def _inside(cluster: Cluster) -> dict[str, Any]:
    listed = await together(*(cluster.all(version, kind) for version, kind in KINDS))
    every = [(kind, item) for (_, kind), items in zip(KINDS, listed, strict=True) for item in items]
    releases: dict[str, list[str]] = {}
    for _, item in every:
        if item.get("type") == RELEASE:
            labels = item["metadata"]["labels"]
            releases.setdefault(f"{item['metadata']['namespace']}/{labels['name']}", []).append(labels["status"])
    return {"releases": releases, "objects": sorted(_told(every))}


def _told(every: list[tuple[str, Any]]) -> Iterator[str]:
    for kind, item in every:
        if item.get("type") != RELEASE:
            meta = item["metadata"]
            keys = " ".join(sorted(item.get("data") or {})) if kind == "Secret" else ""
            yield f"{kind} {meta.get('namespace', '')}/{meta['name']} {keys}".strip()


if __name__ == "__main__":
    with suppress(NotYet):
        asyncio.run(main(Path(sys.argv[1])))
        sys.exit(0)
    sys.exit("not all systems answer")
