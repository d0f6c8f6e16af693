"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler: certificates and arguments as Talos would set them."""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import yaml
from cryptography.hazmat.primitives import serialization

from rebirth.lab.talos import kubelet, pki
from rebirth.lab.talos.config import KeyPair, MachineConfig
from rebirth.lab.talos.hardware import Hardware

SECRETS = kubelet.FOLDER / "secrets"
ETCD_DATA = Path("/var/lib/etcd")
API = "https://127.0.0.1:6443"
AUDIT = Path("/var/log/audit/kube/kube-apiserver.log")  # every request, as Talos' audit policy asks for it
# Flags that Talos does not let a configuration override (siderolabs/talos control_plane_static_pod.go, MergeDenied).
_DENIED = frozenset(
    [
        "etcd-servers",
        "client-ca-file",
        "requestheader-client-ca-file",
        "proxy-client-cert-file",
        "proxy-client-key-file",
        "encryption-provider-config",
        "etcd-cafile",
        "etcd-certfile",
        "etcd-keyfile",
        "kubelet-client-certificate",
        "kubelet-client-key",
        "service-account-key-file",
        "service-account-signing-key-file",
        "tls-cert-file",
        "tls-private-key-file",
        "authorization-config",
    ]
)
_ADDITIVE = frozenset({"enable-admission-plugins", "feature-gates", "authorization-mode", "tls-cipher-suites"})


def flags(defaults: Mapping[str, str], extra: Mapping[str, str]) -> list[str]:
    """Talos' way of merging extra arguments: some are denied, some added to, the others replaced; sorted by name.

    A key that differs only in `_` for `-` is another key here and the same flag to Kubernetes: that is how a map gives a
    flag twice.
    """
    merged = dict(defaults)
    for key, value in extra.items():
        if key in _DENIED:
            raise ValueError(f'extra arg "{key}" is not allowed')
        if key in _ADDITIVE and merged.get(key):
            merged[key] = ",".join(dict.fromkeys([*merged[key].split(","), *str(value).split(",")]))
        else:
            merged[key] = str(value)
    return [f"--{key}={merged[key]}" for key in sorted(merged)]


def admin(config: MachineConfig) -> KeyPair:
    """A client certificate of system:masters."""
    return pki.issue(config.key_pair("cluster.ca"), pki.Request("admin", "system:masters", server=False))


def admin_kubeconfig(config: MachineConfig, server: str) -> str:
    return kubelet.kubeconfig(server, config.key_pair("cluster.ca").certificate, kubelet.user_of(admin(config)))


async def api_ready(config: MachineConfig) -> None:
    """Returns once this machine's own API server says that it is ready."""
    authority = config.key_pair("cluster.ca")
    trust = ssl.create_default_context(cadata=authority.certificate.decode())
    request = pki.Request("admin", "system:masters", server=False)
    trust.load_cert_chain(*pki.ensure(authority, request, SECRETS, "admin"))
    async with httpx.AsyncClient(base_url=API, verify=trust, timeout=5, trust_env=False) as client:
        while True:
            with suppress(httpx.HTTPError):
                if (await client.get("/readyz")).is_success:
                    return
            await asyncio.sleep(0.1)


def etcd_client(config: MachineConfig) -> tuple[str, str, str]:
    """CA, certificate and key for talking to etcd."""
    authority = config.key_pair("cluster.etcd.ca")
    (SECRETS).mkdir(parents=True, exist_ok=True)
    (SECRETS / "etcd-ca.crt").write_bytes(authority.certificate)
    pair = pki.ensure(authority, pki.Request("etcd-client", server=False), SECRETS, "etcd-client")
    return str(SECRETS / "etcd-ca.crt"), *pair


