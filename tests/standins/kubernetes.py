"""A stand-in of the Kubernetes API: objects, versions, owners of fields, watches. `apiserver.py` serves it.

Nothing runs in it. What controllers would do is done by tests, by hand or through `standins.controllers`. Fields have no
schema: what a kind demands of its objects is checked only where a test of the product needs the answer (see `checks`),
lists are one field each, and nothing is defaulted.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from standins import checks
from standins.changes import Changes, Watch
from standins.fields import Owners, applied, copied, managed, merged, taken
from standins.kinds import Kind, built_in, of_crd
from standins.statuses import Refused, bad_request, exists, forbidden, invalid, modified, not_found

Object = dict[str, Any]
Admission = Callable[[Kind, Object], None]  # raises Refused, as a webhook or a quota would
Controller = Callable[["Kubernetes", str, Object], None]  # is shown every change: ADDED, MODIFIED or DELETED

_CRD = ("apiextensions.k8s.io", "customresourcedefinitions")


@dataclass
class Kept:
    """One object as it is stored."""

    kind: Kind
    object: Object
    owners: Owners


@dataclass
class Kubernetes:
    """One cluster. `writes` holds every change that a client made: what changes nothing, and a dry run, is none."""

    service_network: IPv4Network = field(default_factory=lambda: IPv4Network("10.96.0.0/12"))
    admission: list[Admission] = field(default_factory=list)
    controllers: list[Controller] = field(default_factory=list)
    forbids: Callable[[str, Kind, str], str | None] = lambda verb, kind, namespace: None  # the reason, or None
    trusts: bool = True  # whether it takes the client's credentials
    on_write: Callable[[str], None] = lambda what: None
    writes: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    _kept: dict[tuple[tuple[str, str], str, str], Kept] = field(default_factory=dict)
    _kinds: list[Kind] = field(default_factory=built_in)
    _epoch: float = field(default_factory=time.time)
    _since: float | None = None  # the loop's time at _epoch
    _passed: float = 0.0

    def __post_init__(self) -> None:
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    # -- what tests see and do

    def now(self) -> str:
        """The time inside: it goes by as fast as the event loop's."""
        with suppress(RuntimeError):  # no loop yet
            loop = asyncio.get_running_loop()
            if self._since is None:
                self._since = loop.time()
            self._passed = loop.time() - self._since
        return datetime.fromtimestamp(self._epoch + self._passed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Does something later, as a controller would."""
        asyncio.get_running_loop().call_later(seconds, act)

    def put(self, item: Mapping[str, Any], *, by: str = "kubernetes") -> Object:
        """Applies an object, status included, as somebody else in the cluster: counted as nobody's write."""
        kind = self.kind(str(item["apiVersion"]), str(item["kind"]))
        meta = item["metadata"]
        return self.apply(kind, meta.get("namespace", ""), meta["name"], item, manager=by, inside=True)

    def take(self, api_version: str, kind: str, name: str, namespace: str = "") -> None:
        """Removes an object, as somebody else in the cluster."""
        self.delete(self.kind(api_version, kind), namespace, name, inside=True)

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Object | None:
        """A copy of an object, or None."""
        kept = self._kept.get((self.kind(api_version, kind).table, namespace, name))
        return kept and copied(kept.object)

    def all(self, api_version: str, kind: str, namespace: str = "") -> list[Object]:
        return [kept.object for kept in self.listed(self.kind(api_version, kind), namespace)]

    def status(self, item: Mapping[str, Any], change: Mapping[str, Any], *, by: str = "controller") -> None:
        """Merges into an object's status, as its controller; of an object that is gone, nothing."""
        kind, meta = self.kind(item["apiVersion"], item["kind"]), item["metadata"]
        if (kind.table, meta.get("namespace", ""), meta["name"]) in self._kept:
            patch = {"status": change}
            self.merge(kind, meta.get("namespace", ""), meta["name"], patch, manager=by, part="status", inside=True)

    def condition(
        self, item: Mapping[str, Any], type_: str, status: str, message: str = "", reason: str = "Stand"
    ) -> None:
        """Sets a condition that speaks of the object's current generation."""
        meta = item["metadata"]
        live = self.get(item["apiVersion"], item["kind"], meta["name"], meta.get("namespace", ""))
        if live is None:
            return
        generation = live["metadata"].get("generation", 1)
        entry = {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": message,
            "observedGeneration": generation,
        }
        others = [found for found in live.get("status", {}).get("conditions", []) if found["type"] != type_]
        self.status(
            live,
            {"conditions": [*others, {**entry, "lastTransitionTime": self.now()}], "observedGeneration": generation},
        )

    def contents(self) -> dict[str, Object]:
        """Everything that is kept, without what differs between two lives of the same cluster: versions, ids, times."""
        return {f"{kept.kind.resource} {namespace}/{name}": _timeless(kept.object)
                for (_, namespace, name), kept in sorted(self._kept.items())}  # fmt: skip

    # -- kinds

    def kinds(self) -> list[Kind]:
        return self._kinds

    def kind(self, api_version: str, kind: str) -> Kind:
        return next(found for found in self._kinds if (found.api_version, found.kind) == (api_version, kind))

    def served(self, api_version: str, plural: str) -> Kind | None:
        return next((kind for kind in self._kinds if (kind.api_version, kind.plural) == (api_version, plural)), None)

    # -- reading

    @property
    def version(self) -> int:
        return self.changes.version

    def listed(self, kind: Kind, namespace: str = "") -> list[Kept]:
        return [kept for (table, where, _), kept in sorted(self._kept.items())
                if table == kind.table and namespace in ("", where)]  # fmt: skip

    def kept(self, kind: Kind, namespace: str, name: str) -> Kept:
        if kept := self._kept.get((kind.table, namespace, name)):
            return kept
        raise not_found(kind, name)

    def watch(self, kind: Kind, since: int | None) -> Watch:
        """What changes behind that version; without one, what is there and what follows. Raises Refused."""
        return self.changes.watch(kind, since, [kept.object for kept in self.listed(kind)])

    # -- writing

    def create(
        self, kind: Kind, namespace: str, item: Object, *, manager: str = "", dry: bool = False, inside: bool = False
    ) -> Object:
        meta = item.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
        if not meta.get("name"):
            raise invalid(kind, "", "metadata.name", "Required value: name or generateName is required")
        if (kind.table, namespace, meta["name"]) in self._kept:
            raise exists(kind, meta["name"])
        owners = taken({}, item, {}, manager)
        return self._commit("create", kind, namespace, meta["name"], item, owners, None, dry=dry, inside=inside)

    def update(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        item: Object,
        *,
        manager: str = "",
        part: str = "",
        dry: bool = False,
    ) -> Object:
        kept = self.kept(kind, namespace, name)
        asked = item["metadata"].get("resourceVersion")
        if asked and asked != kept.object["metadata"]["resourceVersion"]:
            raise modified(kind, name)
        owners = taken(kept.object, item, kept.owners, manager)
        return self._commit("update", kind, namespace, name, item, owners, kept, part=part, dry=dry)

    def merge(self, kind: Kind, namespace: str, name: str, patch: Mapping[str, Any], *, manager: str = "", part: str = "",
              dry: bool = False, inside: bool = False) -> Object:  # fmt: skip
        kept = self.kept(kind, namespace, name)
        asked = (patch.get("metadata") or {}).get("resourceVersion")
        if asked and asked != kept.object["metadata"]["resourceVersion"]:
            raise modified(kind, name)
        item = merged(kept.object, patch)
        owners = taken(kept.object, item, kept.owners, manager)
        return self._commit("patch", kind, namespace, name, item, owners, kept, part=part, dry=dry, inside=inside)

    def apply(self, kind: Kind, namespace: str, name: str, wanted: Mapping[str, Any], *, manager: str, force: bool = True,
              part: str = "", dry: bool = False, inside: bool = False) -> Object:  # fmt: skip
        kept = self._kept.get((kind.table, namespace, name))
        checks.agrees(wanted["metadata"], namespace, name)
        if wanted["metadata"].get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        if kept is None:
            start = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
            item, owners = applied(start, wanted, {}, manager, force=force)
        else:
            item, owners = applied(kept.object, wanted, kept.owners, manager, force=force)
        return self._commit("apply", kind, namespace, name, item, owners, kept, part=part, dry=dry, inside=inside)

    def delete(self, kind: Kind, namespace: str, name: str, *, dry: bool = False, inside: bool = False) -> Object:
        kept = self.kept(kind, namespace, name)
        if dry:
            return kept.object
        if kept.object["metadata"].get("finalizers"):
            if "deletionTimestamp" not in kept.object["metadata"]:
                self._store(
                    kind, merged(kept.object, {"metadata": {"deletionTimestamp": self.now()}}), kept.owners, "MODIFIED"
                )
                self._count("delete", kind, namespace, name, inside=inside)
            return kept.object
        if kind.resource == "namespaces":
            for table, where, below in [key for key in self._kept if key[1] == name]:
                self._forget(self._kept[table, where, below].kind, where, below)
        self._forget(kind, namespace, name)
        self._count("delete", kind, namespace, name, inside=inside)
        return kept.object

    def _commit(self, verb: str, kind: Kind, namespace: str, name: str, item: Object, owners: Owners, kept: Kept | None, *,
                part: str = "", dry: bool = False, inside: bool = False) -> Object:  # fmt: skip
        meta = item["metadata"]
        checks.agrees(meta, namespace, name)
        meta.update({"name": name} | ({"namespace": namespace} if namespace else {}))
        item["apiVersion"], item["kind"] = kind.api_version, kind.kind
        before = kept.object if kept else {}
        if not inside:
            item = self._in_part(kind, item, before, part)
            checks.admitted(self, kind, namespace, name, item, before)
            for admit in self.admission if not part else ():
                admit(kind, item)
        item["metadata"]["managedFields"] = managed(owners, kind.api_version)
        if before and _timeless(item) == _timeless(before) and kept and kept.owners == owners:
            return kept.object
        old = before.get("metadata", {})
        known = inside and item["metadata"].get("creationTimestamp")  # a client has no say in it
        item["metadata"] |= {
            "uid": old.get("uid") or str(uuid.uuid4()),
            "creationTimestamp": old.get("creationTimestamp") or known or self.now(),
        }
        changed = {key for key in {*item, *before} - {"metadata", "status"} if item.get(key) != before.get(key)}
        item["metadata"]["generation"] = old.get("generation", 0) + 1 if changed else old["generation"]
        if kind.resource == "namespaces":
            item["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name
            item.setdefault("status", {"phase": "Active"})
        if dry:
            return item
        if not item["metadata"].get("finalizers") and old.get("deletionTimestamp"):
            self._forget(kind, namespace, name)
        else:
            self._store(kind, item, owners, "MODIFIED" if kept else "ADDED")
        self._count(verb, kind, namespace, name, inside=inside)
        return item

    def _in_part(self, kind: Kind, item: Object, before: Object, part: str) -> Object:
        """A status is written by its own subresource only, and nothing else by that."""
        if part == "status":
            return {**copied(before), "status": item.get("status", {})}
        if not kind.status:
            return item
        rest = {key: value for key, value in item.items() if key != "status"}
        return rest | ({"status": before["status"]} if "status" in before else {})

    def _store(self, kind: Kind, item: Object, owners: Owners, type_: str) -> None:
        item["metadata"]["resourceVersion"] = str(self.changes.next())
        meta = item["metadata"]
        self._kept[kind.table, meta.get("namespace", ""), meta["name"]] = Kept(kind, item, owners)
        self._happened(kind, type_, item)

    def _forget(self, kind: Kind, namespace: str, name: str) -> None:
        kept = self._kept.pop((kind.table, namespace, name))
        self.changes.next()
        self._happened(kind, "DELETED", kept.object)

    def _happened(self, kind: Kind, type_: str, item: Object) -> None:
        if kind.table == _CRD:
            self._kinds = [*built_in(), *self._custom()]
        shown = copied(item)  # nobody who is shown it changes it
        self.changes.add(kind, type_, shown)
        for controller in self.controllers:
            controller(self, type_, shown)

    def _custom(self) -> Iterator[Kind]:
        for (table, _, _), kept in self._kept.items():
            conditions = kept.object.get("status", {}).get("conditions", [])
            if table == _CRD and any(
                entry["type"] == "Established" and entry["status"] == "True" for entry in conditions
            ):
                yield from of_crd(kept.object)

    def _count(self, verb: str, kind: Kind, namespace: str, name: str, *, inside: bool) -> None:
        if not inside:
            what = f"{verb} {kind.resource} {namespace + '/' if namespace else ''}{name}"
            self.writes.append(what)
            self.on_write(what)

    def may(self, verb: str, kind: Kind, namespace: str, name: str) -> None:
        """Raises Refused where the client has not the right."""
        if not self.trusts:
            raise Refused(401, "Unauthorized", "Unauthorized")
        if why := self.forbids(verb, kind, namespace):
            raise forbidden(kind, name, why)


def _timeless(item: Object) -> Object:
    """Without what is another each time."""
    unlike = {"resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"}
    meta = {key: value for key, value in item["metadata"].items() if key not in unlike}
    return {**item, "metadata": meta}
