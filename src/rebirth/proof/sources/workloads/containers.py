"""What is written in containers that the API server takes and no kubelet can do: probes of ports that are not there, amounts in a
unit that cannot be meant.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Atomicity

_Path = tuple[str | int, ...]
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_ASKS = ("httpGet", "tcpSocket")
_BYTES = ("memory", "storage", "ephemeral-storage")
_LEAST = (4 << 20) * 1000  # thousandths of a byte: with less no container starts (kubernetes/kubernetes#79950)
_BINARY = ("Ki", "Mi", "Gi", "Ti")


def read(model: Model, graph: Graph) -> None:
    for found in pods.every(model):
        if found.unit.atomicity is Atomicity.FLUX:
            for part, index, container in found.containers():
                _probes(found, container, (part, index), graph)
                for path, value in _amounts(container, (part, index, "resources")):
                    _amount(found.manifest, (*found.path, "spec", *path), value, graph)
    for member, unit in model.objects("PersistentVolumeClaim"):
        if unit.atomicity is Atomicity.FLUX:
            for path, value in _amounts(member.mapping("spec"), ("spec", "resources")):
                _amount(member, path, value, graph)


def _probes(found: pods.Pods, container: Mapping[str, Any], path: _Path, graph: Graph) -> None:
    declared = container.get("ports")
    ports = [port for port in (declared if isinstance(declared, list) else ()) if isinstance(port, Mapping)]
    names = [str(port["name"]) for port in ports if port.get("name")]
    for probe in _PROBES:
        for ask in _ASKS:
            asked = _mapping(_mapping(container, probe), ask).get("port")
            if isinstance(asked, str) and asked and not asked.isdigit() and asked not in names and "${" not in asked:
                words = f"the {probe} of container {container.get('name')} asks for port {asked}, which the container does not have"
                graph.remark(
                    "probe-port", found.place(*path, probe, ask, "port"), f"{found.manifest.thing().label}: {words}",
                    found.manifest.thing(), there=", ".join(names),
                )  # fmt: skip


def _amounts(holder: Mapping[str, Any], path: _Path) -> Iterator[tuple[_Path, str]]:
    for kind in ("requests", "limits"):
        for what, value in _mapping(_mapping(holder, "resources"), kind).items():
            if isinstance(value, str):
                yield (*path, kind, str(what)), value


def _amount(member: Manifest, path: _Path, value: str, graph: Graph) -> None:
    """Thousandths of a byte, or processors by the mebi."""
    what = path[-1]
    if what in _BYTES and value[-1:] == "m" and value[:-1].isdigit() and int(value[:-1]) < _LEAST:
        words, instead = "thousandths of a byte", f"{value[:-1]}Mi"
    elif what == "cpu" and value.endswith(_BINARY):
        words, instead = "millions of processors", f"{value[:-2]}m"
    else:
        return
    told = f"{member.thing().label} asks for {what} {value}: that is {words}"
    graph.remark(
        "amount", member.place(*path), told, member.thing(), instead=instead, limit="yes" if "limits" in path else ""
    )


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}
