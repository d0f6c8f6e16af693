"""Secret stores of External Secrets: what each needs to be valid, and what a key of it means."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import meeting
from rebirth.proof.sources.external_secrets import GROUP, KINDS, host_of, named
from rebirth.proof.sources.meeting import runs
from rebirth.proof.things import ALWAYS, Milestone, Need, Place, Thing

# Fields of providers that hold the address of their server.
_SERVERS = (
    "server",
    "connectHost",
    "url",
    "apiUrl",
    "serverUrl",
    "bitwardenServerSDKURL",
    "akeylessGWApiURL",
    "host",
    "hostAPI",
)
_SERVICE = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?")


class Key(NamedTuple):
    """What one reference to a store means: nothing known, a path in Vault, or a Secret of this cluster."""

    things: tuple[Thing, ...]
    property: str = ""


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects(*KINDS):
        if member.group == GROUP:
            _store(member, graph)


def _store(member: Manifest, graph: Graph) -> None:
    valid = runs(member, graph)
    for name, provider in member.mapping("spec", "provider").items():
        if not isinstance(provider, Mapping):
            continue
        path = ("spec", "provider", str(name))
        _credentials(member, provider, path, valid, graph)
        _server(member, provider, path, valid, graph)


def _credentials(
    member: Manifest, provider: Mapping[str, Any], path: tuple[str, ...], valid: Thing, graph: Graph
) -> None:
    space = member.namespace
    for field, reference, inside in named(provider):
        where = str(reference.get("namespace") or "") if member.kind == "ClusterSecretStore" else space
        # Without a namespace a ClusterSecretStore looks beside each ExternalSecret.
        if where:
            _reads(
                graph,
                valid,
                meeting.secret(where, str(reference["name"])),
                reference,
                member.place(*path, *inside),
                field,
            )
    for inside in (("caProvider",), ("server", "caProvider")):
        authority = member.at(*path, *inside)
        if isinstance(authority, Mapping) and isinstance(authority.get("name"), str):
            where = str(authority.get("namespace") or space)
            made = meeting.config_map if authority.get("type") == "ConfigMap" else meeting.secret
            of = made(where, authority["name"])
            meeting.given(graph, of)
            _reads(graph, valid, of, authority, member.place(*path, *inside), "caProvider")
    for inside in (
        ("auth", "kubernetes", "serviceAccountRef"),
        ("auth", "jwt", "kubernetesServiceAccountToken", "serviceAccountRef"),
        ("auth", "serviceAccount"),
    ):
        account = member.at(*path, *inside)
        if isinstance(account, Mapping) and isinstance(account.get("name"), str):
            where = str(account.get("namespace") or "") if member.kind == "ClusterSecretStore" else space
            if where:
                of = meeting.account(graph, where, account["name"])
                graph.needs(valid, of, Need.ACCOUNT, member.place(*path, *inside))


def _reads(graph: Graph, by: Thing, of: Thing, named: Mapping[str, Any], place: Place, field: str) -> None:
    graph.wanted(of)
    graph.needs(by, of, Need.SECRET if of.kind == "Secret" else Need.CONFIG, place, field)
    if named.get("key"):
        graph.reads(by, of, str(named["key"]), place)


def _server(member: Manifest, provider: Mapping[str, Any], path: tuple[str, ...], valid: Thing, graph: Graph) -> None:
    for field in _SERVERS:
        value = provider.get(field)
        if isinstance(value, Mapping):  # the kubernetes provider: server.url
            value = value.get("url")
        host = host_of(value)
        if host:
            place = member.place(*path, field)
            graph.needs(valid, thing("name", "", host, Milestone.RESOLVES), Need.NAME, place, host, scope=ALWAYS)
            if inside := _SERVICE.fullmatch(host):
                words = f"{member.thing().label} reads from Service {inside[2]}/{inside[1]}, which nothing makes"
                graph.remark("store-of-nobody", place, words, member.thing(), name=inside[1], namespace=inside[2])
