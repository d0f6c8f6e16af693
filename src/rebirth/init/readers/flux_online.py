"""What a Flux repository has of Vault stores, entrances and sites."""

from rebirth.init.folder import Folder
from rebirth.init.found import Found

_SERVICES = {"traefik": "", "ingress-nginx": "-controller"}  # chart -> what follows the release's name


def read(folder: Folder, found: Found) -> None:
    _stores(folder, found)
    _ingress(folder, found)
    hosts = [
        (str(host), folder.where(one, "spec", "rules", index, "host"))
        for one in folder.of_kind("Ingress")
        for index, rule in enumerate(one.items("spec", "rules"))
        if isinstance(rule, dict) and (host := rule.get("host"))
    ]
    if hosts:
        found.say("online.sites", [{"host": host} for host in dict.fromkeys(host for host, _ in hosts)], hosts[0][1])


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
