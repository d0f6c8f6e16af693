"""How the model of Flux builds a folder: with kustomize itself, and variables put in."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import yaml

STEP, HORIZON = 5, 3600  # seconds
FIRST = {"Namespace", "CustomResourceDefinition"}
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
_builds: dict[str, list | None] = {}
CLUSTERED = {
    "Namespace", "ClusterRole", "ClusterRoleBinding", "IngressClass", "StorageClass", "PriorityClass", "CustomResourceDefinition",
    "ClusterSecretStore", "DNSConfig",
}  # fmt: skip
# What a chart brings when it is installed: kinds with their groups, a controller that runs, and a Secret that it starts with.
CHARTS = {
    "tailscale-operator": ({"DNSConfig": "tailscale.com"}, "tailscale-operator", "operator-oauth"),
    "pgo": ({"PostgresCluster": "postgres-operator.crunchydata.com"}, "pgo", None),
    "traefik": ({}, "traefik", None),
}
FLUX = {
    "Kustomization",
    "GitRepository",
    "HelmRelease",
    "HelmRepository",
    "HelmChart",
    "OCIRepository",
    "Bucket",
    "ExternalArtifact",
}
BUILT_IN = {
    "ConfigMap", "Secret", "Service", "ServiceAccount", "Namespace", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob",
    "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Ingress", "IngressClass", "StorageClass", "PriorityClass",
    "PersistentVolumeClaim", "NetworkPolicy", "CustomResourceDefinition", "ResourceQuota", "Pod",
}  # fmt: skip


def key(item):
    kind = item["kind"]
    return kind, "" if kind in CLUSTERED else item["metadata"].get("namespace", ""), item["metadata"]["name"]


def substituted(items, variables):
    """None, as Flux 2.9 stops, where a variable has neither value nor default."""

    def put(value):
        if isinstance(value, str):
            return re.sub(
                r"\$\{(\w+)(?::=([^}]*))?\}",
                lambda m: variables[m[1]] if m[2] is None else variables.get(m[1], m[2]),
                value,
            )
        if isinstance(value, dict):
            return {name: put(inner) for name, inner in value.items()}
        return [put(inner) for inner in value] if isinstance(value, list) else value

    try:
        return put(items)
    except KeyError:
        return None


def build(folder, root):
    """What kustomize makes of a folder, as Flux builds it; None where it refuses. The same content is built once."""
    folder = folder.resolve()
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes() + b"\0")
    known = digest.hexdigest()
    if known not in _builds:
        done = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True, check=False)
        _builds[known] = (
            [i for i in yaml.load_all(done.stdout, yaml.CSafeLoader) if i] if done.returncode == 0 else None
        )
    return _builds[known]
