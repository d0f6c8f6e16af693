"""Containers (pkg/apis/core/validation of Kubernetes 1.35: validateContainers, validateInitContainers)."""

import re
from collections.abc import Iterator

from rebirth.proof.validation.probes import of_container, of_init_container
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    amounts,
    at_most_one,
    choice,
    descends,
    entries,
    has,
    inner,
    is_known,
    is_qualified,
    just_one,
    needs,
    number,
    one_of,
    port,
    shown,
    steps_back,
    subdomain,
    text,
    texts,
    twice,
    within,
)

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS = frozenset({
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
})  # fmt: skip
_SUBSCRIPT = re.compile(r"metadata\.(annotations|labels)\['.*'\]")
_RESOURCES = frozenset(
    f"{part}.{name}" for part in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
)
_DIVISORS = {
    "cpu": ("1m", "1"),
    "bytes": ("1", *(f"1{unit}" for unit in ("k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))),
}
_OF_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
_KEY = re.compile(r"(?!\.\.)(?!\.$)[-._A-Za-z0-9]{1,253}")
_VARIABLE = re.compile(r"[ -<>-~]+")  # since 1.32 all that can be printed, but for =
_OLDER_VARIABLE = re.compile(r"(?!\.\.)(?!\.$)[-._a-zA-Z][-._a-zA-Z0-9]*")
_NOT = (None, False)
_MOST_ID = 2**31 - 1


def containers(pod: Fields, path: Path) -> Iterator[Refusal]:
    """All of a pod."""
    yield from _host_ports(pod, path)
    seen: set[str] = set()
    for part in ("containers", "initContainers"):  # in the order in which names are compared
        for index, container in entries(pod, part):
            where = (*path, part, index)
            name = text(container, "name")
            if name in seen:
                yield Refusal((*where, "name"), f"is {name}, which another container of the pod has, too")
            seen |= {name} - {""}
            yield from _container(container, where)
            always = part == "containers" or text(container, "restartPolicy") == "Always"
            yield from of_container(container, where, pod) if always else of_init_container(container, where)


def _container(container: Fields, path: Path) -> Iterator[Refusal]:
    yield from _ports(container, path)
    yield from _environment(container, path)
    yield from _mounts(container, path)
    yield from one_of(container, path, "terminationMessagePolicy", "File", "FallbackToLogsOnError")
    if "resources" in container:
        yield from resources(inner(container, "resources"), (*path, "resources"))
    if "securityContext" in container:
        yield from _security(inner(container, "securityContext"), (*path, "securityContext"))


def _ports(container: Fields, path: Path) -> Iterator[Refusal]:
    yield from twice(container, path, "ports", "name", "port of the container")
    for index, entry in entries(container, "ports"):
        where = (*path, "ports", index)
        yield from port(entry, where, "containerPort")
        yield from port(entry, where, "hostPort")
        if number(entry, "containerPort") == 0:
            yield Refusal((*where, "containerPort"), "is 0 and must be the number of a port, 1 to 65535")


def _host_ports(pod: Fields, path: Path) -> Iterator[Refusal]:
    """Ports of the node that are asked for twice at once: initContainers come one after another."""
    seen: set[tuple[str, str, int]] = set()
    for index, container in entries(pod, "containers"):
        for at, entry in entries(container, "ports"):
            host = number(entry, "hostPort") or (
                number(entry, "containerPort") if pod.get("hostNetwork") is True else 0
            )
            key = (text(entry, "protocol") or "TCP", text(entry, "hostIP"), host or 0)
            if host and key in seen:
                field = "hostPort" if number(entry, "hostPort") else "containerPort"
                yield Refusal(
                    (*path, "containers", index, "ports", at, field),
                    f"is {host}, which the pod has on its node already",
                )
            seen.add(key)


def _environment(container: Fields, path: Path) -> Iterator[Refusal]:
    for index, entry in entries(container, "env"):
        yield from _name(entry, (*path, "env", index), "name")
        source = entry.get("valueFrom")
        if source is None or not isinstance(source, dict):
            continue
        where = (*path, "env", index, "valueFrom")
        if has(entry, "value") and source:
            yield Refusal(where, "is there beside value, and only one of them may be")
        yield from just_one(source, where, _SOURCES)
        for field in ("configMapKeyRef", "secretKeyRef"):
            if field in source:
                yield from key_of(inner(source, field), (*where, field))
        yield from field_of(inner(source, "fieldRef"), (*where, "fieldRef"), _FIELDS)
        yield from resource_of(inner(source, "resourceFieldRef"), (*where, "resourceFieldRef"))
    for index, entry in entries(container, "envFrom"):
        where = (*path, "envFrom", index)
        yield from _name(entry, where, "prefix")
        yield from just_one(entry, where, ("configMapRef", "secretRef"))
        for field in ("configMapRef", "secretRef"):
            if isinstance(entry.get(field), dict):
                yield from named(entry[field], (*where, field))


def _name(entry: Fields, path: Path, key: str) -> Iterator[Refusal]:
    name = text(entry, key)
    if name and not _VARIABLE.fullmatch(name):
        yield Refusal(
            (*path, key), f"is {shown(name)}, and the name of a variable has no =, and nothing that cannot be printed"
        )
    elif name and not _OLDER_VARIABLE.fullmatch(name):
        words = f"is {shown(name)}; the name of a variable has letters, digits, _, - and ., and begins with no digit"
        yield Refusal((*path, key), words, unless="the cluster's Kubernetes is 1.32 or newer")


def named(source: Fields, path: Path) -> Iterator[Refusal]:
    """A Secret or ConfigMap that has to be named."""
    yield from needs(source, path, "name")
    yield from subdomain(source, path, "name")


def key_of(source: Fields, path: Path) -> Iterator[Refusal]:
    """One key of a Secret or ConfigMap."""
    yield from named(source, path)
    key = text(source, "key")
    if key and not _KEY.fullmatch(key):
        yield Refusal((*path, "key"), f"is {shown(key)}, and a key has letters, digits, -, _ and . alone")


def field_of(source: Fields, path: Path, known: frozenset[str]) -> Iterator[Refusal]:
    """A field of the pod itself."""
    field = text(source, "fieldPath")
    if field and field not in known and not _SUBSCRIPT.fullmatch(field):
        listed = ", ".join(sorted(known))
        yield Refusal((*path, "fieldPath"), f"is {shown(field)} and must be one of {listed}, or metadata.labels['...']")


def resource_of(source: Fields, path: Path) -> Iterator[Refusal]:
    what = text(source, "resource")
    if source:
        yield from needs(source, path, "resource")
    divisor = str(source.get("divisor") or "")
    wanted = _DIVISORS["cpu" if what.endswith(".cpu") else "bytes"]
    if what in _RESOURCES and divisor not in {"", "0"} and is_known(divisor) and divisor not in wanted:
        yield Refusal((*path, "divisor"), f"is {shown(divisor)} and must be one of {', '.join(wanted)}")
    if what and what not in _RESOURCES and not what.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield Refusal((*path, "resource"), f"is {shown(what)} and must be one of {', '.join(sorted(_RESOURCES))}")


def _mounts(container: Fields, path: Path) -> Iterator[Refusal]:
    devices = {text(entry, "name"): text(entry, "devicePath") for _, entry in entries(container, "volumeDevices")}
    seen: set[str] = set()
    for index, mount in entries(container, "volumeMounts"):
        where = (*path, "volumeMounts", index)
        name, at = text(mount, "name"), text(mount, "mountPath")
        if at and at in seen:
            yield Refusal(
                (*where, "mountPath"), f"is {shown(at)}, where another volume of the container is mounted, too"
            )
        seen |= {at} - {""}
        if name and name in devices:
            yield Refusal((*where, "name"), f"is {name}, which is among the container's volumeDevices, too")
        yield from descends(mount, where, "subPath")
        yield from descends(mount, where, "subPathExpr")
        yield from at_most_one(mount, where, ("subPath", "subPathExpr"))
        propagation = text(mount, "mountPropagation")
        yield from choice(mount, where, "mountPropagation", "None", "HostToContainer", "Bidirectional")
        if propagation == "Bidirectional" and inner(container, "securityContext").get("privileged") in _NOT:
            yield Refusal((*where, "mountPropagation"), "is Bidirectional, which only a privileged container may have")
        yield from choice(mount, where, "recursiveReadOnly", "Disabled", "IfPossible", "Enabled")
        if text(mount, "recursiveReadOnly") in {"Enabled", "IfPossible"} and mount.get("readOnly") in _NOT:
            yield Refusal((*where, "recursiveReadOnly"), "is there without `readOnly: true`")
    for field in ("name", "devicePath"):
        yield from twice(container, path, "volumeDevices", field, "device of the container")
    for index, device in entries(container, "volumeDevices"):
        yield from needs(device, (*path, "volumeDevices", index), "name", "devicePath")
        yield from steps_back(device, (*path, "volumeDevices", index), "devicePath")


def resources(found: Fields, path: Path) -> Iterator[Refusal]:
    """Requests and limits of one container."""
    limits = dict(amounts(found, "limits"))
    written = inner(found, "limits")
    for part in ("limits", "requests"):
        for name, value in amounts(found, part):
            where = (*path, part, name)
            yield from _resource(name, where)
            if value < 0:
                yield Refusal(where, f"is {value} and must be at least 0")
            elif _is_extended(name) and value % 1:
                yield Refusal(where, f"is {shown(inner(found, part)[name])}, and of {name} there are whole ones alone")
            elif part == "requests" and name in limits and value > limits[name]:
                more = f"is {shown(inner(found, part)[name])}, which is more than the limit, {shown(written[name])}"
                yield Refusal(where, more)
            elif part == "requests" and name in limits and _is_whole(name) and value != limits[name]:
                yield Refusal(where, f"is {shown(inner(found, part)[name])}, and the limit of {name} must be the same")
            elif part == "requests" and name not in written and _is_whole(name) and "limits" not in _open(found):
                yield Refusal(where, f"is there without a limit, and {name} needs one")


def _open(found: Fields) -> set[str]:
    """Parts of which not all is known."""
    return {part for part in ("limits", "requests") if not is_known(found.get(part))}


def _is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name


def _is_whole(name: str) -> bool:
    """Whether as much is requested of it as may be used."""
    return _is_extended(name) or name.startswith("hugepages-")


def _resource(name: str, path: Path) -> Iterator[Refusal]:
    if "/" not in name:
        if name not in _OF_CONTAINERS and not name.startswith("hugepages-"):
            yield Refusal(
                path,
                f"is no resource of a container: they are {', '.join(sorted(_OF_CONTAINERS))}, and what has a domain",
            )
    elif not is_qualified(name) or (_is_extended(name) and name.startswith("requests.")):
        yield Refusal(path, "is no name of a resource")


def _security(found: Fields, path: Path) -> Iterator[Refusal]:
    yield from within(found, path, 0, _MOST_ID, "runAsUser", "runAsGroup")
    yield from choice(found, path, "procMount", "Default", "Unmasked")
    yield from profiles(found, path)
    if found.get("allowPrivilegeEscalation") is False:
        if found.get("privileged") is True:
            yield Refusal((*path, "allowPrivilegeEscalation"), "is false beside `privileged: true`")
        for index, capability in texts(inner(found, "capabilities"), "add"):
            if capability == "CAP_SYS_ADMIN":
                yield Refusal(
                    (*path, "capabilities", "add", index), "is CAP_SYS_ADMIN beside `allowPrivilegeEscalation: false`"
                )


def profiles(found: Fields, path: Path) -> Iterator[Refusal]:
    """Profiles of seccomp and AppArmor, of a pod or a container."""
    for field in ("seccompProfile", "appArmorProfile"):
        profile = found.get(field)
        if not isinstance(profile, dict):
            continue
        where, kind = (*path, field), text(profile, "type")
        yield from needs(profile, where, "type")
        yield from descends(profile, where, "localhostProfile") if field == "seccompProfile" else ()
        yield from one_of(profile, where, "type", "Localhost", "RuntimeDefault", "Unconfined")
        own = profile.get("localhostProfile")
        if kind == "Localhost" and (own is None or (own == "" and field == "appArmorProfile")):
            yield Refusal((*where, "localhostProfile"), "is missing beside `type: Localhost`")
        elif kind in {"RuntimeDefault", "Unconfined"} and own is not None:
            yield Refusal((*where, "localhostProfile"), f"is there beside `type: {kind}`; only Localhost has one")
