"""What a castle tells Cilium: the values of its chart on Talos, and the addresses that it announces."""

from typing import Any

from rebirth.castle import Cilium, CiliumPool, Kubernetes, Machines

# Of cilium.io/v2 since Cilium 1.18; the version before is asked for where that one is not served.
POOL_VERSIONS = ("cilium.io/v2", "cilium.io/v2alpha1")
POLICY_VERSION = "cilium.io/v2alpha1"
_KUBE_PRISM = {"k8sServiceHost": "localhost", "k8sServicePort": 7445}  # Talos' own way to the API, on every machine
_AGENT = (
    "CHOWN", "KILL", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "SYS_ADMIN", "SYS_RESOURCE", "DAC_OVERRIDE", "FOWNER", "SETGID",
    "SETUID",
)  # fmt: skip
_CLEANER = ("NET_ADMIN", "SYS_ADMIN", "SYS_RESOURCE")
_RATE = {"qps": 50, "burst": 100}  # a lease for every announced Service is renewed all the time


def values(cilium: Cilium, kubernetes: Kubernetes, machines: Machines) -> dict[str, Any]:
    """As Talos' documentation asks for them; the castle's own values win.

    Talos mounts cgroups itself, and lets no pod load kernel modules: SYS_MODULE is not among the capabilities.
    """
    families = {network.version for network in kubernetes.pod_network}
    found: dict[str, Any] = {
        "ipam": {"mode": "kubernetes"},
        "ipv4": {"enabled": 4 in families},
        "ipv6": {"enabled": 6 in families},
        "kubeProxyReplacement": not kubernetes.kube_proxy,
        "securityContext": {"capabilities": {"ciliumAgent": list(_AGENT), "cleanCiliumState": list(_CLEANER)}},
        "cgroup": {"autoMount": {"enabled": False}, "hostRoot": "/sys/fs/cgroup"},
        # Its two replicas would keep apart, and wait for a second machine.
        "operator": {"replicas": min(2, len(machines.nodes))},
    }
    if not kubernetes.kube_proxy:
        found |= _KUBE_PRISM
    if cilium.pool:
        found |= {"l2announcements": {"enabled": True}, "externalIPs": {"enabled": True}, "k8sClientRateLimit": _RATE}
    return found | cilium.values


def objects(pool: CiliumPool, version: str) -> list[dict[str, Any]]:
    """The pool of addresses, of that version of its API, and the policy that announces them."""
    addresses = {
        "apiVersion": version,
        "kind": "CiliumLoadBalancerIPPool",
        "metadata": {"name": pool.name},
        "spec": {"blocks": [_block(one) for one in pool.addresses]},
    }
    cards = {"interfaces": list(pool.interfaces)} if pool.interfaces else {}
    policy = {
        "apiVersion": POLICY_VERSION,
        "kind": "CiliumL2AnnouncementPolicy",
        "metadata": {"name": pool.name},
        "spec": {"loadBalancerIPs": True, "externalIPs": True, **cards},
    }
    return [addresses, policy]


def _block(addresses: str) -> dict[str, str]:
    first, dash, last = (part.strip() for part in addresses.partition("-"))
    return {"start": first, "stop": last} if dash else {"cidr": first}
