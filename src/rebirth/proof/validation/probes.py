"""Probes of containers, and what is run at their ends (validateProbe, validateLifecycle of Kubernetes 1.35)."""

import re
from collections.abc import Iterator

from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    at_least,
    entries,
    has,
    inner,
    is_known,
    just_one,
    needs,
    number,
    one_of,
    shown,
    text,
)

_ASKS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HEADER = re.compile(r"[-A-Za-z0-9]+")
_GRACE = 30  # seconds


def of_container(container: Fields, path: Path, pod: Fields) -> Iterator[Refusal]:
    for probe in _PROBES:
        found = container.get(probe)
        if not isinstance(found, dict):
            continue
        where = (*path, probe)
        yield from _handler(found, where, _ASKS)
        waits = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
        yield from at_least(found, where, 0, *waits)
        if probe != "readinessProbe" and (number(found, "successThreshold") or 1) > 1:
            yield Refusal((*where, "successThreshold"), f"is {found['successThreshold']} and must be 1 in a {probe}")
        if probe == "readinessProbe" and has(found, "terminationGracePeriodSeconds"):
            yield Refusal((*where, "terminationGracePeriodSeconds"), "may not be in a readinessProbe")
        else:
            yield from at_least(found, where, 1, "terminationGracePeriodSeconds")
    for moment in ("postStart", "preStop"):
        found = inner(container, "lifecycle").get(moment)
        if isinstance(found, dict):
            yield from _handler(found, (*path, "lifecycle", moment), ("exec", "httpGet", "tcpSocket", "sleep"))
            slept = number(inner(found, "sleep"), "seconds")
            grace = (
                number(pod, "terminationGracePeriodSeconds") if has(pod, "terminationGracePeriodSeconds") else _GRACE
            )
            if slept is not None and grace is not None and not 0 <= slept <= grace:
                words = f"is {slept} and must be from 0 to the pod's terminationGracePeriodSeconds, {grace}"
                yield Refusal((*path, "lifecycle", moment, "sleep", "seconds"), words)


def of_init_container(container: Fields, path: Path) -> Iterator[Refusal]:
    for field in (*_PROBES, "lifecycle"):
        if has(container, field):
            yield Refusal((*path, field), "may not be in an initContainer, unless that has `restartPolicy: Always`")


def _handler(found: Fields, path: Path, asks: tuple[str, ...]) -> Iterator[Refusal]:
    yield from just_one(found, path, asks)
    command = found.get("exec")
    if isinstance(command, dict) and not command.get("command"):
        yield Refusal((*path, "exec", "command"), "is empty")
    for ask in ("httpGet", "tcpSocket", "grpc"):
        asked = inner(found, ask)
        value = asked.get("port")
        if type(value) is int and not 1 <= value <= 65535:
            yield Refusal((*path, ask, "port"), f"is {value} and must be the number of a port, 1 to 65535")
    if isinstance(found.get("grpc"), dict):
        yield from needs(found["grpc"], (*path, "grpc"), "port")
    http = inner(found, "httpGet")
    yield from one_of(http, (*path, "httpGet"), "scheme", "HTTP", "HTTPS")
    for index, header in entries(http, "httpHeaders"):
        name = text(header, "name")
        if is_known(header.get("name")) and not _HEADER.fullmatch(name):
            yield Refusal(
                (*path, "httpGet", "httpHeaders", index, "name"), f"is {shown(name)} and must be the name of a header"
            )
