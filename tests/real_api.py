"""A real etcd and API server on loopback, for tests of what they take. No controllers, and everybody may do everything."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from rebirth.lab.ca import Authority


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def api_server(folder: Path, programs: dict[str, str]) -> Iterator[Path]:
    """Its kubeconfig."""
    etcd, peer, port = free_port(), free_port(), free_port()
    authority = Authority("test")
    certificate, key = authority.issue_into(folder, "server", ["127.0.0.1", "accounts"])
    (folder / "ca.crt").write_text(authority.pem)
    (folder / "tokens").write_text("token,admin,admin,system:masters\n")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        f"""\
apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "https://127.0.0.1:{port}", certificate-authority: {folder}/ca.crt}}}}]
users: [{{name: admin, user: {{token: token}}}}]
contexts: [{{name: test, context: {{cluster: test, user: admin}}}}]
current-context: test
"""
    )
    with (folder / "log").open("w") as log, contextlib.ExitStack() as running:

        def start(*argv: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(argv, stdout=log, stderr=log)
            running.callback(process.wait)
            running.callback(process.kill)
            return process

        start(
            programs["etcd"], f"--data-dir={folder}/etcd", "--unsafe-no-fsync", "--log-level=error",
            f"--listen-client-urls=http://127.0.0.1:{etcd}", f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        )  # fmt: skip
        server = start(
            programs["kube-apiserver"], f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1",
            f"--secure-port={port}", f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--token-auth-file={folder}/tokens", "--authorization-mode=AlwaysAllow",
            f"--service-account-key-file={certificate}", f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://test", "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none", "--disable-admission-plugins=ServiceAccount",
        )  # fmt: skip
        deadline = time.monotonic() + 60
        with httpx.Client(verify=False, headers={"Authorization": "Bearer token"}, trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if client.get(f"https://127.0.0.1:{port}/readyz").status_code == 200:
                        break
                assert server.poll() is None, (folder / "log").read_text()[-2000:]
                assert time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
                time.sleep(0.2)
        yield kubeconfig
