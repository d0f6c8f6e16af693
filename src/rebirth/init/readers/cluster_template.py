"""cluster.yaml and nodes.yaml, from which the cluster template makes a repository."""

from collections.abc import Mapping

from rebirth.init.folder import Folder
from rebirth.init.found import Found

_CLUSTER = {
    "machines.network": "node_cidr",
    "machines.nameservers": "node_dns_servers",
    "machines.gateway": "node_default_gateway",
    "machines.shared_address": "cluster_api_addr",
    "kubernetes.cert_sans": "cluster_api_tls_sans",
    "kubernetes.pod_network": "cluster_pod_cidr",
    "kubernetes.service_network": "cluster_svc_cidr",
    "gitops.branch": "repository_branch",
}


def read(folder: Folder, found: Found) -> None:
    for config in folder.documents("cluster.yaml"):
        if "node_cidr" not in config.data:
            continue
        for path, key in _CLUSTER.items():
            found.say(path, config.at(key), folder.where(config, key))
        if address := config.at("cluster_api_addr"):
            found.say("kubernetes.endpoint", f"https://{address}:6443", folder.where(config, "cluster_api_addr"))
        if repository := config.at("repository_name"):
            url = f"https://github.com/{repository}.git"
            found.say("gitops.repository", url, folder.where(config, "repository_name"))
    for config in folder.documents("nodes.yaml"):
        for index, node in enumerate(config.items("nodes")):
            if isinstance(node, Mapping) and "controller" in node:
                place = folder.where(config, "nodes", index)
                role = "controlplane" if node["controller"] is True else "worker"
                mac = node.get("mac_addr")
                found.machine(str(node.get("name", "")), place, role=role, address=node.get("address"), mac=mac)
                found.say("talos.schematic", node.get("schematic_id"), place)
