"""The names that machines' certificates hold, and the names by which somebody reaches the Kubernetes API.

Two certificates, two lists: `cluster.apiServer.certSANs` is for the Kubernetes API (port 6443), `machine.certSANs` for Talos'
own (port 50000). Into the first Talos itself puts the endpoint's host, the machine's name and addresses, and the names of the
Service `kubernetes`.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rebirth.addresses import host_of
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.reading.talos import KUBERNETES_PORT, TALOS_PORT, Merged
from rebirth.proof.sources.meeting import api
from rebirth.proof.things import Milestone, Need, Place, Thing

if TYPE_CHECKING:
    from rebirth.castle import Castle

CERTIFICATE = "certificate for"
_URL = re.compile(rf"https://([A-Za-z0-9.-]+):{KUBERNETES_PORT}\b")
_OWN = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def certificate(host: str, port: int) -> Thing:
    """A certificate that holds this name is shown on this port."""
    return thing(CERTIFICATE, "", f"{host}:{port}", Milestone.EXISTS)


def read(model: Model, graph: Graph) -> None:
    if model.castle is None or not model.machines:
        return
    held = dict(_held(model, model.castle))
    wrong = {
        name.value: name.place
        for machine in model.machines
        for name in Merged(machine.patches).items("machine", "certSANs")
    }
    for by, host, place in _used(model, model.castle):
        if _is_address(host):
            continue
        needed = certificate(host, KUBERNETES_PORT)
        graph.wanted(needed)
        graph.needs(by, needed, Need.CERTIFICATE, place, f"reaches {host}:{KUBERNETES_PORT}")
        if where := _covering(held, host):
            graph.given(needed, "in the list of the API server's certificate", where)
        elif (other := wrong.get(host)) is not None:
            there = certificate(host, TALOS_PORT)
            graph.given(there, "in machine.certSANs", other)
            graph.remark("name-in-the-other-list", other, host, needed)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _covering(held: Mapping[str, Place], host: str) -> Place | None:
    return held.get(host) or held.get("*" + host[host.find(".") :] if "." in host else host)


def _held(model: Model, castle: "Castle") -> Iterator[tuple[str, Place]]:
    """The names in the API server's certificate, and where each is written."""
    endpoint = model.at("kubernetes", "endpoint")
    yield host_of(castle.kubernetes.endpoint), endpoint
    for name in (*_OWN, f"kubernetes.default.svc.{castle.kubernetes.cluster_domain}"):
        yield name, endpoint
    for index, node in enumerate(castle.machines.nodes):
        yield node.name, model.at("machines", "nodes", index)
    for machine in model.machines:
        if machine.role != "worker":
            for item in Merged(machine.patches).items("cluster", "apiServer", "certSANs"):
                yield str(item.value), item.place


def _used(model: Model, castle: "Castle") -> Iterator[tuple[Thing, str, Place]]:
    """Who reaches the Kubernetes API by which name."""
    yield api(castle), host_of(castle.kubernetes.endpoint), model.at("kubernetes", "endpoint")
    account = castle.kubernetes.service_account
    if account and account.jwks_uri:
        url = urlsplit(account.jwks_uri)
        if url.port == KUBERNETES_PORT and url.hostname:
            place = model.at("kubernetes", "service_account", "jwks_uri")
            yield thing("reader of", "", "the service account keys", Milestone.READY), url.hostname, place
    for member, _ in model.objects():
        for path, text in _texts(member.data, ()):
            for host in dict.fromkeys(_URL.findall(text)):
                yield _user(member), host.lower(), member.place(*path)


def _user(member: Manifest) -> Thing:
    if member.kind in {"Secret", "ConfigMap"}:
        return thing(f"client in {member.kind}", member.namespace, member.name, Milestone.READY)
    return member.thing(Milestone.READY)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        if f":{KUBERNETES_PORT}" in value:
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
