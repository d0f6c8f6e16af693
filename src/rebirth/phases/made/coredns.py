"""CoreDNS as the castle runs it, in place of the one that Talos would own."""

from typing import Any

from rebirth.castle import CoreDns, Kubernetes

LABELS = {"k8s-app": "kube-dns"}
NAME, NAMESPACE = "coredns", "kube-system"


def corefile(coredns: CoreDns, kubernetes: Kubernetes) -> str:
    """The Corefile: the cluster's zone, one zone for each forward, and the rest to the node's resolver.

    Plugin blocks stand on lines of their own: CoreDNS refuses `health { lameduck 5s }` on one line, and crashes in a loop.
    """
    cluster = f"""\
.:53 {{
    errors
    health {{
        lameduck 5s
    }}
    ready
    kubernetes {kubernetes.cluster_domain} in-addr.arpa ip6.arpa {{
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    prometheus :9153
    forward . /etc/resolv.conf {{
        max_concurrent 1000
    }}
    cache 30 {{
        denial 9984 5
    }}
    loop
    reload
    loadbalance
}}
"""
    zones = "".join(
        f"""\
{zone}:53 {{
    errors
    cache 30 {{
        denial 9984 5
    }}
    forward . {" ".join(map(str, addresses))}
}}
"""
        for zone, addresses in coredns.forwards.items()
    )
    return cluster + zones


def objects(coredns: CoreDns, kubernetes: Kubernetes) -> list[dict[str, Any]]:
    """ServiceAccount, ClusterRole, ClusterRoleBinding, ConfigMap, Deployment and Service, in the order to apply them."""
    place = {"name": NAME, "namespace": NAMESPACE}
    rbac = "rbac.authorization.k8s.io"
    listed = {"verbs": ["list", "watch"]}
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], **listed},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], **listed},
    ]
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": "system:coredns"}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "metrics", "port": 9153, "protocol": "TCP"},
    ]
    service = {"clusterIP": str(kubernetes.cluster_dns), "selector": LABELS, "ports": ports}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": "system:coredns"}, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "system:coredns"},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": place,
            "data": {"Corefile": corefile(coredns, kubernetes)},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {**place, "labels": LABELS},
            "spec": _deployment(coredns),
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kube-dns",
                "namespace": NAMESPACE,
                "labels": {**LABELS, "kubernetes.io/cluster-service": "true"},
            },
            "spec": service,
        },
    ]


def _deployment(coredns: CoreDns) -> dict[str, Any]:
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    container = {
        "name": "coredns",
        "image": coredns.image,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"requests": {"cpu": "50m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "ports": [
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
            {"containerPort": 9153, "name": "metrics", "protocol": "TCP"},
        ],
        "securityContext": security,
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 60, "timeoutSeconds": 5},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
    }
    spread = {"labelSelector": {"matchLabels": LABELS}, "topologyKey": "kubernetes.io/hostname"}
    pod = {
        "serviceAccountName": NAME,
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": spread}]
            }
        },
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
        ],
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": NAME, "items": [{"key": "Corefile", "path": "Corefile"}]}}
        ],
    }
    return {
        "replicas": coredns.replicas,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
    }
