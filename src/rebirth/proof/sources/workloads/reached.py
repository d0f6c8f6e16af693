"""Ways to a pod that lead nowhere: a Service that selects no pod or a port that no container has, an Ingress or route to a Service
or port that is not there.

The API server takes all of these, and Flux calls them Ready: nobody says a word, and the application does not answer.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods, selectors
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.things import Atomicity

_Path = tuple[str | int, ...]
# Services that Kubernetes and Flux bring along.
_BROUGHT = {
    ("default", "kubernetes"), ("kube-system", "kube-dns"), ("flux-system", "webhook-receiver"), ("flux-system", "notification-controller"),
    ("flux-system", "source-controller"),
}  # fmt: skip
_NO_OPERATOR = (
    "k8s.io",
    "fluxcd.io",
    "cert-manager.io",
    "external-secrets.io",
)  # groups whose objects become no Services
_ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute")


def read(model: Model, graph: Graph) -> None:
    around: dict[str, list[pods.Pods]] = defaultdict(list)
    for found in pods.every(model):
        around[found.namespace].append(found)
    for member, unit in model.objects("Service"):
        if unit.atomicity is Atomicity.FLUX and not member.group:
            _service(member, unit, around[member.namespace], graph)
    for member, unit in model.objects("Ingress", *_ROUTES):
        if unit.atomicity is Atomicity.FLUX:
            for name, space, port, path in _backends(member):
                _backend(model, member, (name, space, port), path, graph)
    for found in pods.every(model):
        if found.replicas and found.unit.atomicity is Atomicity.FLUX:
            _asked(model, found, graph)


# -- Services


def _service(member: Manifest, unit: Unit, around: list[pods.Pods], graph: Graph) -> None:
    selector = member.mapping("spec", "selector")
    if not selector or _has_variables(selector):
        return
    behind = [found for found in around if selectors.has(selector, found.labels)]
    if behind:
        for number, port in enumerate(member.items("spec", "ports")):
            target = port.get("targetPort") if isinstance(port, Mapping) else None
            if isinstance(target, str) and target and "${" not in target and not any(map(str.isdigit, target[:1])):
                _target(member, behind, target, number, graph)
        return
    # Pods of a chart or an operator may be meant: only where a workload beside it seems to be, something is said.
    near = next((found for found in around if found.unit is unit and _is_near(member, selector, found)), None)
    if near is not None:
        place = member.place("spec", "selector", next(iter(selector)))
        words = f"{member.thing().label} selects {_listed(selector)}, and no pod has that"
        graph.remark(
            "selects-nothing", place, words, member.thing(), near=near.manifest.thing().label, labels=_listed(near.labels)
        )  # fmt: skip


def _is_near(member: Manifest, selector: Mapping[str, Any], found: pods.Pods) -> bool:
    """Whether the workload is of the Service's name, or has a label of it with another value."""
    return bool(found.labels) and (found.manifest.name == member.name or bool(selector.keys() & found.labels.keys()))


def _target(member: Manifest, behind: list[pods.Pods], target: str, number: int, graph: Graph) -> None:
    names = sorted({name for found in behind for name in ports_of(found)})
    if target not in names:
        place = member.place("spec", "ports", number, "targetPort")
        words = f"{member.thing().label} leads to the port {target}, and no container behind it has a port of that name"
        graph.remark("no-such-port", place, words, member.thing(), there=", ".join(names))


def ports_of(found: pods.Pods) -> Iterator[str]:
    """The names of the ports that containers declare."""
    for _, _, container in found.containers():
        declared = container.get("ports")
        for port in declared if isinstance(declared, list) else ():
            if isinstance(port, Mapping) and port.get("name"):
                yield str(port["name"])


# -- Ingresses and routes


def _backends(member: Manifest) -> Iterator[tuple[str, str, object, _Path]]:
    """Name and namespace of each Service that it leads to, the port (a number, or a name), and where that stands."""
    for number, _ in enumerate(member.items("spec", "rules")):
        for index, _ in enumerate(member.items("spec", "rules", number, "http", "paths")):
            path: _Path = ("spec", "rules", number, "http", "paths", index, "backend", "service")
            service = member.mapping(*path)
            port = service.get("port")
            wanted = (port.get("number") or port.get("name")) if isinstance(port, Mapping) else None
            yield str(service.get("name") or ""), member.namespace, wanted, path
        for index, one in enumerate(member.items("spec", "rules", number, "backendRefs")):
            if isinstance(one, Mapping) and str(one.get("kind") or "Service") == "Service":
                space = str(one.get("namespace") or member.namespace)
                yield (
                    str(one.get("name") or ""),
                    space,
                    one.get("port"),
                    ("spec", "rules", number, "backendRefs", index),
                )


