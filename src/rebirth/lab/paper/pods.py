"""A pod of the castle as the lab runs it: a container whose image is not there becomes a stub in the same place.

What the kubelet looks at before it starts a container stays: volumes of Secrets, ConfigMaps and claims, the environment,
service account, node selection. What is missing of that is reported by the real kubelet, in its words.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]

MARK = "rebirth.dev/on-paper"  # an annotation: which containers are stubs for which images; a label, too, to select by
STUB = "rebirth.lab/paper:1"
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_PERIOD = 2  # seconds, at most, between two probes of a stub, which is there at once or never
# What a stub has no use for, and what would keep it from running here. `resources`: it takes none.
_DROPPED = {
    "command",
    "args",
    "image",
    "imagePullPolicy",
    "workingDir",
    "lifecycle",
    "resources",
    "resizePolicy",
    "securityContext",
    *_PROBES,
}
_OF_THE_KERNEL = {"appArmorProfile", "seLinuxOptions", "windowsOptions", "procMount"}  # of which machines have others
_COUNTED = ("cpu", "memory")  # resources that a quota may ask for; all others name something that a machine has
_HOSTS_OWN = (
    "hostPath",
    "csi",
    "image",
)  # volumes of hardware, drivers and images, which a lab's machine does not have
_OF_THE_IMAGE = ("runtimeClassName", "overhead", "schedulerName", "hostUsers")  # what would run it, if it were there
_PRIVILEGED = 1024  # ports below are root's on the machine's own network


def on_paper(
    pod: Object, replaced: Callable[[str], bool], services: Iterable[Object] = (), told: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """The JSON patch that puts the stub in the place of each container whose image is `replaced`; empty where none is.

    `services` are those of the pod's namespace; `told` are more arguments of every stub.
    """
    spec = pod["spec"]
    at = [(part, number) for part in ("initContainers", "containers") for number, _ in enumerate(spec.get(part) or ())]
    stubs = [(part, number) for part, number in at if _is_replaced(spec[part][number], replaced)]
    if not stubs:
        return []
    whole = all(place in stubs or spec[place[0]][place[1]]["image"] == STUB for place in at)
    once = spec.get("restartPolicy", "Always") != "Always"
    undeclared = _undeclared(pod, services) if whole else set()
    patch = []
    for part, number in stubs:
        container = spec[part][number]
        ends = once if part == "containers" else container.get("restartPolicy") != "Always"
        ports = set() if ends else _ports(container) | (undeclared if (part, number) == ("containers", 0) else set())
        stub = _stub(container, [*told, "--exit"] if ends else told, ports)
        if spec.get("hostNetwork") and any(port < _PRIVILEGED for port in ports):
            stub["securityContext"] = _as_root(spec, stub.get("securityContext") or {})
        patch.append({"op": "replace", "path": f"/spec/{part}/{number}", "value": stub})
    patch += _marks(pod, [spec[part][number] for part, number in stubs])
    return patch + (list(_without_the_host(spec)) if whole else [])


def marked(pod: Object) -> dict[str, str]:
    """Container -> the image that it stands in for, of a pod as the cluster has it."""
    text = str(((pod.get("metadata") or {}).get("annotations") or {}).get(MARK) or "")
    return dict(pair.partition("=")[::2] for pair in text.split(",") if pair)


def selects(service: Object, pod: Object) -> bool:
    selector = (service.get("spec") or {}).get("selector") or {}
    labels = (pod.get("metadata") or {}).get("labels") or {}
    return bool(selector) and selector.items() <= labels.items()


def _is_replaced(container: Object, replaced: Callable[[str], bool]) -> bool:
    image = str(container.get("image") or "")
    return bool(image) and image != STUB and replaced(image)


def _stub(container: Object, told: Iterable[str], ports: Iterable[int]) -> dict[str, Any]:
    kept = {key: value for key, value in container.items() if key not in _DROPPED}
    probes = {name: probe for name in _PROBES if (probe := _probe(container.get(name)))}
    security = _secured(container.get("securityContext") or {})
    mounts = [
        {key: value for key, value in mount.items() if key != "mountPropagation"}
        for mount in container.get("volumeMounts") or ()
    ]
    return {
        **kept,
        **probes,
        **({"volumeMounts": mounts} if mounts else {}),
        **({"securityContext": security} if security else {}),
        **({"resources": nothing} if (nothing := _nothing(container.get("resources") or {})) else {}),
        "image": STUB,
        "imagePullPolicy": "IfNotPresent",
        "args": [f"--image={container['image']}", *told, *map(str, sorted(ports))],
    }


def _secured(context: Object) -> dict[str, Any]:
    """Without what a program of the castle's own would bring onto the machine."""
    profile = (context.get("seccompProfile") or {}).get("type")
    dropped = _OF_THE_KERNEL | ({"seccompProfile"} if profile == "Localhost" else set())
    return {key: value for key, value in context.items() if key not in dropped}


