"""Image mirrors that nodes ask instead of a registry, where the mirror runs in the cluster itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.reading.talos import Merged
from rebirth.proof.things import ALWAYS, Milestone, Need, Place, Thing

_DOCKER = "docker.io"
_HERE = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class _Mirror:
    registry: str  # "*": every registry that has no mirror of its own
    serves: Thing
    place: Place


def read(model: Model, graph: Graph) -> None:
    mirrors = {mirror.registry: mirror for mirror in _mirrors(model)}
    if not mirrors:
        return
    for found in pods.every(model):
        for part, index, container in found.containers():
            image = container.get("image")
            mirror = mirrors.get(registry_of(image)) or mirrors.get("*") if isinstance(image, str) else None
            if mirror is not None:
                place = found.place(part, index, "image")
                graph.needs(
                    found.thing,
                    mirror.serves,
                    Need.IMAGE,
                    place,
                    f"{registry_of(image)} is pulled through the mirror",
                    scope=ALWAYS,
                )
                graph.where.setdefault(mirror.serves, mirror.place)


def registry_of(image: object) -> str:
    """The registry of an image; Docker's is left away."""
    first, slash, _ = str(image).partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else _DOCKER


def _mirrors(model: Model) -> Iterator[_Mirror]:
    """Mirrors that only the cluster itself serves, and beside which the registry is not asked."""
    for machine in model.machines:
        merged = Merged(machine.patches)
        for registry, item in merged.pairs("machine", "registries", "mirrors"):
            value = item.value if isinstance(item.value, Mapping) else {}
            endpoints = [str(entry) for entry in value.get("endpoints") or []]
            inside = [_service(model, endpoint) for endpoint in endpoints]
            if value.get("skipFallback") is True and inside and all(inside):
                first = next(one for one in inside if one is not None)
                yield _Mirror(registry, thing("Service", first.namespace, first.name, Milestone.SERVES), item.place)


def _service(model: Model, endpoint: str) -> Manifest | None:
    """The Service of this cluster that an endpoint leads to."""
    try:
        url = urlsplit(endpoint)
        host, port = url.hostname or "", url.port
    except ValueError:
        return None
    for member, _ in model.objects("Service"):
        named = host in {f"{member.name}.{member.namespace}.svc", f"{member.name}.{member.namespace}.svc.cluster.local"}
        addressed = host in {str(member.at("spec", "clusterIP")), str(member.at("spec", "loadBalancerIP"))}
        listed = host in {
            str(member.annotations.get("metallb.io/loadBalancerIPs")),
            str(member.annotations.get("metallb.universe.tf/loadBalancerIPs")),
        }
        ports = [entry.get("nodePort") for entry in member.items("spec", "ports") if isinstance(entry, Mapping)]
        if named or addressed or listed or (host in _HERE and port is not None and port in ports):
            return member
    return None
