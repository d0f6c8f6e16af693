"""Secret stores of External Secrets: what each needs to be valid, and what a key of it means."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rebirth.proof.graph import ALWAYS, Graph, Milestone, Need, Place, Thing
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.sources import config, knowledge, namespaces
from rebirth.sources.castle import vault_path

GROUP = "external-secrets.io"
KINDS = ("SecretStore", "ClusterSecretStore")
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


class Key(NamedTuple):
    """What one reference to a store means: nothing known, a path in Vault, or a Secret of this cluster."""

    things: tuple[Thing, ...]
    property: str = ""


def ready(kind: str, namespace: str, name: str) -> Thing:
    return thing(kind, "" if kind == "ClusterSecretStore" else namespace, name, Milestone.READY)


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects(*KINDS):
        if member.group == GROUP:
            _store(member, graph)


def runs(member: Manifest, graph: Graph) -> Thing:
    """`member` is Ready once it exists, and what runs its operator is."""
    done = member.thing(Milestone.READY)
    place = member.place("metadata", "name")
    graph.where.setdefault(done, place)
    graph.needs(done, member.thing(), Need.APPLIED_BY, place)
    known = knowledge.of_kind(member.group, member.kind)
    if known and graph.makers(known.thing):
        graph.needs(done, known.thing, Need.WORKLOAD, member.place("kind"), f"{known.title} runs it", scope=ALWAYS)
    return done


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
    for field, named, inside in config.named(provider):
        where = str(named.get("namespace") or "") if member.kind == "ClusterSecretStore" else space
        # Without a namespace a ClusterSecretStore looks beside each ExternalSecret.
        if where:
            _reads(graph, valid, config.secret(where, str(named["name"])), named, member.place(*path, *inside), field)
    for inside in (("caProvider",), ("server", "caProvider")):
        authority = member.at(*path, *inside)
        if isinstance(authority, Mapping) and isinstance(authority.get("name"), str):
            where = str(authority.get("namespace") or space)
            made = config.config_map if authority.get("type") == "ConfigMap" else config.secret
            of = made(where, authority["name"])
            config.given(graph, of)
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
                of = namespaces.account(graph, where, account["name"])
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


def host_of(address: object) -> str:
    """The name in a URL; "" where it is an address or not known."""
    if not isinstance(address, str) or "${" in address or "{{" in address:
        return ""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return "" if host.replace(".", "").isdigit() or ":" in host or "." not in host else host.rstrip(".")


def find(model: Model, reference: Mapping[str, Any], namespace: str) -> Manifest | None:
    """The store that a storeRef names."""
    kind = str(reference.get("kind") or "SecretStore")
    space = "" if kind == "ClusterSecretStore" else namespace
    return next((found for found, _ in model.find(kind, space, str(reference.get("name")))), None)


def meaning(store: Manifest | None, key: str) -> Thing | None:
    """What a key of a store means, where it is something that this bootstrap could make."""
    if store is None:
        return None
    vault = store.mapping("spec", "provider", "vault")
    if vault:
        mount = str(vault.get("path") or "")
        bare = key.removeprefix(f"{mount}/") if mount else key
        if bare != key and vault.get("version", "v2") == "v2":
            bare = bare.removeprefix("data/")
        return vault_path(mount, bare) if mount else vault_path(*_split(bare))
    kubernetes = store.mapping("spec", "provider", "kubernetes")
    if kubernetes and _inside(kubernetes):
        space = str(kubernetes.get("remoteNamespace") or "default")
        return config.secret(space, key)
    return None


def _inside(provider: Mapping[str, Any]) -> bool:
    server = provider.get("server")
    address = str(server.get("url") or "") if isinstance(server, Mapping) else ""
    return not address or "kubernetes.default" in address


def _split(path: str) -> tuple[str, str]:
    mount, _, rest = path.partition("/")
    return mount, rest.removeprefix("data/")


def version_2(store: Manifest | None) -> bool:
    """Whether a store reads a key-value engine of version 2, whose secrets are maps."""
    vault = store.mapping("spec", "provider", "vault") if store else {}
    return bool(vault) and vault.get("version", "v2") == "v2"


def references(member: Manifest, *path: str | int) -> Iterator[tuple[Mapping[str, Any], Place]]:
    """The storeRefs of an ExternalSecret's spec at that path: its own, and those of single keys."""
    own = member.at(*path, "secretStoreRef")
    if isinstance(own, Mapping) and own.get("name"):
        yield own, member.place(*path, "secretStoreRef")
    for field in ("data", "dataFrom"):
        for index, entry in enumerate(member.items(*path, field)):
            inner = entry.get("sourceRef") if isinstance(entry, Mapping) else None
            reference = inner.get("storeRef") if isinstance(inner, Mapping) else None
            if isinstance(reference, Mapping) and reference.get("name"):
                yield reference, member.place(*path, field, index, "sourceRef", "storeRef")
