"""What Talos applies to a cluster by itself: bootstrap tokens, their rights, CoreDNS while it owns it, inline manifests."""

from collections.abc import Iterable
from typing import Any

import yaml

from rebirth.lab.talos.config import MachineConfig

COREDNS_IMAGE = "registry.k8s.io/coredns/coredns:v1.14.7"


def _binding(name: str, role: str, *groups: str) -> dict[str, Any]:
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group} for group in groups]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    meta = {"name": name}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": meta,
        "roleRef": reference,
        "subjects": subjects,
    }


def bootstrap(config: MachineConfig) -> list[dict[str, Any]]:
    """Lets kubelets join with the cluster's token, and nodes run kube-proxy with their own credentials."""
    identity, _, secret = str(config.get("cluster.token")).partition(".")
    signing = "system:certificates.k8s.io:certificatesigningrequests"
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"bootstrap-token-{identity}", "namespace": "kube-system"},
            "type": "bootstrap.kubernetes.io/token",
            "stringData": {
                "token-id": identity,
                "token-secret": secret,
                "usage-bootstrap-authentication": "true",
                "auth-extra-groups": "system:bootstrappers:nodes",
            },
        },
        _binding(
            "system-bootstrap-node-bootstrapper",
            "system:node-bootstrapper",
            "system:bootstrappers:nodes",
            "system:nodes",
        ),
        _binding("system-bootstrap-approve-node-client-csr", f"{signing}:nodeclient", "system:bootstrappers:nodes"),
        _binding("system-bootstrap-node-renewal", f"{signing}:selfnodeclient", "system:nodes"),
        _binding("lab-node-proxier", "system:node-proxier", "system:nodes"),
    ]


def inline(config: MachineConfig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for manifest in config.get("cluster.inlineManifests", []):
        found += [document for document in yaml.safe_load_all(manifest.get("contents", "")) if document]
    return found


def coredns(config: MachineConfig) -> list[dict[str, Any]]:
    """kube-system/coredns as Talos owns it, while cluster.coreDNS.disabled is not set."""
    corefile = (
        ".:53 {\n    errors\n    health {\n        lameduck 5s\n    }\n    ready\n    log . {\n        class error\n    }\n    prometheus :9153\n\n"
        f"    kubernetes {config.domain} in-addr.arpa ip6.arpa {{\n        pods insecure\n        fallthrough in-addr.arpa ip6.arpa\n        ttl 30\n    }}\n"
        "    forward . /etc/resolv.conf {\n        max_concurrent 1000\n    }\n    cache 30\n    loop\n    reload\n    loadbalance\n}\n"
    )
    labels = {"k8s-app": "kube-dns"}
    container = {
        "name": "coredns",
        "image": config.get("cluster.coreDNS.image", COREDNS_IMAGE),
        "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
        "ports": [
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
    }
    pod = {
        "serviceAccountName": "coredns",
        "dnsPolicy": "Default",
        "priorityClassName": "system-cluster-critical",
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}],
        "containers": [container],
        "volumes": [
            {
                "name": "config-volume",
                "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]},
            }
        ],
    }
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    place = {"name": "coredns", "namespace": "kube-system"}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    account = {"kind": "ServiceAccount", **place}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    service = {"clusterIP": config.service_address(10), "selector": labels, "ports": ports}
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": "system:coredns"}, "rules": rules},
        {
            "apiVersion": rbac,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "system:coredns"},
            "roleRef": reference,
            "subjects": [account],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": {"Corefile": corefile}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {**place, "labels": labels}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": labels},
            "spec": service,
        },
    ]


def as_yaml(objects: Iterable[dict[str, Any]]) -> bytes:
    return yaml.safe_dump_all(list(objects)).encode()
