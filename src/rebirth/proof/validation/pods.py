"""A pod, in whatever object it is described (ValidatePodSpec of Kubernetes 1.35)."""

import ipaddress
import re
from collections.abc import Iterator

from rebirth.proof.validation.containers import containers, profiles
from rebirth.proof.validation.labels import labels
from rebirth.proof.validation.scheduling import scheduling
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    choice,
    count,
    entries,
    has,
    inner,
    is_known,
    label_of_dns,
    needs,
    needs_entry,
    number,
    shown,
    subdomain,
    text,
    texts,
    within,
)
from rebirth.proof.validation.volumes import volumes
from rebirth.proof.words import SUBDOMAIN

_MOST = 2**31 - 1
_SEARCH = re.compile(r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*")
_SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")


def template(owner: Fields, path: Path) -> Iterator[Refusal]:
    """The pods that an object makes: `path` leads to `spec.template`."""
    metadata = inner(owner, "metadata")
    if path[-3:-2] == ("jobTemplate",):
        yield from labels(metadata, (*path, "metadata"), "labels")  # of others they are looked at with names
    yield from pod_spec(inner(owner, "spec"), (*path, "spec"))


def pod_spec(pod: Fields, path: Path) -> Iterator[Refusal]:
    if pod.get("containers") == []:
        yield from needs_entry(pod, path, "containers")
    yield from containers(pod, path)
    yield from volumes(pod, path)
    yield from scheduling(pod, path)
    yield from _network(pod, path)
    if "securityContext" in pod:
        yield from _security(pod, path)
    yield from subdomain(pod, path, "serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName")
    yield from label_of_dns(pod, path, "hostname", "subdomain")
    yield from within(pod, path, 1, _MOST, "activeDeadlineSeconds")
    yield from choice(pod, path, "preemptionPolicy", "Never", "PreemptLowerPriority")


def own_pod(pod: Fields, path: Path) -> Iterator[Refusal]:
    """A Pod as an object of its own."""
    yield from pod_spec(pod, path)
    for part in ("containers", "initContainers"):
        for index, container in entries(pod, part):
            image = text(container, "image")
            if image != image.strip():
                yield Refusal((*path, part, index, "image"), "may not begin or end with a space")


def restarts(pod: Fields, path: Path, *policies: str) -> Iterator[Refusal]:
    """What whoever runs the pods takes for a restartPolicy; Always is what a pod has that says nothing."""
    policy = pod.get("restartPolicy") or "Always"
    if isinstance(policy, str) and is_known(policy) and policy not in policies:
        said = f"is {policy}" if has(pod, "restartPolicy") else "is missing, which means Always,"
        yield Refusal((*path, "restartPolicy"), f"{said} and must be {' or '.join(policies)}")


def never_ends(pod: Fields, path: Path) -> Iterator[Refusal]:
    """Of pods that are to run for good."""
    yield from restarts(pod, path, "Always")
    if has(pod, "activeDeadlineSeconds"):
        yield Refusal((*path, "activeDeadlineSeconds"), "may not be there: these pods run for good")


def _network(pod: Fields, path: Path) -> Iterator[Refusal]:
    yield from _dns(pod, path)
    for index, alias in entries(pod, "hostAliases"):
        where = (*path, "hostAliases", index)
        yield from needs(alias, where, "ip")
        if address := text(alias, "ip"):
            yield from is_address(address, (*where, "ip"))
        for at, name in texts(alias, "hostnames"):
            if not SUBDOMAIN.fullmatch(name):
                yield Refusal((*where, "hostnames", at), f"is {shown(name)} and must be a name of DNS in lower case")
    if pod.get("hostNetwork") is True:
        yield from _on_the_host(pod, path)
    if pod.get("hostUsers") is False:
        for field in ("hostPID", "hostIPC"):
            if pod.get(field) is True:
                yield Refusal((*path, field), "is true beside `hostUsers: false`")


def _dns(pod: Fields, path: Path) -> Iterator[Refusal]:
    config, where = inner(pod, "dnsConfig"), (*path, "dnsConfig")
    if text(pod, "dnsPolicy") == "None" and not count(config, "nameservers") and is_known(config.get("nameservers")):
        yield Refusal((*where, "nameservers"), "has no entry, and `dnsPolicy: None` needs one")
    if count(config, "nameservers") > 3:
        yield Refusal((*where, "nameservers"), f"has {count(config, 'nameservers')} entries and may have 3")
    for index, address in texts(config, "nameservers"):
        yield from is_address(address, (*where, "nameservers", index))
    for index, name in texts(config, "searches"):
        if name != "." and not _SEARCH.fullmatch(name.removesuffix(".")):
            yield Refusal((*where, "searches", index), f"is {shown(name)} and must be a name of DNS in lower case")
    for index, option in entries(config, "options"):
        yield from needs(option, (*where, "options", index), "name")


def _on_the_host(pod: Fields, path: Path) -> Iterator[Refusal]:
    for index, container in entries(pod, "containers"):
        for at, port in entries(container, "ports"):
            host, inside = number(port, "hostPort"), number(port, "containerPort")
            if host and inside and host != inside:
                words = f"is {host} and must be the containerPort, {inside}, as hostNetwork is true"
                yield Refusal((*path, "containers", index, "ports", at, "hostPort"), words)


def is_address(value: str, path: Path) -> Iterator[Refusal]:
    try:
        # Go takes leading zeros, and Python does not.
        ipaddress.ip_address(re.sub(r"(?<![0-9a-fA-F:])0+(?=\d)", "", value))
    except ValueError:
        yield Refusal(path, f"is {shown(value)} and must be an IP address")


def _security(pod: Fields, path: Path) -> Iterator[Refusal]:
    found, where = inner(pod, "securityContext"), (*path, "securityContext")
    yield from within(found, where, 0, _MOST, "runAsUser", "runAsGroup", "fsGroup")
    groups = found.get("supplementalGroups")
    for index, group in enumerate(groups if isinstance(groups, list) else ()):
        if type(group) is int and not 0 <= group <= _MOST:
            yield Refusal((*where, "supplementalGroups", index), f"is {group} and must be from 0 to {_MOST}")
    yield from choice(found, where, "fsGroupChangePolicy", "OnRootMismatch", "Always")
    yield from choice(found, where, "supplementalGroupsPolicy", "Merge", "Strict")
    yield from profiles(found, where)
    if pod.get("shareProcessNamespace") is True and pod.get("hostPID") is True:
        yield Refusal((*path, "shareProcessNamespace"), "is true beside `hostPID: true`")
    seen: set[str] = set()
    for index, entry in entries(found, "sysctls"):
        yield from needs(entry, (*where, "sysctls", index), "name")
        name = text(entry, "name")
        if name and (name in seen or not _SYSCTL.fullmatch(name)):
            words = "which is there twice" if name in seen else "which is no name of a sysctl"
            yield Refusal((*where, "sysctls", index, "name"), f"is {shown(name)}, {words}")
        elif name.startswith("net.") and pod.get("hostNetwork") is True:
            yield Refusal(
                (*where, "sysctls", index, "name"), f"is {shown(name)}, which may not be set beside `hostNetwork: true`"
            )
        seen.add(name)
