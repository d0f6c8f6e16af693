"""Secrets that a Flux repository reads and does not make, as far as it is known what belongs into them."""

from collections.abc import Mapping
from typing import Any

from rebirth.init.folder import Folder
from rebirth.init.found import Found

_MAKERS = ("Secret", "ExternalSecret", "SealedSecret")
_OPERATOR = "operator-oauth"  # the Secret that the chart of the Tailscale operator reads


def read(folder: Folder, found: Found) -> None:
    made = {(one.namespace, str(one.at("spec", "target", "name") or one.name)) for one in folder.of_kind(*_MAKERS)}
    for release in folder.of_kind("HelmRelease"):
        chart = release.at("spec", "chart", "spec", "chart", default="")
        if chart == "tailscale-operator" and (release.namespace, _OPERATOR) not in made:
            data = {
                key: {"secret": f"tailscale-operator-{key.replace('_', '-')}"} for key in ("client_id", "client_secret")
            }
            secret = {"namespace": release.namespace, "name": _OPERATOR, "data": data}
            found.secrets.append((secret, f"{folder.where(release)} reads it"))
            hostname = release.at("spec", "values", "operatorConfig", "hostname", default="tailscale-operator")
            found.tailnet_names.append(hostname)
            found.needed["tailscale",] = "devices that an earlier castle's operator left have to be removed"
    for config in folder.of_kind("DNSConfig"):
        where = ("spec", "nameserver", "service", "clusterIP")
        address = config.at(*where)
        found.say(("engine", "coredns", "forwards", "ts.net"), address and [address], folder.where(config, *where))
    _pulls(folder, found, made)


def _pulls(folder: Folder, found: Found, made: set[tuple[str, str]]) -> None:
    """Pull secrets, each with the namespaces that want it."""
    pulls: dict[str, tuple[dict[str, Any], str]] = {}
    for one in folder.of_kind("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
        pod = _pod(one.data)
        for reference in pod.get("imagePullSecrets") or ():
            name = reference.get("name") if isinstance(reference, Mapping) else None
            images = [str(container.get("image", "")) for container in pod.get("containers") or ()]
            if not name or not images or (one.namespace, name) in made:
                continue
            registry, *rest = images[0].split("/")
            login = {
                "registry": registry,
                "username": rest[0],
                "password": {"secret": f"{registry.replace('.', '-')}-token"},
            }
            pull, _ = pulls.setdefault(name, ({"name": name, **login, "namespaces": []}, folder.where(one)))
            pull["namespaces"] += [one.namespace] * (one.namespace not in pull["namespaces"])
    if pulls:
        places = "; ".join(f"{place} reads it" for _, place in pulls.values())
        found.say(
            "engine.pull_secrets",
            [pull for pull, _ in pulls.values()],
            f"assumed: {places}; user and token are its owner's",
        )


def _pod(data: Any) -> Mapping[str, Any]:
    """The pod's specification, however deep its template stands."""
    while isinstance(data, Mapping):
        spec = data.get("spec") or data.get("template") or data.get("jobTemplate")
        if isinstance(spec, Mapping) and "containers" in spec:
            return spec
        data = data.get("jobTemplate") or data.get("template") or data.get("spec")
    return {}