def _backend(model: Model, member: Manifest, wanted: tuple[str, str, object], path: _Path, graph: Graph) -> None:
    name, space, port = wanted
    if not name or "${" in name + space or (space, name) in _BROUGHT:
        return
    label, found = member.thing().label, model.find("Service", space, name)
    if not found:
        around = [one for one, _ in model.objects() if one.namespace == space]
        words = f"{label} leads to Service {space}/{name}, which nothing makes"
        graph.remark(
            "no-such-service", member.place(*path, "name"), words, member.thing(), name=name, namespace=space,
            there=", ".join(sorted({one.name for one in around if one.kind == "Service" and not one.group})),
            operators="yes" if any(map(_may_become_a_service, around)) else "",
        )  # fmt: skip
        return
    there = [
        str(one[key])
        for service, unit in found
        for one in service.items("spec", "ports")
        if isinstance(one, Mapping) and unit.known
        for key in ("port", "name")
        if one.get(key)
    ]
    if port is not None and there and str(port) not in there and "${" not in f"{port}{there}":
        inside = () if member.kind != "Ingress" else ("number",) if isinstance(port, int) else ("name",)
        words = f"{label} leads to port {port} of Service {space}/{name}, which has no such port"
        place = member.place(*path, "port", *inside)
        graph.remark("no-such-port", place, words, member.thing(), there=", ".join(dict.fromkeys(there)))


# -- addresses in what containers are told

_ADDRESS = re.compile(r"(?<![\w.-])([a-z][a-z0-9-]*)\.([a-z][a-z0-9-]*)\.svc(?:\.cluster\.local)?(?::(\d+))?(?![\w.-])")


def _asked(model: Model, found: pods.Pods, graph: Graph) -> None:
    """Services that variables, arguments and commands name in full."""
    told: set[tuple[str, str, str]] = set()
    for path, text in _strings(found):
        for name, space, port in _ADDRESS.findall(text):
            if (name, space, port) in told or (space, name) in _BROUGHT or not model.find("Namespace", "", space):
                continue
            told.add((name, space, port))
            _address(model, found, (name, space, port), path, graph)


def _address(model: Model, found: pods.Pods, wanted: tuple[str, str, str], path: _Path, graph: Graph) -> None:
    name, space, port = wanted
    services = model.find("Service", space, name)
    if not services:
        operators = any(_may_become_a_service(one) for one, _ in model.objects() if one.namespace == space)
        words = f"{found.manifest.thing().label} asks Service {space}/{name}, which nothing makes"
        graph.remark(
            "no-such-service", found.place(*path), words, found.manifest.thing(), name=name, namespace=space,
            there="", operators="yes" if operators else "",
        )  # fmt: skip
        return
    listed = [
        str(one.get("port"))
        for service, unit in services
        if unit.known and service.at("spec", "clusterIP") != "None"
        for one in service.items("spec", "ports")
        if isinstance(one, Mapping)
    ]
    if port and listed and port not in listed and "${" not in "".join(listed):
        words = f"{found.manifest.thing().label} asks port {port} of Service {space}/{name}, which has no such port"
        there = ", ".join(dict.fromkeys(listed))
        graph.remark("no-such-port", found.place(*path), words, found.manifest.thing(), there=there)


def _strings(found: pods.Pods) -> Iterator[tuple[_Path, str]]:
    """The texts with which containers are started, and where each stands in the pods' spec."""
    for part, index, container in found.containers():
        for field in ("command", "args"):
            for number, text in enumerate(_list(container.get(field))):
                yield (part, index, field, number), str(text)
        for number, entry in enumerate(_list(container.get("env"))):
            if isinstance(entry, Mapping) and isinstance(entry.get("value"), str):
                yield (part, index, "env", number, "value"), entry["value"]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _may_become_a_service(member: Manifest) -> bool:
    """Whether an operator may make a Service of it: it is a custom resource."""
    return "." in member.group and not member.group.endswith(_NO_OPERATOR)


def _listed(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in labels.items())


def _has_variables(labels: Mapping[str, Any]) -> bool:
    return any("${" in f"{key}{value}" for key, value in labels.items())