def etcd_arguments(
    config: MachineConfig, hardware: Hardware, address: str, name: str, members: Mapping[str, str] | None
) -> list[str]:
    """`members`: name -> peer URL of the cluster joined, or None for a new cluster."""
    ca, *_ = etcd_client(config)
    request = pki.Request(name, names=(address, name, "localhost", "127.0.0.1"))
    certificate, key = pki.ensure(config.key_pair("cluster.etcd.ca"), request, SECRETS, "etcd")
    peer = f"https://{address}:2380"
    cluster = {**(members or {}), name: peer}
    arguments = {
        "name": name,
        "data-dir": str(ETCD_DATA),
        "listen-client-urls": f"https://127.0.0.1:2379,https://{address}:2379",
        "advertise-client-urls": f"https://{address}:2379",
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": ",".join(f"{member}={url}" for member, url in cluster.items()),
        "initial-cluster-state": "existing" if members else "new",
        "cert-file": certificate, "key-file": key, "trusted-ca-file": ca, "client-cert-auth": "true",
        "peer-cert-file": certificate, "peer-key-file": key, "peer-trusted-ca-file": ca, "peer-client-cert-auth": "true",
        # A lab's disk is thrown away: waiting for it to sync would only measure the host.
        "unsafe-no-fsync": "true",
    }  # fmt: skip
    return [hardware.program("etcd"), *flags(arguments, config.get("cluster.etcd.extraArgs", {}))]


def _service_account(config: MachineConfig) -> tuple[str, str]:
    pem = base64.b64decode(config.get("cluster.serviceAccount.key"))
    public = serialization.load_pem_private_key(pem, None).public_key()
    encoded = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pki.write(KeyPair(encoded, pem), SECRETS, "service-account")


def _encryption(config: MachineConfig) -> str:
    providers: list[dict[str, object]] = []
    if secret := config.get("cluster.secretboxEncryptionSecret"):
        providers.append({"secretbox": {"keys": [{"name": "key2", "secret": secret}]}})
    if secret := config.get("cluster.aescbcEncryptionSecret"):
        providers.append({"aescbc": {"keys": [{"name": "key1", "secret": secret}]}})
    document = {
        "apiVersion": "v1",
        "kind": "EncryptionConfig",
        "resources": [{"resources": ["secrets"], "providers": [*providers, {"identity": {}}]}],
    }
    return kubelet.write(SECRETS / "encryptionconfig.yaml", yaml.safe_dump(document))


def admission(config: MachineConfig) -> dict[str, object]:
    """AdmissionConfiguration; what talosctl generates enforces Pod Security `baseline` everywhere but in kube-system."""
    plugins = config.get("cluster.apiServer.admissionControl", [])
    return {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins}


def api_names(config: MachineConfig, address: str, name: str) -> tuple[str, ...]:
    """The names in the API server's certificate. machine.certSANs are not among them: those are for port 50000."""
    host = (
        config.endpoint.partition("://")[2].partition("/")[0].rpartition(":")[0] or config.endpoint.partition("://")[2]
    )
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{config.domain}")
    return (
        *service,
        "localhost",
        "127.0.0.1",
        config.service_address(1),
        address,
        name,
        host,
        *config.get("cluster.apiServer.certSANs", []),
    )


def _audit_policy(config: MachineConfig) -> str:
    AUDIT.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    everything = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}
    policy = config.get("cluster.apiServer.auditPolicy", everything)
    return kubelet.write(SECRETS / "auditpolicy.yaml", yaml.safe_dump(policy))


