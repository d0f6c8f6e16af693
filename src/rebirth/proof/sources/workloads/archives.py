"""Archives of databases: where one is read from when the database is restored, and where it then writes.

CloudNativePG restores only where it may write afterwards: before it restores it checks that the archive it will write to is
empty (`barman-cloud-check-wal-archive`; cloudnative-pg 1.28, pkg/management/postgres/restore.go, and the Barman Cloud plugin's
internal/cnpgi/restore/restore.go). An archive is a server's folder below a path in a bucket. The folder written has the
Cluster's name, and the folder read that of the entry in `externalClusters`, where no `serverName` says otherwise.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Place

_GROUP, _STORES = "postgresql.cnpg.io", "barmancloud.cnpg.io"
_PLUGIN = "barman-cloud.cloudnative-pg.io"
_UNCHECKED = "cnpg.io/skipEmptyWalArchiveCheck"
_Path = tuple[str | int, ...]


class _Archive(NamedTuple):
    endpoint: str
    path: str
    server: str

    @property
    def label(self) -> str:
        return f"{self.path}/{self.server}"


def read(model: Model, graph: Graph) -> None:
    for member, _ in model.objects("Cluster"):
        if member.group == _GROUP and str(member.annotations.get(_UNCHECKED)) != "enabled":
            _restored_into_itself(model, member, graph)


def _restored_into_itself(model: Model, member: Manifest, graph: Graph) -> None:
    source = member.at("spec", "bootstrap", "recovery", "source")
    read = [found for name, found, _ in _read(model, member) if name == source]
    for written, place in _written(model, member):
        if written in read:
            words = f"{member.thing().label} is restored from {written.label}, and archives to the same place"
            graph.remark("own-archive", place, words, member.thing(), server=written.server)


def _read(model: Model, member: Manifest) -> Iterator[tuple[str, _Archive, Place]]:
    """The archives that it may be restored from, by the name of the external cluster."""
    for index, one in enumerate(member.items("spec", "externalClusters")):
        name = str(one.get("name")) if isinstance(one, Mapping) else ""
        path: _Path = ("spec", "externalClusters", index)
        if found := _of_store(member.mapping(*path, "barmanObjectStore"), name):
            yield name, found, member.place(*path, "barmanObjectStore")
        if member.at(*path, "plugin", "name") == _PLUGIN:
            parameters = member.mapping(*path, "plugin", "parameters")
            if found := _of_plugin(model, member, parameters, name):
                yield name, found, member.place(*path, "plugin")


def _written(model: Model, member: Manifest) -> Iterator[tuple[_Archive, Place]]:
    path: _Path = ("spec", "backup", "barmanObjectStore")
    if found := _of_store(member.mapping(*path), member.name):
        yield found, member.place(*path, "serverName" if member.at(*path, "serverName") else "destinationPath")
    for index, one in enumerate(member.items("spec", "plugins")):
        if not isinstance(one, Mapping) or one.get("name") != _PLUGIN or one.get("enabled") is False:
            continue
        path = ("spec", "plugins", index, "parameters")
        if found := _of_plugin(model, member, member.mapping(*path), member.name):
            yield found, member.place(*path, "serverName" if member.at(*path, "serverName") else "barmanObjectName")


def _of_store(store: Mapping[str, Any], server: str) -> _Archive | None:
    path = store.get("destinationPath")
    if not isinstance(path, str) or not path:
        return None
    endpoint = str(store.get("endpointURL") or "").rstrip("/")
    return _Archive(endpoint, path.rstrip("/"), str(store.get("serverName") or server))


def _of_plugin(model: Model, member: Manifest, parameters: Mapping[str, Any], server: str) -> _Archive | None:
    """What an ObjectStore says; where no file shows it, its name stands for it."""
    name, server = str(parameters.get("barmanObjectName") or ""), str(parameters.get("serverName") or server)
    for store, _ in model.find("ObjectStore", member.namespace, name):
        if store.group == _STORES:
            return _of_store(store.mapping("spec", "configuration"), server)
    return _Archive("", f"ObjectStore {name}", server) if name else None
