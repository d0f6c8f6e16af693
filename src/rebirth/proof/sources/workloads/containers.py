"""What is written in containers and cannot be done: mounts of volumes that are not there, which the API server refuses; probes of ports,
and amounts of containers, that are not there, and amounts in a unit that cannot be meant, which it takes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.reading.mentioned import as_list
from rebirth.proof.things import Atomicity

_Path = tuple[str | int, ...]
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_ASKS = ("httpGet", "tcpSocket")
_BYTES = ("memory", "storage", "ephemeral-storage")
_LEAST = (4 << 20) * 1000  # thousandths of a byte: with less no container starts (kubernetes/kubernetes#79950)
_BINARY = ("Ki", "Mi", "Gi", "Ti")


def read(model: Model, graph: Graph) -> None:
    for found in pods.every(model):
        names = [str(container.get("name")) for _, _, container in found.containers()]
        for part, index, container in found.containers():
            _amounts_of(found, container, (part, index), names, graph)
        if found.unit.atomicity is Atomicity.FLUX:
            volumes = [str(volume.get("name")) for _, volume in found.volumes()]
            volumes += [str(one.at("metadata", "name")) for one in _claims(found)]
            for part, index, container in found.containers():
                _probes(found, container, (part, index), graph)
                _mounts(found, container, (part, index), volumes, graph)
                for path, value in _amounts(container, (part, index, "resources")):
                    _amount(found.manifest, (*found.path, "spec", *path), value, graph)
    for member, unit in model.objects("PersistentVolumeClaim"):
        if unit.atomicity is Atomicity.FLUX:
            for path, value in _amounts(member.mapping("spec"), ("spec", "resources")):
                _amount(member, path, value, graph)


def _claims(found: pods.Pods) -> Iterator[Manifest]:
    """The claims that a StatefulSet makes for each of its pods: volumes by their names."""
    for entry in found.manifest.items("spec", "volumeClaimTemplates"):
        if isinstance(entry, Mapping):
            yield Manifest(entry, "", 0)


def _mounts(found: pods.Pods, container: Mapping[str, Any], path: _Path, volumes: list[str], graph: Graph) -> None:
    for field, called in (("volumeMounts", "mounts"), ("volumeDevices", "has")):
        for number, mount in enumerate(as_list(container.get(field))):
            name = mount.get("name") if isinstance(mount, Mapping) else None
            if isinstance(name, str) and name and name not in volumes and "${" not in "".join((name, *volumes)):
                words = f"container {container.get('name')} {called} the volume {name}, which the pod does not have"
                graph.remark(
                    "no-such-volume", found.place(*path, field, number, "name"), f"{found.manifest.thing().label}: {words}",
                    found.manifest.thing(), there=", ".join(volumes),
                )  # fmt: skip


def _amounts_of(found: pods.Pods, container: Mapping[str, Any], path: _Path, names: list[str], graph: Graph) -> None:
    """Variables that say how much another container may use."""
    for number, entry in enumerate(as_list(container.get("env"))):
        source = _mapping(_mapping(entry, "valueFrom"), "resourceFieldRef") if isinstance(entry, Mapping) else {}
        other = source.get("containerName")
        if isinstance(other, str) and other and other not in names and "${" not in "".join((other, *names)):
            words = f"{entry.get('name')} of container {container.get('name')} is an amount of the container {other}, which the pod does not have"
            graph.remark(
                "no-such-container", found.place(*path, "env", number, "valueFrom", "resourceFieldRef", "containerName"),
                f"{found.manifest.thing().label}: {words}", found.manifest.thing(), there=", ".join(names),
            )  # fmt: skip


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
