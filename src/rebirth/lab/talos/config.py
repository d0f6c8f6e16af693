"""The machine configuration as this stand-in reads it: what it asks for, with Talos' defaults."""

import base64
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from typing import Any

import yaml


@dataclass(frozen=True)
class KeyPair:
    certificate: bytes  # PEM
    key: bytes  # PEM; empty on workers


@dataclass(frozen=True)
class MachineConfig:
    """A configuration of one or several YAML documents that `talosctl validate` has accepted."""

    documents: tuple[dict[str, Any], ...]

    @classmethod
    def parse(cls, data: bytes) -> "MachineConfig":
        return cls(tuple(document for document in yaml.safe_load_all(data) if document))

    @cached_property
    def _main(self) -> dict[str, Any]:
        return next((document for document in self.documents if "machine" in document), {})

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [document for document in self.documents if document.get("kind") == kind]

    def get(self, path: str, default: Any = None) -> Any:
        """A value by its dotted path in the main document, such as cluster.coreDNS.disabled."""
        value: Any = self._main
        for part in path.split("."):
            if not isinstance(value, dict) or value.get(part) is None:
                return default
            value = value[part]
        return value

    def key_pair(self, path: str) -> KeyPair:
        pair = self.get(path, {})
        return KeyPair(base64.b64decode(pair.get("crt") or ""), base64.b64decode(pair.get("key") or ""))

    @property
    def control_plane(self) -> bool:
        return self.get("machine.type") in {"controlplane", "init"}

    @property
    def endpoint(self) -> str:
        return str(self.get("cluster.controlPlane.endpoint"))

    @property
    def domain(self) -> str:
        return str(self.get("cluster.network.dnsDomain", "cluster.local"))

    @property
    def pod_subnet(self) -> str:
        return str(self.get("cluster.network.podSubnets", ["10.244.0.0/16"])[0])

    @property
    def service_subnet(self) -> str:
        return str(self.get("cluster.network.serviceSubnets", ["10.96.0.0/12"])[0])

    def service_address(self, index: int) -> str:
        """The index-th address of the service network: 1 is the API's, 10 the cluster DNS'."""
        return str(ip_network(self.service_subnet)[index])

    @property
    def hostname(self) -> str | None:
        for document in self.of_kind("HostnameConfig"):
            if document.get("hostname"):
                return str(document["hostname"])
        name = self.get("machine.network.hostname")
        return str(name) if name else None

    @property
    def addresses(self) -> list[str]:
        """Static addresses with prefix length; empty where the machine is left to DHCP."""
        found = [
            str(address)
            for interface in self.get("machine.network.interfaces", [])
            for address in interface.get("addresses") or []
        ]
        for document in self.of_kind("LinkConfig"):
            found += [str(entry["address"]) for entry in document.get("addresses") or []]
        return found

    @property
    def gateway(self) -> str | None:
        routes = [
            route for interface in self.get("machine.network.interfaces", []) for route in interface.get("routes") or []
        ]
        routes += [route for document in self.of_kind("LinkConfig") for route in document.get("routes") or []]
        defaults = [
            route
            for route in routes
            if route.get("network", route.get("destination", "")) in {"0.0.0.0/0", ""} and route.get("gateway")
        ]
        return str(defaults[0]["gateway"]) if defaults else None

    @property
    def nameservers(self) -> list[str]:
        found = list(self.get("machine.network.nameservers", []))
        for document in self.of_kind("ResolverConfig"):
            found += [entry["address"] for entry in document.get("nameservers") or []]
        return [str(address) for address in found]

    @property
    def talos_version(self) -> str | None:
        """The tag of the installer image: what is running after the installation."""
        image = str(self.get("machine.install.image", ""))
        return image.rpartition(":")[2] if ":" in image else None

    def extension(self, name: str) -> dict[str, str] | None:
        """The environment of an extension service, or None where it is not configured."""
        for document in self.of_kind("ExtensionServiceConfig"):
            if document.get("name") == name:
                return dict(entry.partition("=")[::2] for entry in document.get("environment") or [])
        return None
