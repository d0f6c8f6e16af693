"""What Flux and nodes fetch from hosts that this very cluster serves: Git servers, chart repositories, image registries.

A host is the cluster's own where it names a Service, or where an Ingress or route of the cluster has it and leads to pods of the
cluster: an Ingress may as well lead to a machine outside, which is there before.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rebirth.proof.charts import releases
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux, pods
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import external_secrets
from rebirth.proof.things import Milestone, Need, Thing

_FIELDS = {"GitRepository": "url", "OCIRepository": "url", "HelmRepository": "url", "Bucket": "endpoint"}
_ROUTES = ("HTTPRoute", "TLSRoute", "GRPCRoute")
_WAYS_IN = {
    "ingress",
    "ingresses",
    "route",
    "routes",
    "httproute",
    "gateway",
}  # values of charts that make such objects
_SPEAKING = ("host", "domain", "fqdn")
_NO_HOSTS = {"annotations", "labels", "parentrefs"}
_ZONES = {"", "svc", "svc.cluster.local"}  # what follows a Service's name and namespace


class _Served(NamedTuple):
    by: Thing  # true once the host answers
    words: str


def read(model: Model, graph: Graph) -> None:
    hosts = dict(_served(model))
    for member, _ in model.objects(*_FIELDS):
        field = _FIELDS[member.kind]
        host = external_secrets.host_of(member.at("spec", field)) if member.group == flux.SOURCE else ""
        place = member.place("spec", field)
        found = (_service(model, host) or hosts.get(host)) if host else None
        if found:
            for by in _fetching(model, member):
                graph.needs(by, found.by, Need.FETCHED, place, f"{host}, {found.words}")
    if hosts:
        _images(model, hosts, graph)


def _fetching(model: Model, source: Manifest) -> Iterator[Thing]:
    """Who waits for the host: the source itself; a repository of OCI charts is Ready at once, and each release asks it."""
    ready = source.thing(Milestone.READY)
    if source.kind != "HelmRepository" or not str(source.at("spec", "url")).startswith("oci://"):
        yield ready
        return
    for release, _ in model.objects("HelmRelease"):
        if releases.is_release(release) and (chart := releases.chart_of(model, release)) and chart.source == ready:
            yield releases.started(release)


def _service(model: Model, host: str) -> _Served | None:
    """The Service that a host names, or the release of a chart that is not known whose Service it seems to be."""
    name, _, rest = host.partition(".")
    space, _, zone = rest.partition(".")
    if zone in _ZONES and model.find("Service", space, name):
        return _Served(thing("Service", space, name, Milestone.SERVES), "a Service of this cluster")
    for unit in model.units if zone in _ZONES and zone else ():
        release = unit.own
        if (
            release is None
            or not releases.is_release(release)
            or unit.known
            or releases.target_namespace(release) != space
        ):
            continue
        called = releases.release_name(release)
        if name == called or name.startswith(f"{called}-"):
            return _Served(unit.ready, f"a Service of {release.thing().label}")
    return None


def _images(model: Model, hosts: Mapping[str, _Served], graph: Graph) -> None:
    """A node keeps what it has pulled, so a registry is only needed before."""
    for found in pods.every(model):
        for part, index, container in found.containers():
            host = external_secrets.host_of(str(container.get("image") or "").partition("/")[0])
            if found.replicas and (served := hosts.get(host)):
                words = f"its image is pulled from {host}, {served.words}"
                graph.needs(found.thing, served.by, Need.IMAGE, found.place(part, index, "image"), words)


def _served(model: Model) -> Iterator[tuple[str, _Served]]:
    """Each host that the cluster serves, with who serves it."""
    for member, _ in model.objects("Ingress", *_ROUTES):
        if not _leads_inside(model, member):
            continue
        for host in _hosts(member):
            yield host, _Served(member.thing(Milestone.SERVES), f"which {member.thing().label} serves")
    for unit in model.units:
        release = unit.own
        if release is not None and releases.is_release(release) and not unit.known:
            for host in _hosts_of_values(release.at("spec", "values")):
                yield host, _Served(unit.ready, f"which {release.thing().label} serves")


def _hosts(member: Manifest) -> Iterator[str]:
    if member.kind == "Ingress":
        yield from (
            str(rule["host"])
            for rule in member.items("spec", "rules")
            if isinstance(rule, Mapping) and rule.get("host")
        )
    else:
        yield from map(str, member.items("spec", "hostnames"))


def _leads_inside(model: Model, member: Manifest) -> bool:
    """Whether it leads to pods of this cluster."""
    named = [
        (str(one.get("namespace") or member.namespace), str(one.get("name")))
        for number, _ in enumerate(member.items("spec", "rules"))
        for one in member.items("spec", "rules", number, "backendRefs")
        if isinstance(one, Mapping)
    ] + [
        (
            member.namespace,
            str(member.at("spec", "rules", number, "http", "paths", index, "backend", "service", "name")),
        )
        for number, _ in enumerate(member.items("spec", "rules"))
        for index, _ in enumerate(member.items("spec", "rules", number, "http", "paths"))
    ]
    behind = [service for space, name in named for service, _ in model.find("Service", space, name)]
    return any(service.mapping("spec", "selector") for service in behind)


def _hosts_of_values(values: Any, *, inside: bool = False, named: bool = False) -> Iterator[str]:
    """The hosts in those of a chart's values that make Ingresses and routes, under keys that speak of hosts."""
    if isinstance(values, str):
        if inside and named and "." in values and "/" not in values and "{" not in values:
            yield values
    elif isinstance(values, Mapping):
        for key, value in values.items():
            name = str(key).lower()
            if name not in _NO_HOSTS:
                speaks = named or any(word in name for word in _SPEAKING)
                yield from _hosts_of_values(value, inside=inside or name in _WAYS_IN, named=speaks)
    elif isinstance(values, list):
        for one in values:
            yield from _hosts_of_values(one, inside=inside, named=named)
