"""What a Flux repository has of Vault stores, entrances and sites."""

from collections.abc import Iterator

from rebirth.init.folder import Folder
from rebirth.init.found import Found

_SERVICES = {"traefik": "", "ingress-nginx": "-controller"}  # chart -> what follows the release's name


def read(folder: Folder, found: Found) -> None:
    _stores(folder, found)
    _ingress(folder, found)
    if not found.says("online", "ingress"):
        _gateway(folder, found)
    hosts = [*_hosts(folder)]
    if hosts and found.says("online"):  # without an entrance nobody knows where to visit them
        found.say("online.sites", [{"host": host} for host in dict.fromkeys(host for host, _ in hosts)], hosts[0][1])


def _hosts(folder: Folder) -> Iterator[tuple[str, str]]:
    """Each host name of a site, and where it is written."""
    for one in folder.of_kind("Ingress"):
        for index, rule in enumerate(one.items("spec", "rules")):
            if isinstance(rule, dict) and (host := rule.get("host")):
                yield str(host), folder.where(one, "spec", "rules", index, "host")
    for one in folder.of_kind("HTTPRoute"):
        for index, host in enumerate(one.items("spec", "hostnames")):
            yield str(host), folder.where(one, "spec", "hostnames", index)


def _stores(folder: Folder, found: Found) -> None:
    """The Vault behind a ClusterSecretStore. Another provider's store is Flux's alone."""
    for store in folder.of_kind("ClusterSecretStore"):
        at = ("spec", "provider", "vault")
        vault = store.mapping(*at)
        if not vault:
            continue
        found.say("engine.store.name", store.name, folder.where(store, "metadata", "name"))
        found.say("engine.vault.address", vault.get("server"), folder.where(store, *at, "server"))
        found.say("engine.vault.mount", vault.get("path"), folder.where(store, *at, "path"))
        token = store.mapping(*at, "auth", "tokenSecretRef")
        for key in ("namespace", "name", "key"):
            place = folder.where(store, *at, "auth", "tokenSecretRef", key)
            found.say(f"engine.store.token_secret.{key}", token.get(key), place)


def _gateway(folder: Folder, found: Found) -> None:
    """The Gateway of the Gateway API. Of several nobody knows by which one the sites are visited."""
    gateways = [one for one in folder.of_kind("Gateway") if one.group == "gateway.networking.k8s.io" and one.namespace]
    if len(gateways) == 1:
        for key in ("namespace", "name"):
            value = gateways[0].at("metadata", key)
            found.say(f"online.gateway.{key}", value, folder.where(gateways[0], "metadata", key))


def _ingress(folder: Folder, found: Found) -> None:
    """The Service of an ingress controller, as its chart names it."""
    for release in folder.of_kind("HelmRelease"):
        chart = str(release.at("spec", "chart", "spec", "chart", default=""))
        if chart not in _SERVICES:
            continue
        target = release.at("spec", "targetNamespace", default="")
        name = str(release.at("spec", "releaseName", default="") or f"{target}-{release.name}".lstrip("-"))
        service = name if chart in name else f"{name}-{chart}"  # as charts commonly name what they make
        found.say("online.ingress.namespace", target or release.namespace, folder.where(release, "metadata"))
        found.say("online.ingress.service", f"{service}{_SERVICES[chart]}", folder.where(release, "spec"))
