"""A stand-in of the flux program: `install --export` alone, with the controllers that the lab has images of.

What it writes comes out of the controllers' pinned modules, as Flux' own manifests do. The example's gotk-components.yaml is
made by it: `python -m rebirth.lab.building.flux install --export`.
"""

import asyncio
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rebirth.errors import Rebirth
from rebirth.lab.building.toolchain import Toolchain, components

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
_NAMESPACE = "flux-system"
_LABELS = {"app.kubernetes.io/instance": _NAMESPACE, "app.kubernetes.io/part-of": "flux"}
_GROUPS = ("source", "kustomize", "helm", "notification", "image", "source.extensions")
_ALL = ["get", "list", "watch", "create", "update", "patch", "delete"]
_HEAD = "# Flux' controllers, as `python -m rebirth.lab.building.flux install --export` writes them: the same that the flux program gives.\n"


def objects(modules: Mapping[str, Path], versions: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """What Flux consists of; `modules` and `versions` are the controllers' sources and versions."""
    labels = {
        **_LABELS,
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/warn-version": "latest",
    }
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE, "labels": labels}}
    for module in modules.values():
        for file in sorted((module / "config/crd/bases").glob("*.yaml")):
            crd: dict[str, Any] = yaml.safe_load(file.read_text())
            crd["metadata"]["labels"] = _LABELS
            yield crd
    for controller in CONTROLLERS:
        yield _namespaced("ServiceAccount", controller)
    yield _controller_role()
    yield _binding("crd-controller", f"crd-controller-{_NAMESPACE}", CONTROLLERS)
    yield _binding("cluster-reconciler", "cluster-admin", ("kustomize-controller", "helm-controller"))
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}
    selector = {"app": "source-controller"}
    spec = {"type": "ClusterIP", "selector": selector, "ports": [port]}
    yield _namespaced("Service", "source-controller", spec=spec)
    for controller, module in modules.items():
        yield _deployment(module, controller, versions[controller])


def _namespaced(kind: str, name: str, **rest: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": _NAMESPACE, "labels": _LABELS}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **rest}


def _binding(name: str, role: str, accounts: tuple[str, ...]) -> dict[str, Any]:
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": _NAMESPACE} for account in accounts]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    meta = {"name": f"{name}-{_NAMESPACE}", "labels": _LABELS}
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta}
    return {**head, "roleRef": reference, "subjects": subjects}


def _controller_role() -> dict[str, Any]:
    rules: list[dict[str, Any]] = [
        {"apiGroups": [f"{group}.toolkit.fluxcd.io"], "resources": ["*"], "verbs": ["*"]} for group in _GROUPS
    ]
    read = ["namespaces", "secrets", "configmaps", "serviceaccounts"]
    rules += [
        {"apiGroups": [""], "resources": read, "verbs": _ALL[:3]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": [""], "resources": ["configmaps", "configmaps/status"], "verbs": list(_ALL)},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": list(_ALL)},
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
        {"nonResourceURLs": ["/livez/ping"], "verbs": ["head"]},
    ]
    meta = {"name": f"crd-controller-{_NAMESPACE}", "labels": _LABELS}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}


def _deployment(module: Path, controller: str, version: str) -> dict[str, Any]:
    item: dict[str, Any] = yaml.safe_load((module / "config/manager/deployment.yaml").read_text().split("\n---")[0])
    labels = {**_LABELS, "app.kubernetes.io/component": controller, "control-plane": "controller"}
    item["metadata"] |= {"namespace": _NAMESPACE, "labels": labels}
    template = item["spec"]["template"]
    template["spec"] |= {
        "serviceAccountName": controller,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-cluster-critical",
    }
    manager = template["spec"]["containers"][0]
    manager["image"] = f"ghcr.io/fluxcd/{controller}:{version}"
    manager["args"] = ["--events-addr=", *manager["args"]]
    template["metadata"]["labels"] |= {"app.kubernetes.io/part-of": "flux"}
    return item


async def _export() -> str:
    toolchain = Toolchain()
    modules = {controller: await toolchain.module_folder(controller) for controller in CONTROLLERS}
    versions = {component.name: component.version for component in components()}
    documents = [yaml.safe_dump(item, sort_keys=False, width=200) for item in objects(modules, versions)]
    return _HEAD + "".join(f"---\n{document}" for document in documents)


def write_program(folder: Path) -> None:
    """Makes this module the program `flux` of a folder on somebody's PATH."""
    folder.mkdir(exist_ok=True)
    file = folder / "flux"
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m {__spec__.name} "$@"\n')
    file.chmod(0o755)


def main() -> None:
    """Prints the manifests; anything else that flux can do is rejected."""
    if sys.argv[1:] != ["install", "--export"]:
        sys.exit("flux: the lab's stand-in knows `flux install --export` only")
    try:
        sys.stdout.write(asyncio.run(_export()))
    except Rebirth as error:
        sys.exit(f"flux: {error}")


if __name__ == "__main__":
    main()