def _as_root(spec: Object, context: Object) -> dict[str, Any]:
    """Who may listen on such a port, unless the pod forbids it."""
    forbidden = {**(spec.get("securityContext") or {}), **context}.get("runAsNonRoot")
    return dict(context) if forbidden else {**context, "runAsUser": 0}


def _probe(probe: Object | None) -> dict[str, Any] | None:
    """None for what only the image's own programs could answer."""
    if not probe or "exec" in probe:
        return None
    kept = {key: value for key, value in probe.items() if key != "initialDelaySeconds"}
    return {**kept, "periodSeconds": min(probe.get("periodSeconds", _PERIOD), _PERIOD)}


def _nothing(resources: Object) -> dict[str, dict[str, str]]:
    """None of what it asks for; a quota rejects a pod that does not ask at all."""
    return {
        part: {name: "0" for name in resources[part] if name in _COUNTED}
        for part in ("limits", "requests")
        if resources.get(part)
    }


def _ports(container: Object) -> set[int]:
    """Where the container is expected to listen, by what it declares and how it is probed."""
    declared = [port for port in container.get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    names = {port["name"]: port["containerPort"] for port in declared if "name" in port}
    probes = [container.get(name) or {} for name in _PROBES]
    asked = [probe[how]["port"] for probe in probes for how in ("httpGet", "tcpSocket", "grpc") if how in probe]
    numbers = [port if isinstance(port, int) else names.get(port) for port in asked]
    return {number for number in (*(port["containerPort"] for port in declared), *numbers) if number}


def _undeclared(pod: Object, services: Iterable[Object]) -> set[int]:
    """Ports of the pod that Services lead to, and no container declares."""
    declared = {
        port["containerPort"] for container in pod["spec"]["containers"] for port in container.get("ports") or ()
    }
    wanted = {
        port.get("targetPort", port["port"])
        for service in services
        if selects(service, pod)
        for port in service["spec"].get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    }
    return {port for port in wanted if isinstance(port, int)} - declared


def _marks(pod: Object, containers: Iterable[Object]) -> Iterator[dict[str, Any]]:
    metadata = pod.get("metadata") or {}
    stubs = marked(pod) | {container["name"]: container["image"] for container in containers}
    text = ",".join(f"{name}={image}" for name, image in stubs.items())
    for part, value in (("annotations", text), ("labels", "true")):
        if metadata.get(part):
            yield {"op": "add", "path": f"/metadata/{part}/{_pointer(MARK)}", "value": value}
        else:
            yield {"op": "add", "path": f"/metadata/{part}", "value": {MARK: value}}


def _pointer(key: str) -> str:
    """As RFC 6901 writes it."""
    return key.replace("~", "~0").replace("/", "~1")


def _without_the_host(spec: Object) -> Iterator[dict[str, Any]]:
    """A pod of stubs alone needs nothing of the machine's hardware, and nothing that would run the images."""
    for number, volume in enumerate(spec.get("volumes") or ()):
        if any(kind in volume for kind in _HOSTS_OWN):
            yield {
                "op": "replace",
                "path": f"/spec/volumes/{number}",
                "value": {"name": volume["name"], "emptyDir": {}},
            }
    yield from ({"op": "remove", "path": f"/spec/{key}"} for key in _OF_THE_IMAGE if key in spec)
    if context := spec.get("securityContext"):
        yield {"op": "replace", "path": "/spec/securityContext", "value": _secured(context)}
