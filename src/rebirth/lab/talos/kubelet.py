"""kubelet and kube-proxy: configuration and arguments."""

import base64
import time
from pathlib import Path
from typing import Any

import yaml

from rebirth.lab.talos import containerd
from rebirth.lab.talos.config import KeyPair, MachineConfig
from rebirth.lab.talos.hardware import Hardware

FOLDER = Path("/etc/kubernetes")
KUBECONFIG = FOLDER / "kubelet.kubeconfig"
CONFIGURATION = FOLDER / "kubelet.yaml"
PROXY_CONFIGURATION = FOLDER / "kube-proxy.yaml"
CERTIFICATE = Path("/var/lib/kubelet/pki/kubelet-client-current.pem")


def kubeconfig(server: str, authority: bytes, user: dict[str, Any]) -> str:
    """A kubeconfig with one cluster, one user, one context."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": "user", "user": user}],
            "contexts": [{"name": "context", "context": {"cluster": "cluster", "user": "user"}}],
            "current-context": "context",
        }
    )


def user_of(pair: KeyPair) -> dict[str, str]:
    return {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
    }


def write(path: Path, text: str) -> str:
    """Writes a file that only root reads; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)


def install(certificate: bytes, key: bytes) -> None:
    """Stores the kubelet's client certificate where it looks for it, and renews it later."""
    dated = CERTIFICATE.with_name(f"kubelet-client-{time.strftime('%Y-%m-%d-%H-%M-%S', time.gmtime())}.pem")
    write(dated, (certificate + key).decode())
    CERTIFICATE.unlink(missing_ok=True)
    CERTIFICATE.symlink_to(dated)


def kubelet_configuration(config: MachineConfig, hardware: Hardware) -> dict[str, Any]:
    """KubeletConfiguration: Talos' settings, with what a lab machine needs to share a host."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "x509": {"clientCAFile": str(FOLDER / "ca.crt")},
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
        },
        "authorization": {"mode": "Webhook"},
        "rotateCertificates": True,
        "clusterDNS": config.get("machine.kubelet.clusterDNS") or [config.service_address(10)],
        "clusterDomain": config.domain,
        "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": hardware.cgroup,
        "failCgroupV1": False,
        "failSwapOn": False,
        # The disk is one that others fill too.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi"},
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "maxPods": 110,
        "resolvConf": "/etc/resolv.conf",
        "nodeStatusUpdateFrequency": "10s",
        "protectKernelDefaults": True,
        "registerWithTaints": [{"key": key, "value": v, "effect": e} for key, (v, e) in taints(config).items()],
        "seccompDefault": bool(config.get("machine.kubelet.defaultRuntimeSeccompProfileEnabled", True)),
        "shutdownGracePeriod": "0s",
        **(config.get("machine.kubelet.extraConfig") or {}),
    }


def taints(config: MachineConfig) -> dict[str, tuple[str, str]]:
    """Key -> value and effect: of `machine.nodeTaints` (`value:Effect`), and the one that goes with the role."""
    found = {}
    for key, text in (config.get("machine.nodeTaints") or {}).items():
        value, _, effect = str(text).rpartition(":")
        found[str(key)] = (value, effect)
    if config.control_plane and not config.get("cluster.allowSchedulingOnControlPlanes"):
        found["node-role.kubernetes.io/control-plane"] = ("", "NoSchedule")
    return found


def extra_mounts(config: MachineConfig) -> list[tuple[Path, Path]]:
    """Source and destination of `machine.kubelet.extraMounts`; the kubelet is no container here, so most are in place."""
    entries = config.get("machine.kubelet.extraMounts") or []
    return [(Path(entry["source"]), Path(entry["destination"])) for entry in entries]


def kubelet_arguments(config: MachineConfig, hardware: Hardware, address: str, name: str) -> list[str]:
    bootstrap = FOLDER / "bootstrap.kubeconfig"
    authority = config.key_pair("cluster.ca").certificate
    (FOLDER / "ca.crt").write_bytes(authority)
    write(bootstrap, kubeconfig(config.endpoint, authority, {"token": str(config.get("cluster.token"))}))
    if not KUBECONFIG.exists():
        own = {"client-certificate": str(CERTIFICATE), "client-key": str(CERTIFICATE)}
        write(KUBECONFIG, kubeconfig(config.endpoint, authority, own))
    file = write(CONFIGURATION, yaml.safe_dump(kubelet_configuration(config, hardware)))
    labels = {"kubernetes.io/os": "linux", **(config.get("machine.nodeLabels") or {})}
    arguments = {
        "config": file,
        "bootstrap-kubeconfig": str(bootstrap),
        "kubeconfig": str(KUBECONFIG),
        "cert-dir": "/var/lib/kubelet/pki",
        "hostname-override": name,
        "node-ip": address,
        "node-labels": ",".join(f"{key}={value}" for key, value in labels.items() if "node-role" not in key),
    }
    arguments |= {key: str(value) for key, value in (config.get("machine.kubelet.extraArgs") or {}).items()}
    return [hardware.program("kubelet"), *(f"--{key}={value}" for key, value in arguments.items())]


def proxy_arguments(config: MachineConfig, hardware: Hardware, name: str) -> list[str]:
    """kube-proxy as a process with the node's own credentials; Talos runs it as a DaemonSet."""
    configuration = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(KUBECONFIG)},
        "clusterCIDR": config.pod_subnet,
        "mode": config.get("cluster.proxy.mode", "nftables"),
        "hostnameOverride": name,
        # These kernel settings cannot be written from a network namespace.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "nftables": {"minSyncPeriod": "200ms"},
    }
    file = write(PROXY_CONFIGURATION, yaml.safe_dump(configuration))
    return [hardware.program("kube-proxy"), f"--config={file}"]
