"""controlplane.yaml and worker.yaml of talosctl, or any machine configuration that is no patch. Their secrets stay there."""

from collections.abc import Mapping

from rebirth.init.folder import Folder
from rebirth.init.found import Found
from rebirth.init.readers.talos_values import image_parts, network_values, pod_network
from rebirth.proof.reading.manifest import Manifest

_PLAIN = {
    "name": ("cluster", "clusterName"),
    "kubernetes.endpoint": ("cluster", "controlPlane", "endpoint"),
    "kubernetes.cert_sans": ("cluster", "apiServer", "certSANs"),
    "kubernetes.cluster_domain": ("cluster", "network", "dnsDomain"),
    "machines.nameservers": ("machine", "network", "nameservers"),
}
_FIRST = {
    "kubernetes.pod_network": ("cluster", "network", "podSubnets"),
    "kubernetes.service_network": ("cluster", "network", "serviceSubnets"),
}
_ROLES = {"controlplane": "controlplane", "init": "controlplane", "worker": "worker"}


def read(folder: Folder, found: Found) -> None:
    for config in folder.bare("machine", "cluster"):
        if config.at("machine", "type") in _ROLES:
            _read(folder, config, found)


def _read(folder: Folder, config: Manifest, found: Found) -> None:
    for path, key in _PLAIN.items():
        found.say(path, config.at(*key), folder.where(config, *key))
    for path, key in _FIRST.items():
        networks = config.items(*key)
        found.say(path, networks[0] if len(networks) == 1 else networks, folder.where(config, *key))
    cni = ("cluster", "network", "cni", "name")
    pod_network(config.at(*cni), folder.where(config, *cni), found)
    image = ("machine", "install", "image")
    image_parts(str(config.at(*image, default="")), folder.where(config, *image), found)
    kubelet = str(config.at("machine", "kubelet", "image", default=""))
    tag = kubelet.rpartition("/")[2].partition(":")[2].partition("@")[0]
    found.say("kubernetes.version", tag, folder.where(config, "machine", "kubelet", "image"))
    name = str(config.at("machine", "network", "hostname", default=""))
    for index, interface in enumerate(config.items("machine", "network", "interfaces")):
        if name and isinstance(interface, Mapping) and (addresses := interface.get("addresses")):
            place = folder.where(config, "machine", "network", "interfaces", index)
            address = str(addresses[0]).partition("/")[0]
            found.machine(name, place, role=_ROLES[config.at("machine", "type")], address=address)
            network_values(interface, name, address, place, found)
