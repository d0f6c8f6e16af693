"""A Kubernetes control plane without machines: etcd, API server and controller manager on loopback, in a private folder.

There are no kubelets and no scheduler: `rebirth.paper` plays the nodes. What the API server asks of Services (webhooks,
conversions, aggregated APIs) goes through a Unix socket, `egress`, as there is no network of pods.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rebirth.errors import Broken
from rebirth.lab.ca import Authority
from rebirth.paths import Paths
from rebirth.providers.cluster import Cluster
from rebirth.rehearse.processes import Processes
from rebirth.run.waiting import until

_ETCD, _ETCD_PEER, _API = 2379, 2380, 6443
_SERVICES = "10.96.0.0/12"
_API_SERVICE = "10.96.0.1"  # the first address of it
_STARTS_WITHIN = 60.0  # seconds
# There are no machines that could answer, run out of anything, or hold volumes of a provider.
_WITHOUT = (
    "node-lifecycle-controller", "node-ipam-controller", "node-route-controller", "service-lb-controller", "cloud-node-lifecycle-controller",
    "persistentvolume-attach-detach-controller", "horizontal-pod-autoscaler-controller", "bootstrap-signer-controller",
    "token-cleaner-controller", "device-taint-eviction-controller", "taint-eviction-controller", "ttl-controller",
)  # fmt: skip


def own_address() -> str:
    """An address of the loopback interface that nobody else is likely to use: several rehearsals run side by side."""
    return str(IPv4Address("127.0.0.0") + (secrets.randbelow(2**24 - 2**17) + 2**16))


@dataclass
class ControlPlane:
    """One of them, on a loopback address of its own. Linux answers on all of 127.0.0.0/8."""

    folder: Path
    programs: Mapping[str, str]
    processes: Processes
    authority: Authority
    arguments: Sequence[str] = ()  # more of them for the API server
    address: str = field(default_factory=own_address)

    @property
    def kubeconfig(self) -> Path:
        """The admin's, mode 0600."""
        return self.folder / "kubeconfig"

    @property
    def egress(self) -> Path:
        """The Unix socket on which the API server asks for connections to Services, with HTTP CONNECT."""
        return self.folder / "egress.sock"

    @property
    def ca_file(self) -> Path:
        """The rehearsal's CA, PEM."""
        return self.folder / "ca.crt"

    async def start(self) -> Cluster:
        """Returns when the API server serves. Raises Broken with the last words of what ended instead."""
        self._write_keys()
        tls = self._tls("etcd")
        await self.processes.start(
            "etcd",
            [
                self.programs["etcd"], f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=error",
                f"--listen-client-urls=https://{self.address}:{_ETCD}", f"--advertise-client-urls=https://{self.address}:{_ETCD}",
                f"--listen-peer-urls=http://{self.address}:{_ETCD_PEER}", f"--initial-advertise-peer-urls=http://{self.address}:{_ETCD_PEER}",
                f"--initial-cluster=default=http://{self.address}:{_ETCD_PEER}", "--client-cert-auth",
                f"--trusted-ca-file={self.ca_file}", f"--cert-file={tls[0]}", f"--key-file={tls[1]}",
            ],
        )  # fmt: skip
        await self.processes.start(
            "kube-apiserver", [self.programs["kube-apiserver"], *self._api_server()], self._trust
        )
        cluster = self.cluster()
        await self._serves(cluster)
        await self.processes.start(  # it waits for ten seconds until the API server is healthy, and a loaded machine takes longer
            "kube-controller-manager", [self.programs["kube-controller-manager"], *self._controllers()], tries=6
        )
        return cluster

    def cluster(self) -> Cluster:
        """A client with the admin's rights."""
        return Cluster(paths=Paths(self.folder, self.folder, self.folder, self.folder, self.folder))

    @property
    def _trust(self) -> Mapping[str, str]:
        return {"SSL_CERT_FILE": str(self.ca_file)}

    async def _serves(self, cluster: Cluster) -> None:
        async def look() -> None:
            await self.processes.check()
            await cluster.ready()

        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                await until(look, what="the API server serves", every=0.1)
        except TimeoutError:
            said = self.processes.last_words("kube-apiserver")
            raise Broken(f"does not answer: {said}", system="kube-apiserver", operation="rehearse") from None

    def _write_keys(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ca_file.write_text(self.authority.pem)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._file("accounts.key").write_bytes(private)
        admin = self.authority.issue(["admin"], groups=["system:masters"])
        self._file("kubeconfig").write_text(self._kubeconfig(*admin))
        egress = {"udsName": str(self.egress)}
        self._file("egress.yaml").write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "apiserver.k8s.io/v1beta1",
                    "kind": "EgressSelectorConfiguration",
                    "egressSelections": [
                        {
                            "name": "cluster",
                            "connection": {"proxyProtocol": "HTTPConnect", "transport": {"uds": egress}},
                        }
                    ],
                }
            )
        )

    def _file(self, name: str) -> Path:
        """A file that only its owner reads."""
        file = self.folder / name
        file.touch(mode=0o600)
        return file

    def _tls(self, name: str) -> tuple[Path, Path]:
        names = [self.address, _API_SERVICE, "kubernetes.default.svc", "kubernetes.default", "localhost"]
        return self.authority.issue_into(self.folder, name, names)

    def _kubeconfig(self, certificate: str, key: str) -> str:
        def encoded(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        server = {"server": f"https://{self.address}:{_API}", "certificate-authority-data": encoded(self.authority.pem)}
        user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "rehearsal", "cluster": server}],
                "users": [{"name": "admin", "user": user}],
                "contexts": [{"name": "rehearsal", "context": {"cluster": "rehearsal", "user": "admin"}}],
                "current-context": "rehearsal",
            }
        )

    def _api_server(self) -> list[str]:
        certificate, key = self._tls("kube-apiserver")
        client = self.authority.issue_into(self.folder, "front-proxy", ["front-proxy-client"])
        return [
            f"--etcd-servers=https://{self.address}:{_ETCD}", f"--etcd-cafile={self.ca_file}",
            f"--etcd-certfile={certificate}", f"--etcd-keyfile={key}",
            f"--bind-address={self.address}", f"--secure-port={_API}", f"--advertise-address={self.address}",
            "--endpoint-reconciler-type=none",  # nobody in a pod asks for the API server
            f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}", f"--client-ca-file={self.ca_file}",
            f"--service-account-key-file={self.folder / 'accounts.key'}", f"--service-account-signing-key-file={self.folder / 'accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-cluster-ip-range={_SERVICES}", "--authorization-mode=RBAC", "--allow-privileged",
            f"--requestheader-client-ca-file={self.ca_file}", "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={client[0]}", f"--proxy-client-key-file={client[1]}",
            f"--egress-selector-config-file={self.folder / 'egress.yaml'}",
            *self.arguments,
        ]  # fmt: skip

    def _controllers(self) -> list[str]:
        return [
            f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--secure-port=0", "--kube-api-qps=400", "--kube-api-burst=800",
            f"--service-account-private-key-file={self.folder / 'accounts.key'}", f"--root-ca-file={self.ca_file}",
            "--controllers=" + ",".join(["*", *(f"-{name}" for name in _WITHOUT)]),
        ]  # fmt: skip
