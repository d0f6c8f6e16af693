"""Workloads and the Services before them: what pods need to be ready, and who stands behind a Service."""

from collections import defaultdict
from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods, selectors
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.sources import hosts, meeting
from rebirth.proof.things import Milestone, Need, Scope, Strength, Thing

_RUNNING = Scope.FIRST_BOOT | Scope.COLD_RESTART
_FIRST_BACKOFF, _LONGEST_BACKOFF = 10.0, 360.0  # seconds between a Job's pods: doubled each time


def serves(namespace: str, name: str) -> Thing:
    return thing("Service", namespace, name, Milestone.SERVES)


def read(model: Model, graph: Graph) -> None:
    by_namespace: dict[str, list[pods.Pods]] = defaultdict(list)
    for found in pods.every(model):
        by_namespace[found.namespace].append(found)
        _pods(model, found, graph)
    for member, unit in model.objects("Service"):
        if not member.group:
            _service(member, unit, by_namespace[member.namespace], graph)


def patience(manifest: Manifest) -> float | None:
    """How long a Job tries, in seconds; None: forever."""
    if manifest.kind != "Job":
        return None
    deadline = manifest.at("spec", "activeDeadlineSeconds")
    limit = manifest.at("spec", "backoffLimit", default=6)
    tries = limit if isinstance(limit, int) else 6
    whole: float = sum(min(_FIRST_BACKOFF * 2**count, _LONGEST_BACKOFF) for count in range(min(tries, 1000)))
    return min(whole, float(deadline)) if isinstance(deadline, int) else whole


# -- pods


def _pods(model: Model, found: pods.Pods, graph: Graph) -> None:
    manifest = found.manifest
    graph.where.setdefault(found.thing, manifest.place("metadata", "name"))
    graph.needs(found.thing, manifest.thing(), Need.APPLIED_BY, manifest.place("metadata", "name"))
    name = str(found.spec.get("serviceAccountName") or found.spec.get("serviceAccount") or "default")
    account = meeting.account(graph, found.namespace, name)
    if found.namespace and not (name == "default" and not graph.makers(account)):
        field = "serviceAccountName" if "serviceAccountName" in found.spec else "serviceAccount"
        place = found.place(field) if name != "default" else manifest.place("metadata", "namespace")
        graph.needs(found.thing, account, Need.ACCOUNT, place)
    if not found.replicas:
        return
    for host, place_path, words, by_name in _waited_for(found):
        for service in _services(model, graph, found.namespace, host):
            place = found.place(*place_path)
            enough = by_name and _has_address(model, service)
            needed = service._replace(milestone=Milestone.EXISTS) if enough else service
            graph.needs(found.thing, needed, Need.SERVICE, place, words, scope=_RUNNING)
    if manifest.kind == "Job":
        _job(model, found, graph)


def _waited_for(found: pods.Pods) -> Iterator[tuple[str, tuple[str | int, ...], str, bool]]:
    """Hosts that an init container waits for: host, path in the pod's spec, words, whether it only asks for the name."""
    for part, index, container in found.containers():
        if part != "initContainers":
            continue
        for asked in hosts.waited_for(container):
            yield (
                asked.host,
                (part, index),
                f"init container {container.get('name')} waits for {asked.host}",
                asked.by_name,
            )


def _has_address(model: Model, service: Thing) -> bool:
    """Whether the Service has an address of its own: then its name resolves as soon as it exists."""
    found = [member for member, _ in model.find("Service", service.namespace, service.name)]
    return bool(found) and all(member.at("spec", "clusterIP") != "None" for member in found)


def _job(model: Model, found: pods.Pods, graph: Graph) -> None:
    """Services that a Job's containers talk to: it gives up if they come too late."""
    limit = patience(found.manifest)
    waits = {service for host, *_ in _waited_for(found) for service in _services(model, graph, found.namespace, host)}
    for part, index, container in found.containers(init=False):
        for host in hosts.talked_to(container):
            for service in set(_services(model, graph, found.namespace, host)) - waits:
                graph.needs(
                    found.thing, service, Need.SERVICE, found.place(part, index), f"its containers talk to {host}",
                    strength=Strength.BOUNDED, patience=limit,
                )  # fmt: skip


def _services(model: Model, graph: Graph, namespace: str, host: str) -> Iterator[Thing]:
    """The Service that a host means, where it is known: a bare name is looked for beside the pod."""
    name, *rest = host.split(".")
    if len(rest) > 1 and rest[1] != "svc":
        return  # a name of the world outside
    space = rest[0] if rest else namespace
    found = serves(space, name)
    if model.find("Service", space, name) or found in graph.edges or thing("Service", space, name) in graph.made:
        yield found


# -- Services


def _is_an_operators(label: str) -> bool:
    """Whether pods with that label may be made by an operator, which no file tells."""
    return "/" in label and not label.startswith("app.kubernetes.io/")


def _service(member: Manifest, unit: Unit, around: list[pods.Pods], graph: Graph) -> None:
    serving, place = serves(member.namespace, member.name), member.place("metadata", "name")
    graph.needs(serving, member.thing(), Need.APPLIED_BY, place)
    ready = member.thing(Milestone.READY)
    graph.needs(ready, member.thing(), Need.APPLIED_BY, place)
    if member.at("spec", "type") == "ExternalName":
        return
    selector = member.mapping("spec", "selector")
    behind = [found for found in around if found.replicas and selectors.has(selector, found.labels)]
    where = member.place("spec", "selector")
    if member.at("spec", "publishNotReadyAddresses") is True:
        for found in behind:  # its addresses are those of pods that have started, Ready or not
            graph.needs(serving, found.manifest.thing(), Need.WORKLOAD, where, scope=Scope.FIRST_BOOT)
    elif len(behind) == 1:
        graph.needs(serving, behind[0].thing, Need.WORKLOAD, where, scope=_RUNNING)
    elif behind:
        one = thing("pods behind Service", member.namespace, member.name, Milestone.READY)
        graph.needs(serving, one, Need.WORKLOAD, where, scope=_RUNNING)
        for found in behind:
            graph.makes(found.thing, one, where, scope=_RUNNING)
    elif selector and not any(_is_an_operators(str(key)) for key in selector):
        one = thing("pods behind Service", member.namespace, member.name, Milestone.READY)
        graph.wanted(one)
        graph.needs(serving, one, Need.WORKLOAD, where, "no workload has these labels", scope=_RUNNING)
