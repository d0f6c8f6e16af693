"""What the objects of a Flux repository need of the castle, because nothing in it brings it."""

import re
from collections.abc import Iterator

from rebirth.init.folder import Folder
from rebirth.init.found import Found
from rebirth.proof.reading.manifest import Manifest

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OURS = "cluster-variables"  # the ConfigMap that is made of gitops.variables
_BALANCERS = {"metallb", "cilium", "kube-vip", "kube-vip-cloud-provider"}
_CILIUM = "cilium"
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(-\S+)?")  # a version, and no range of them
_REPLACED = (True, "true", "strict")
_STORAGES = {
    "longhorn", "local-path-provisioner", "rook-ceph", "openebs", "democratic-csi", "proxmox-csi-plugin",
    "csi-driver-nfs", "nfs-subdir-external-provisioner",
}  # fmt: skip
_INGRESSES = {"traefik", "ingress-nginx", "envoy-gateway", "gateway-helm", "haproxy-ingress", "kong"}


def read(folder: Folder, found: Found) -> None:
    charts = dict(_charts(folder))
    _secrets(folder, found, charts)
    _network(folder, found, charts)
    _addresses(folder, found, charts)
    _volumes(folder, found, charts)
    _variables(folder, found)


def _charts(folder: Folder) -> Iterator[tuple[str, Manifest]]:
    """Each chart that the tree installs, by name."""
    artifacts = {one.name: str(one.at("spec", "url", default="")) for one in folder.of_kind("OCIRepository")}
    for release in folder.of_kind("HelmRelease"):
        referred = artifacts.get(str(release.at("spec", "chartRef", "name", default="")), "")
        name = str(release.at("spec", "chart", "spec", "chart", default="") or referred)
        yield name.rpartition("/")[2], release


def _secrets(folder: Folder, found: Found, charts: dict[str, Manifest]) -> None:
    """External Secrets, the store behind them, and the Vault behind that."""
    secrets = list(folder.of_kind("ExternalSecret", "ClusterExternalSecret"))
    if secrets and "external-secrets" not in charts:
        why = f"{folder.where(secrets[0])} is an ExternalSecret"
        found.needed["engine", "external_secrets"] = why
    if not secrets or list(folder.of_kind("ClusterSecretStore", "SecretStore")):
        return
    found.needed["engine", "vault"] = found.needed["engine", "store"] = "no store of secrets is in the tree"
    if release := charts.get("external-secrets"):
        found.say("engine.external_secrets.installed_by", "flux", folder.where(release))
        namespace = release.at("spec", "targetNamespace") or release.namespace
        found.say("engine.external_secrets.namespace", namespace, folder.where(release, "metadata"))
        version = str(secrets[0].data["apiVersion"]).rpartition("/")[2]
        found.say("engine.store.api", version, folder.where(secrets[0], "apiVersion"))  # that one is served
    for one in folder.of_kind("Kustomization"):
        for index, check in enumerate(one.items("spec", "healthChecks")):
            if isinstance(check, dict) and check.get("kind") == "ClusterSecretStore":
                found.say("engine.store.name", check.get("name"), folder.where(one, "spec", "healthChecks", index))
    for one in secrets:
        reference = ("spec", "secretStoreRef", "name")
        found.say("engine.store.name", one.at(*reference), folder.where(one, *reference))
    for service in folder.of_kind("Service"):
        if host := service.annotations.get("tailscale.com/tailnet-fqdn"):
            where = f"assumed: the host that {folder.where(service, 'metadata', 'annotations')} reaches"
            found.say("engine.vault.address", f"https://{host}:8200", where)


def _network(folder: Folder, found: Found, charts: dict[str, Manifest]) -> None:
    """Pods cannot bring their own network: the castle begins the release of Cilium, and Flux goes on with it."""
    if (release := charts.get(_CILIUM)) is None:
        return
    place, target = folder.where(release, "metadata"), str(release.at("spec", "targetNamespace", default=""))
    if str(release.at("spec", "releaseName", default="") or f"{target}-{release.name}".lstrip("-")) != _CILIUM:
        found.say("kubernetes.cni", "none", f"{place} has another name than the castle's own release of Cilium")
        return
    found.say("kubernetes.cni", "cilium", f"{place} is begun by the castle, and Flux goes on with it")
    found.say("networking.cilium.namespace", target or release.namespace, place)
    for path in (("spec", "chart", "spec", "version"), ("spec", "chartRef", "name")):
        said = str(release.at(*path, default=""))
        tag = next((one.at("spec", "ref", "tag") for one in folder.of_kind("OCIRepository") if one.name == said), said)
        if _EXACT.fullmatch(str(tag)):
            found.say("networking.cilium.version", str(tag), folder.where(release, *path))
    values = release.mapping("spec", "values")
    found.say("networking.cilium.values", values, folder.where(release, "spec", "values"))
    if release.items("spec", "valuesFrom"):
        found.remarks.append(f"{folder.where(release, 'spec', 'valuesFrom')}: values of Cilium from elsewhere")
    elif values.get("kubeProxyReplacement") not in _REPLACED:
        found.say("kubernetes.kube_proxy", value=True, where=f"{place} does not replace it")


def _addresses(folder: Folder, found: Found, charts: dict[str, Manifest]) -> None:
    """Who gives Services of type LoadBalancer their addresses."""
    services = [one for one in folder.of_kind("Service") if one.at("spec", "type") == "LoadBalancer"]
    wanting = [*services, *(charts[name] for name in sorted(_INGRESSES & charts.keys()))]
    if wanting and not _BALANCERS & charts.keys():
        why = f"{folder.where(wanting[0])} wants an address"
        found.needed["networking", "metallb"] = found.needed["networking", "pool"] = why


def _volumes(folder: Folder, found: Found, charts: dict[str, Manifest]) -> None:
    claims = list(folder.of_kind("PersistentVolumeClaim", "StatefulSet", "PostgresCluster", "Cluster"))
    if claims and not _STORAGES & charts.keys():
        found.needed["storage", "chart"] = f"{folder.where(claims[0])} wants a volume"
    for claim in folder.of_kind("PersistentVolumeClaim"):
        where = ("spec", "storageClassName")
        found.say("storage.storage_class", claim.at(*where), folder.where(claim, *where))


def _variables(folder: Folder, found: Found) -> None:
    """The variables of the tree, where it takes them from a ConfigMap that nothing in it makes."""
    takers = [one for one in folder.of_kind("Kustomization") if _takes(one)]
    if not takers or _OURS in {one.name for one in folder.of_kind("ConfigMap")}:
        return
    given = {str(key) for one in takers for key in one.mapping("spec", "postBuild", "substitute")}
    for one in folder.objects:
        if one.kind == "CustomResourceDefinition":
            continue
        for path, name in _used(one.data):
            if name not in given:
                if path == ("spec", "secretStoreRef", "name"):
                    found.say(
                        ("gitops", "variables", name), found.get("engine.store.name"), "assumed: the store's name"
                    )
                found.wanted.setdefault(("gitops", "variables", name), f"{folder.where(one, *path)} uses ${{{name}}}")


def _takes(kustomization: Manifest) -> bool:
    taken = kustomization.items("spec", "postBuild", "substituteFrom")
    return any(isinstance(one, dict) and one.get("name") == _OURS and not one.get("optional") for one in taken)


def _used(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield from ((path, name) for name in _VARIABLE.findall(value))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _used(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _used(item, (*path, index))
