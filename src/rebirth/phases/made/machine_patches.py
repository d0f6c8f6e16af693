"""What a castle changes in the machine configuration that talosctl generates."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from rebirth.castle import (
    ClusterDns,
    DataPath,
    Identity,
    Kubernetes,
    Machine,
    Machines,
    NodeKey,
    RegistryLogins,
    Talos,
    host_of,
)
from rebirth.castle.files import text_of
from rebirth.errors import SpecError
from rebirth.phases.made import machine_settings as settings
from rebirth.run.facts import NodeKeyMinted, SecretsResolved

_LARGEST = 1 << 20  # bytes of a patch
_ISSUER = "service-account-issuer"


@dataclass(frozen=True)
class Wanted:
    """What castle.yaml says of machines, as far as their configurations show it."""

    castle: Path  # the folder of castle.yaml, which names files beside it
    identity: Identity
    machines: Machines
    talos: Talos
    kubernetes: Kubernetes
    volumes: DataPath | None
    dns: ClusterDns
    node_key: NodeKey | None
    logins: RegistryLogins

    def patches(self, machine: Machine, secrets: SecretsResolved, minted: NodeKeyMinted | None) -> list[str]:
        """For one machine, in the order in which they are applied: ours, then the castle's own files."""
        machines, key = self.machines, self.node_key
        own = [_own(self.castle, patch) for patch in self.talos.patches_for(machine).values()]
        documents = [
            {
                "machine": {
                    **_machine(self, machine, secrets),
                    **settings.node(machine, machines, balanced=not any(settings.EXCLUDED in patch for patch in own)),
                },
                "cluster": _cluster(machine, machines, self.kubernetes, self.dns),
            },
            {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": machine.name, "auto": "off"},
            *([_tailscale(machine, key, minted)] if key and minted else []),
            *settings.volumes(self.identity, machine, machines.hardware(machine)),
        ]
        return [*(yaml.safe_dump(document) for document in documents), *own]


def _own(castle: Path, patch: str | dict[str, object]) -> str:
    if isinstance(patch, str):
        return _file(castle, patch)
    return yaml.safe_dump(patch)


def _file(castle: Path, name: str) -> str:
    try:
        return text_of(castle / name, largest=_LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SpecError(
            f"{castle / name}: {reason}",
            hint="A patch in talos.patches and the like is a document, or the name of a file beside castle.yaml.",
        ) from None


def _machine(wanted: Wanted, machine: Machine, secrets: SecretsResolved) -> dict[str, Any]:
    identity, machines, talos, volumes = wanted.identity, wanted.machines, wanted.talos, wanted.volumes
    logged_in = {
        login.registry: {"auth": {"username": login.username, "password": secrets[login.password].reveal()}}
        for login in wanted.logins.logins
    }
    mirrors = {registry: {"endpoints": urls} for registry, urls in talos.registry_mirrors.items()}
    said = {"config": logged_in, "mirrors": mirrors}
    registries = {key: value for key, value in said.items() if value}
    return {
        "network": settings.network(identity, machine, machines),
        "kubelet": {
            "clusterDNS": [str(wanted.kubernetes.cluster_dns)],
            **({"extraMounts": [_mount(volumes.path)]} if volumes else {}),
            # Without it the node's address may be that of tailscale0, which is there before the kubelet starts.
            "nodeIP": {"validSubnets": [str(machines.network)]},
        },
        "install": {
            "image": talos.installer_of(machine, machines),
            **settings.install(identity, machine, machines.hardware(machine)),
        },
        **({"registries": registries} if registries else {}),
    }


def _mount(path: str) -> dict[str, Any]:
    """Talos' kubelet is a container: what a volume plugin keeps on the machine must be shown to it, and mounts on it too."""
    return {"source": path, "destination": path, "type": "bind", "options": ["bind", "rshared", "rw"]}


def _cluster(machine: Machine, machines: Machines, kubernetes: Kubernetes, dns: ClusterDns) -> dict[str, Any]:
    network = {
        "podSubnets": [*map(str, kubernetes.pod_network)],
        "serviceSubnets": [*map(str, kubernetes.service_network)],
        "dnsDomain": kubernetes.cluster_domain,
        **({"cni": {"name": "none"}} if kubernetes.cni != "flannel" else {}),
    }
    if machine.role == "worker":
        return {"network": network}
    # certSANs of the API server (port 6443). machine.certSANs is another list: that of the Talos API (port 50000).
    names = dict.fromkeys([host_of(kubernetes.endpoint), *map(str, kubernetes.cert_sans)])
    return {
        "network": network,
        "etcd": {"advertisedSubnets": [str(machines.network)]},
        "apiServer": {"certSANs": list(names), "extraArgs": _service_account(kubernetes)},
        **({"allowSchedulingOnControlPlanes": True} if machines.pods_on_control_planes else {}),
        # Where we bring it: `talosctl upgrade-k8s` would write Talos' own kube-system/coredns over it.
        **({"coreDNS": {"disabled": True}} if dns.ours else {}),
        **({} if kubernetes.kube_proxy else {"proxy": {"disabled": True}}),
    }


def _service_account(kubernetes: Kubernetes) -> dict[str, str]:
    """Arguments for several issuers: the first signs, all are accepted.

    Talos 1.12 keeps extra arguments in a map and passes them on sorted, so a flag stands there once. Kubernetes reads `_` in a
    flag's name as `-`: each other spelling is one more place. `-` sorts before `_`, so the first issuer stays the first.
    """
    if (account := kubernetes.service_account) is None:
        return {}
    words = _ISSUER.split("-")
    spellings = sorted(f"{words[0]}{a}{words[1]}{b}{words[2]}" for a, b in product("-_", repeat=2))
    if len(account.issuers) > len(spellings):
        raise SpecError(
            f"kubernetes.service_account.issuers: more than {len(spellings)} issuers cannot be passed to Talos"
        )
    arguments = dict(zip(spellings, account.issuers, strict=False))
    if account.audiences:
        arguments["api-audiences"] = ",".join(account.audiences)
    if account.jwks_uri:
        arguments["service-account-jwks-uri"] = account.jwks_uri
    return arguments


def _tailscale(machine: Machine, node_key: NodeKey, minted: NodeKeyMinted) -> dict[str, Any]:
    environment = [
        f"TS_AUTHKEY={minted.key.reveal()}",
        f"TS_HOSTNAME={machine.name}",
        f"TS_EXTRA_ARGS=--advertise-tags={','.join(node_key.tags)}",
    ]
    return {"apiVersion": "v1alpha1", "kind": "ExtensionServiceConfig", "name": "tailscale", "environment": environment}
