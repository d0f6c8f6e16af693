"""What the charts that the castle installs make, as far as its phases look at it."""

from collections.abc import Mapping
from typing import Any

from standins.kubernetes import Object


def crd(group: str, kind: str, plural: str, *, version: str = "v1", namespaced: bool = True) -> Object:
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    served = {"name": version, "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": names,
            "scope": "Namespaced" if namespaced else "Cluster",
            "versions": [served],
        },
    }


def workload(kind: str, name: str, namespace: str, replicas: int = 1) -> Object:
    labels = {"app.kubernetes.io/name": name}
    counted = {} if kind == "DaemonSet" else {"replicas": replicas}
    container = {"name": name, "image": f"registry.example/{name}:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**counted, "selector": {"matchLabels": labels}, "template": template},
    }


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


STORES = crd("external-secrets.io", "ClusterSecretStore", "clustersecretstores", namespaced=False)
EXTERNALS = crd("external-secrets.io", "ExternalSecret", "externalsecrets")


def external_secrets(where: str, values: Mapping[str, Any]) -> tuple[list[Object], list[Object]]:
    names = ("external-secrets", "external-secrets-webhook", "external-secrets-cert-controller")
    return [], [STORES, EXTERNALS, *(workload("Deployment", name, where) for name in names)]  # its CRDs are templates


def flux_operator(where: str, values: Mapping[str, Any]) -> tuple[list[Object], list[Object]]:
    instances = crd("fluxcd.controlplane.io", "FluxInstance", "fluxinstances")
    return [], [instances, workload("Deployment", "flux-operator", where)]  # its CRDs are templates


def metallb(where: str, values: Mapping[str, Any]) -> tuple[list[Object], list[Object]]:
    kinds = (("IPAddressPool", "ipaddresspools"), ("L2Advertisement", "l2advertisements"))
    crds = [crd("metallb.io", kind, plural, version="v1beta1") for kind, plural in kinds]
    speaker = workload("DaemonSet", "metallb-speaker", where)
    return [], [*crds, workload("Deployment", "metallb-controller", where), speaker]


def longhorn(where: str, values: Mapping[str, Any]) -> tuple[list[Object], list[Object]]:
    """Its manager makes the StorageClass later, and further workloads."""
    crds = [crd("longhorn.io", "Volume", "volumes", version="v1beta2")]
    return [], [
        *crds,
        workload("DaemonSet", "longhorn-manager", where),
        workload("Deployment", "longhorn-ui", where, 2),
    ]


def cilium(where: str, values: Mapping[str, Any]) -> tuple[list[Object], list[Object]]:
    """Its operator brings the CRDs later."""
    operators = values["operator"]["replicas"]
    return [], [workload("DaemonSet", "cilium", where), workload("Deployment", "cilium-operator", where, operators)]


LB_POOL = "CiliumLoadBalancerIPPool", "ciliumloadbalancerippools"
L2_POLICY = "CiliumL2AnnouncementPolicy", "ciliuml2announcementpolicies"


def cilium_crds(version: str) -> list[Object]:
    """Those of its address pools, with the pool in that version."""
    pool = crd("cilium.io", *LB_POOL, version=version, namespaced=False)
    return [pool, crd("cilium.io", *L2_POLICY, version="v2alpha1", namespaced=False)]