def apiserver_arguments(config: MachineConfig, hardware: Hardware, address: str, name: str) -> list[str]:
    ca = config.key_pair("cluster.ca")
    aggregator = config.key_pair("cluster.aggregatorCA")
    (SECRETS / "ca.crt").write_bytes(ca.certificate)
    (SECRETS / "aggregator-ca.crt").write_bytes(aggregator.certificate)
    serving_request = pki.Request("kube-apiserver", names=api_names(config, address, name), client=False)
    serving = pki.ensure(ca, serving_request, SECRETS, "apiserver")
    kubelet_request = pki.Request("apiserver-kubelet-client", "system:masters", server=False)
    kubelet_client = pki.ensure(ca, kubelet_request, SECRETS, "apiserver-kubelet-client")
    front_request = pki.Request("front-proxy-client", server=False)
    front_proxy = pki.ensure(aggregator, front_request, SECRETS, "front-proxy-client")
    public, signing = _service_account(config)
    etcd_ca, etcd_certificate, etcd_key = etcd_client(config)
    defaults = {
        "allow-privileged": "true", "anonymous-auth": "false", "authorization-mode": "Node,RBAC",
        "advertise-address": address, "bind-address": "0.0.0.0", "secure-port": "6443",
        "api-audiences": config.endpoint, "service-account-issuer": config.endpoint,
        "client-ca-file": str(SECRETS / "ca.crt"), "tls-cert-file": serving[0], "tls-private-key-file": serving[1],
        "requestheader-client-ca-file": str(SECRETS / "aggregator-ca.crt"), "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-", "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User", "proxy-client-cert-file": front_proxy[0], "proxy-client-key-file": front_proxy[1],
        "enable-admission-plugins": "NodeRestriction", "enable-bootstrap-token-auth": "true", "profiling": "false",
        "encryption-provider-config": _encryption(config),
        "admission-control-config-file": kubelet.write(SECRETS / "admission.yaml", yaml.safe_dump(admission(config))),
        "audit-log-path": str(AUDIT), "audit-policy-file": _audit_policy(config),
        "audit-log-maxage": "30", "audit-log-maxbackup": "10", "audit-log-maxsize": "100",
        "etcd-servers": "https://127.0.0.1:2379", "etcd-cafile": etcd_ca, "etcd-certfile": etcd_certificate, "etcd-keyfile": etcd_key,
        "kubelet-client-certificate": kubelet_client[0], "kubelet-client-key": kubelet_client[1],
        "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
        "service-account-key-file": public, "service-account-signing-key-file": signing,
        "service-cluster-ip-range": config.service_subnet,
    }  # fmt: skip
    return [hardware.program("kube-apiserver"), *flags(defaults, config.get("cluster.apiServer.extraArgs", {}))]


def _client(config: MachineConfig, user: str) -> str:
    authority, name = config.key_pair("cluster.ca"), user.removeprefix("system:")
    certificate, key = pki.ensure(authority, pki.Request(user, server=False), SECRETS, name)
    files = {"client-certificate": certificate, "client-key": key}
    return kubelet.write(SECRETS / f"{name}.kubeconfig", kubelet.kubeconfig(API, authority.certificate, files))


def files() -> list[Path]:
    """Everything that the servers read at their start."""
    return sorted(file for file in SECRETS.iterdir() if file.suffix != ".for")


def controller_manager_arguments(config: MachineConfig, hardware: Hardware) -> list[str]:
    authority = pki.write(config.key_pair("cluster.ca"), SECRETS, "cluster-signing")
    kubeconfig = _client(config, "system:kube-controller-manager")
    defaults = {
        "allocate-node-cidrs": "true", "cluster-cidr": config.pod_subnet, "service-cluster-ip-range": config.service_subnet,
        "bind-address": "127.0.0.1", "cluster-signing-cert-file": authority[0], "cluster-signing-key-file": authority[1],
        "kube-api-qps": "200", "kube-api-burst": "400",  # each controller asks for a token first: seconds, at 20 a second
        "controllers": "*,tokencleaner", "kubeconfig": kubeconfig, "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig, "leader-elect": "true", "root-ca-file": str(SECRETS / "ca.crt"),
        "service-account-private-key-file": str(SECRETS / "service-account.key"), "use-service-account-credentials": "true", "profiling": "false",
    }  # fmt: skip
    return [
        hardware.program("kube-controller-manager"),
        *flags(defaults, config.get("cluster.controllerManager.extraArgs", {})),
    ]


def scheduler_arguments(config: MachineConfig, hardware: Hardware) -> list[str]:
    kubeconfig = _client(config, "system:kube-scheduler")
    defaults = {
        "kubeconfig": kubeconfig, "authentication-kubeconfig": kubeconfig, "authorization-kubeconfig": kubeconfig,
        "bind-address": "127.0.0.1", "leader-elect": "true", "profiling": "false",
    }  # fmt: skip
    return [hardware.program("kube-scheduler"), *flags(defaults, config.get("cluster.scheduler.extraArgs", {}))]
