"""Writes what `flux install --export` would write, out of the pinned modules of Flux' controllers, to standard output.

python lab/flux_manifests.py > examples/castle/gitops/clusters/tazlab-k8s/flux-system/gotk-components.yaml
"""

import asyncio
import sys

import yaml

from rebirth.lab.toolchain import Toolchain, components

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
NAMESPACE = "flux-system"
LABELS = {"app.kubernetes.io/instance": NAMESPACE, "app.kubernetes.io/part-of": "flux"}


def version_of(controller):
    component = next(c for c in components() if c.name == controller)
    line = next(
        line for line in (component.folder / "component.toml").read_text().splitlines() if line.startswith("version")
    )
    return line.split('"')[1]


def namespaced(kind, name, **rest):
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        **rest,
    }


def binding(name, role, accounts):
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE} for account in accounts]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    meta = {"name": f"{name}-{NAMESPACE}", "labels": LABELS}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": meta,
        "roleRef": reference,
        "subjects": subjects,
    }


def controller_role():
    flux = [
        f"{kind}.toolkit.fluxcd.io"
        for kind in ("source", "kustomize", "helm", "notification", "image", "source.extensions")
    ]
    rules = [{"apiGroups": [group], "resources": ["*"], "verbs": ["*"]} for group in flux]
    rules += [
        {
            "apiGroups": [""],
            "resources": ["namespaces", "secrets", "configmaps", "serviceaccounts"],
            "verbs": ["get", "list", "watch"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps", "configmaps/status"],
            "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
        },
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
        {"nonResourceURLs": ["/livez/ping"], "verbs": ["head"]},
    ]
    meta = {"name": f"crd-controller-{NAMESPACE}", "labels": LABELS}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}


def deployment(module, controller):
    item = yaml.safe_load((module / "config/manager/deployment.yaml").read_text().split("\n---")[0])
    item["metadata"] |= {
        "namespace": NAMESPACE,
        "labels": {**LABELS, "app.kubernetes.io/component": controller, "control-plane": "controller"},
    }
    pod = item["spec"]["template"]["spec"]
    pod |= {
        "serviceAccountName": controller,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-cluster-critical",
    }
    manager = pod["containers"][0]
    manager["image"] = f"ghcr.io/fluxcd/{controller}:{version_of(controller)}"
    manager["args"] = ["--events-addr=", *manager["args"]]
    item["spec"]["template"]["metadata"]["labels"] |= {"app.kubernetes.io/part-of": "flux"}
    return item


async def objects():
    labels = {
        **LABELS,
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/warn-version": "latest",
    }
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    modules = {controller: await Toolchain().module_folder(controller) for controller in CONTROLLERS}
    for module in modules.values():
        for file in sorted((module / "config/crd/bases").glob("*.yaml")):
            crd = yaml.safe_load(file.read_text())
            crd["metadata"]["labels"] = LABELS
            yield crd
    for controller in CONTROLLERS:
        yield namespaced("ServiceAccount", controller)
    yield controller_role()
    yield binding("crd-controller", f"crd-controller-{NAMESPACE}", CONTROLLERS)
    yield binding("cluster-reconciler", "cluster-admin", ("kustomize-controller", "helm-controller"))
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}
    yield namespaced(
        "Service",
        "source-controller",
        spec={"type": "ClusterIP", "selector": {"app": "source-controller"}, "ports": [port]},
    )
    for controller, module in modules.items():
        yield deployment(module, controller)


async def main():
    sys.stdout.write(
        "# Flux' controllers, as lab/flux_manifests.py writes them: the same that `flux install --export` gives.\n"
    )
    async for item in objects():
        sys.stdout.write("---\n" + yaml.safe_dump(item, sort_keys=False, width=200))


asyncio.run(main())
