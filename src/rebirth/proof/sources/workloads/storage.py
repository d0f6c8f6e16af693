"""Volumes: who provides them, what they are restored from, and databases that are born empty although they are backed up."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.sources import meeting
from rebirth.proof.things import Milestone, Need, Place, Scope, Thing

_RUNNING = Scope.FIRST_BOOT | Scope.COLD_RESTART
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_LATE = {
    "rancher.io/local-path",
    "openebs.io/local",
    "topolvm.io",
    "topolvm.cybozu.com",
}  # wait for the first consumer by default
_SNAPSHOTS = {
    "snapshot.storage.k8s.io": "VolumeSnapshot",
    "volsync.backube": "ReplicationDestination",
    "": "PersistentVolumeClaim",
}


def storage_class(name: str) -> Thing:
    return thing("StorageClass", "", name, Milestone.SERVES)


def claim(namespace: str, name: str) -> Thing:
    return thing("PersistentVolumeClaim", namespace, name, Milestone.READY)


def read(model: Model, graph: Graph) -> None:
    source = _Source(model, graph)
    source.classes()
    source.claims()
    source.mounts()
    source.databases()
    source.backups()


class _Source:
    def __init__(self, model: Model, graph: Graph) -> None:
        self.model, self.graph = model, graph
        self.late: set[str] = set()  # classes that bind only for the first consumer
        self.default = ""
        self.static = {
            str(volume.at("spec", "storageClassName") or "") for volume, _ in model.objects("PersistentVolume")
        }
        self.users: dict[tuple[str, str], list[Thing]] = defaultdict(list)  # claim -> who mounts it

    def classes(self) -> None:
        for member, _ in self.model.objects("StorageClass"):
            serves, place = storage_class(member.name), member.place("metadata", "name")
            self.graph.wanted(member.thing())
            self.graph.needs(serves, member.thing(), Need.APPLIED_BY, place)
            provisioner = str(member.at("provisioner") or "")
            if member.at("volumeBindingMode") == "WaitForFirstConsumer" or (
                provisioner in _LATE and not member.at("volumeBindingMode") and member.at("parameters") is None
            ):
                self.late.add(member.name)
            if str(member.annotations.get(_DEFAULT)).lower() == "true":
                self.default = member.name
            for known in knowledge.operators():
                if provisioner in known.provisioners and self.graph.makers(known.thing):
                    words = f"{known.title} provides its volumes"
                    self.graph.needs(serves, known.thing, Need.WORKLOAD, place, words, scope=_RUNNING)

    def _provided(self, by: Thing, name: object, place: Place) -> None:
        """`by` has a volume of that class; None: of the default one."""
        chosen = self.default if name is None else str(name)
        if not chosen or chosen in self.static or "${" in chosen:
            return
        serves = storage_class(chosen)
        existing = serves._replace(milestone=Milestone.EXISTS)
        self.graph.wanted(existing)
        self.graph.needs(serves, existing, Need.APPLIED_BY, place)
        self.graph.needs(by, serves, Need.STORAGE, place, scope=_RUNNING)

    # -- claims

    def claims(self) -> None:
        self._find_users()
        for member, unit in self.model.objects("PersistentVolumeClaim"):
            bound, place = member.thing(Milestone.READY), member.place("metadata", "name")
            self.graph.needs(bound, member.thing(), Need.APPLIED_BY, place)
            if volume := member.at("spec", "volumeName"):
                existing = thing("PersistentVolume", "", str(volume))
                if self.model.find("PersistentVolume", "", str(volume)):
                    self.graph.needs(bound, existing, Need.STORAGE, member.place("spec", "volumeName"))
                continue
            named = member.at("spec", "storageClassName")
            self._provided(bound, named, member.place("spec", "storageClassName") if named else place)
            self._restored(member, unit, bound)
            self._first_consumer(member, bound, self.default if named is None else str(named))

    def _restored(self, member: Manifest, unit: Unit, bound: Thing) -> None:
        """A volume that begins as a copy of something."""
        for field in ("dataSourceRef", "dataSource"):
            source = member.mapping("spec", field)
            kind, name = str(source.get("kind") or ""), str(source.get("name") or "")
            if not name or kind not in _SNAPSHOTS.values():
                continue
            space = str(source.get("namespace") or member.namespace)
            of = thing(kind, space, name, Milestone.READY)
            if kind == "PersistentVolumeClaim":
                of = claim(space, name)
            place = member.place("spec", field, "name")
            self.graph.wanted(of._replace(milestone=Milestone.EXISTS))
            self.graph.needs(of, of._replace(milestone=Milestone.EXISTS), Need.APPLIED_BY, place)
            self.graph.needs(bound, of, Need.RESTORE, place)
            return

    def _find_users(self) -> None:
        for found in pods.every(self.model):
            for _, volume in found.volumes():
                inner = volume.get("persistentVolumeClaim")
                if isinstance(inner, Mapping) and isinstance(inner.get("claimName"), str) and found.replicas:
                    self.users[found.namespace, inner["claimName"]].append(found.manifest.thing())

    def _first_consumer(self, member: Manifest, bound: Thing, class_name: str) -> None:
        """A class that waits for the first consumer binds a claim only once a pod that mounts it is scheduled."""
        users = self.users.get((member.namespace, member.name), [])
        if class_name not in self.late or not users:
            return
        words = f"{class_name} binds it only for its first consumer"
        place = member.place("spec", "storageClassName")
        one = thing("consumer of PersistentVolumeClaim", member.namespace, member.name, Milestone.EXISTS)
        self.graph.needs(bound, one, Need.VOLUME, place, words)
        for user in users:
            self.graph.makes(user, one, place, words)

    # -- pods

    def mounts(self) -> None:
        for found in pods.every(self.model):
            if not found.replicas:
                continue
            for index, volume in found.volumes():
                inner = volume.get("persistentVolumeClaim")
                if isinstance(inner, Mapping) and isinstance(inner.get("claimName"), str):
                    self._mounts(found, inner["claimName"], index)
                spec = volume.get("ephemeral", {}) if isinstance(volume.get("ephemeral"), Mapping) else {}
                template = spec.get("volumeClaimTemplate")
                inside = template.get("spec") if isinstance(template, Mapping) else None
                if isinstance(inside, Mapping):
                    self._provided(found.thing, inside.get("storageClassName"), found.place("volumes", index))
            for index, entry in enumerate(found.manifest.items("spec", "volumeClaimTemplates")):
                inside = entry.get("spec") if isinstance(entry, Mapping) else None
                if isinstance(inside, Mapping):
                    named = ("storageClassName",) if inside.get("storageClassName") else ()
                    place = found.manifest.place("spec", "volumeClaimTemplates", index, "spec", *named)
                    self._provided(found.thing, inside.get("storageClassName"), place)

    def _mounts(self, found: pods.Pods, name: str, index: int) -> None:
        of = claim(found.namespace, name)
        existing = of._replace(milestone=Milestone.EXISTS)
        place = found.place("volumes", index, "persistentVolumeClaim", "claimName")
        self.graph.wanted(existing)
        self.graph.needs(of, existing, Need.APPLIED_BY, place)
        self.graph.needs(found.thing, of, Need.VOLUME, place, scope=_RUNNING)

    # -- databases

    def databases(self) -> None:
        for member, _ in self.model.objects("PostgresCluster", "Cluster"):
            if member.group == "postgres-operator.crunchydata.com":
                self._pgo(member)
            elif member.group == "postgresql.cnpg.io":
                self._cnpg(member)

    def _pgo(self, member: Manifest) -> None:
        """Flux sees a PostgresCluster as Ready at once; its Service serves only when a volume is there."""
        up = member.thing(Milestone.SERVES)
        self.graph.needs(up, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
        known = knowledge.of_kind(member.group, member.kind)
        if known and self.graph.makers(known.thing):
            self.graph.needs(up, known.thing, Need.WORKLOAD, member.place("kind"), f"{known.title} runs it")
        for index, instance in enumerate(member.items("spec", "instances")):
            inner = instance.get("dataVolumeClaimSpec") if isinstance(instance, Mapping) else None
            if isinstance(inner, Mapping):
                place = member.place("spec", "instances", index, "dataVolumeClaimSpec")
                self._provided(up, inner.get("storageClassName"), place)
        repositories = member.items("spec", "backups", "pgbackrest", "repos")
        outside = [one for one in repositories if isinstance(one, Mapping) and set(one) & {"s3", "gcs", "azure"}]
        if outside and not member.mapping("spec", "dataSource"):
            self._empty_database(member, ("spec", "backups", "pgbackrest", "repos"), "spec.dataSource")

    def _cnpg(self, member: Manifest) -> None:
        done = meeting.runs(member, self.graph)
        for part in ("storage", "walStorage"):
            if member.mapping("spec", part):
                self._provided(done, member.at("spec", part, "storageClass"), member.place("spec", part))
        for path in (("spec", "backup"), ("spec", "externalClusters"), ("spec", "bootstrap")):
            self._credentials(member, done, path)
        plugins = [
            one for one in member.items("spec", "plugins")
            if isinstance(one, Mapping) and str(one.get("name", "")).startswith("barman-cloud") and one.get("isWALArchiver")
        ]  # fmt: skip
        backed = member.mapping("spec", "backup", "barmanObjectStore") or plugins
        from_somewhere = set(member.mapping("spec", "bootstrap")) & {"recovery", "pg_basebackup"}
        imported = member.mapping("spec", "bootstrap", "initdb", "import")
        replica = member.mapping("spec", "replica")
        if backed and not from_somewhere and not imported and not replica:
            self._empty_database(member, ("spec", "backup" if not plugins else "plugins"), "spec.bootstrap.recovery")

    def _credentials(self, member: Manifest, done: Thing, path: tuple[str, ...]) -> None:
        for named, inside in _keyed(member.at(*path)):
            of, place = meeting.secret(member.namespace, str(named["name"])), member.place(*path, *inside)
            if of.name.startswith(f"{member.name}-") and not self.graph.makers(of):
                continue  # its own, or a neighbour's, made by the operator
            self.graph.wanted(of)
            self.graph.needs(done, of, Need.SECRET, place)
            self.graph.reads(done, of, str(named["key"]), place)

    def _empty_database(self, member: Manifest, path: tuple[str, ...], source: str) -> None:
        words = f"{member.thing().label} is backed up, and has no {source}"
        self.graph.remark("empty-database", member.place(*path), words, member.thing(), source=source)

    # -- backups of volumes

    def backups(self) -> None:
        """VolSync: a volume that is restored into while somebody may already use it; one that is only ever saved."""
        filled: set[tuple[str, str]] = set()
        for member, _ in self.model.objects("ReplicationDestination"):
            done = meeting.runs(member, self.graph)
            for method in ("restic", "rclone", "rsync", "rsyncTLS", "kopia"):
                self._repository(member, method, done)
                if target := member.at("spec", method, "destinationPVC"):
                    filled.add((member.namespace, str(target)))
                    words = f"{member.thing().label} restores into {target}"
                    place = member.place("spec", method, "destinationPVC")
                    of = claim(member.namespace, str(target))
                    self.graph.remark(
                        "restores-into",
                        place,
                        words,
                        of,
                        kind=member.kind,
                        namespace=member.namespace,
                        name=member.name,
                    )
        for member, _ in self.model.objects("ReplicationSource"):
            done = meeting.runs(member, self.graph)
            for method in ("restic", "rclone", "kopia"):
                self._repository(member, method, done)
            name = str(member.at("spec", "sourcePVC") or "")
            for saved, _ in self.model.find("PersistentVolumeClaim", member.namespace, name):
                given = saved.mapping("spec", "dataSourceRef") or saved.mapping("spec", "dataSource")
                if not given and not saved.at("spec", "volumeName") and (member.namespace, name) not in filled:
                    words = f"{saved.thing().label} is backed up, and has no dataSourceRef"
                    place = member.place("spec", "sourcePVC")
                    self.graph.remark("empty-database", place, words, saved.thing(), source="spec.dataSourceRef")

    def _repository(self, member: Manifest, method: str, done: Thing) -> None:
        name = member.at("spec", method, "repository")
        if isinstance(name, str) and name:
            of, place = meeting.secret(member.namespace, name), member.place("spec", method, "repository")
            self.graph.wanted(of)
            self.graph.needs(done, of, Need.SECRET, place, "its repository")


def _keyed(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Mapping[str, Any], tuple[str | int, ...]]]:
    """Every mapping of just a name and a key below `data`: so CloudNativePG names keys of Secrets."""
    if isinstance(data, Mapping):
        if {"name", "key"} == set(data) and all(isinstance(value, str) for value in data.values()):
            yield data, path
            return
        for key, value in data.items():
            yield from _keyed(value, (*path, str(key)))
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _keyed(item, (*path, index))
