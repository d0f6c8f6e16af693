"""What objects of External Secrets say: which store a reference means, what a key of it means, which Secret comes out."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rebirth.proof.charts import knowledge
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import vault_path
from rebirth.proof.things import Milestone, Place, Thing

GROUP = "external-secrets.io"
KINDS = ("SecretStore", "ClusterSecretStore")


def ready(kind: str, namespace: str, name: str) -> Thing:
    return thing(kind, "" if kind == "ClusterSecretStore" else namespace, name, Milestone.READY)


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
        return meeting.secret(space, key)
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
        yield own, member.place(*path, "secretStoreRef", "name")
    for field in ("data", "dataFrom"):
        for index, entry in enumerate(member.items(*path, field)):
            inner = entry.get("sourceRef") if isinstance(entry, Mapping) else None
            reference = inner.get("storeRef") if isinstance(inner, Mapping) else None
            if isinstance(reference, Mapping) and reference.get("name"):
                yield reference, member.place(*path, field, index, "sourceRef", "storeRef", "name")


def target(spec: Mapping[str, Any], name: str) -> str:
    """The name of the Secret that an ExternalSecret makes."""
    found = spec.get("target")
    return str((found.get("name") if isinstance(found, Mapping) else None) or name)


def named(
    data: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, Mapping[str, Any], tuple[str | int, ...]]]:
    """Every mapping below `data` that names a Secret under a field such as `passwordSecretRef`: field, mapping, path."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if isinstance(value, Mapping):
                if str(key).lower().endswith("secretref") and isinstance(value.get("name"), str):
                    yield str(key), value, (*path, str(key))
                else:
                    yield from named(value, (*path, str(key)))
            elif isinstance(value, list):
                yield from named(value, (*path, str(key)))
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from named(item, (*path, index))


def makes(member: Manifest) -> Iterator[tuple[str, str, str]]:
    """Kind, namespace and name of all that an object is or makes."""
    yield member.kind, member.namespace, member.name
    if member.group == GROUP and member.kind == "ExternalSecret":
        yield "Secret", member.namespace, target(member.mapping("spec"), member.name)
    elif member.kind == "SealedSecret":
        yield "Secret", member.namespace, member.name
    for made in knowledge.made_by(member.group, member.data):
        yield made.kind, made.namespace, made.name
