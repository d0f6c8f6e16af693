"""Operators on paper: custom resources of those that run get what `knowledge` says they make, and the status that they report."""

from collections.abc import Callable, Mapping
from functools import partial

from rebirth.paper.api.client import Api, Kind, Object, Refused
from rebirth.paper.api.kinds import CONFIG_MAP, CRD, INGRESS, NAMESPACE, SECRET, SERVICE, SLICE
from rebirth.paper.api.kinds import custom as defined
from rebirth.paper.api.seen import Key, Seen, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.given import Invents, Signs
from rebirth.paper.kubelet.needs import Keys, keys_of
from rebirth.paper.kubelet.statuses import moment
from rebirth.paper.operators import certificates, custom, external_secrets, sealed_secrets
from rebirth.paper.operators.custom import Does
from rebirth.paper.operators.making import Making
from rebirth.paper.operators.running import Running
from rebirth.proof.charts import knowledge

_KINDS = {"Secret": SECRET, "ConfigMap": CONFIG_MAP, "Service": SERVICE}
_AWAITED = {*_KINDS.values(), SLICE}  # what custom resources wait for, besides each other
_WIDE = (external_secrets.GROUP, "ClusterExternalSecret")  # looks at all namespaces
_SHIMMED = (certificates.GROUP, "Certificate")  # what becomes of an annotated Ingress
_FLUX = ".fluxcd.io"
_REAL = {"flux"}  # its controllers are processes of the rehearsal


def plays(group: str, kind: str) -> bool:
    """Whether there is anything that such a custom resource would be given."""
    known = knowledge.of_kind(group, kind)
    if known is None or known.name in _REAL:
        return False
    makes = any((one.group, one.by) == (group, kind) for one in known.makes)
    return makes or knowledge.reported(group, kind) is not None or f"{group}/{kind}" in known.address_pools


class Operators:
    """All custom resources of known operators. One waits while its operator does not run, or for what it needs."""

    def __init__(
        self, api: Api, seen: Seen, running: Running, authority: Signs, invent: Invents,
        refused: Callable[[tuple[Kind, Key], str], None], unresolved: Callable[[str], str] = lambda _: "",
    ) -> None:  # fmt: skip
        self._api, self._seen, self._running, self._invent = api, seen, running, invent
        self.unresolved = unresolved
        self.work: Work[tuple[Kind, Key]] = Work(self._look, refused, at_once=4)
        self.kinds: dict[tuple[str, str], Kind] = {}  # by group and name, what is watched
        self._with_status: set[Kind] = set()
        self._waiting: set[tuple[Kind, Key]] = set()
        self._unknown: set[Kind] = set()
        running.listeners.append(lambda _: self._again())
        certificate = partial(certificates.certificate, authority=authority)
        self._special: Mapping[tuple[str, str], Does] = {
            **{
                (external_secrets.GROUP, kind): external_secrets.store for kind in ("SecretStore", "ClusterSecretStore")
            },
            (external_secrets.GROUP, "ExternalSecret"): external_secrets.external_secret,
            (external_secrets.GROUP, "PushSecret"): external_secrets.push_secret,
            _WIDE: external_secrets.everywhere,
            **{(certificates.GROUP, kind): certificates.issuer for kind in ("Issuer", "ClusterIssuer")},
            (sealed_secrets.GROUP, "SealedSecret"): sealed_secrets.sealed_secret,
            _SHIMMED: certificate,
            (INGRESS.group, INGRESS.name): certificates.of_ingress,
        }

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind == CRD and not gone:
            self._define(item)
        elif kind in _AWAITED:
            self._again()
        elif kind == NAMESPACE:
            for key in self._seen.of(self.kinds[_WIDE]) if _WIDE in self.kinds else ():
                self.work.add((self.kinds[_WIDE], key))
        elif kind == INGRESS and not gone:
            self.work.add((kind, key_of(item)))
        elif (kind.group, kind.name) in self.kinds:
            if gone:
                self._waiting.discard((kind, key_of(item)))
            else:
                self.work.add((kind, key_of(item)))
            self._again()

    async def unplayed(self) -> list[tuple[str, str]]:
        """Group and kind of what nobody plays, of which there is any. Raises NotYet."""
        return [(kind.group, kind.name) for kind in sorted(self._unknown, key=str) if await self._api.any(kind)]

    def _again(self) -> None:
        for one in tuple(self._waiting):
            self.work.add(one)

    def _define(self, crd: Object) -> None:
        kind = defined(crd)
        if kind is None or (kind.group, kind.name) in self.kinds:
            return
        if not plays(kind.group, kind.name):
            if not kind.group.endswith(_FLUX):
                self._unknown.add(kind)
            return
        versions = {one["name"]: one for one in crd["spec"]["versions"]}
        if "status" in (versions[kind.version].get("subresources") or {}):
            self._with_status.add(kind)
        self.kinds[kind.group, kind.name] = kind
        self._seen.watch(kind)

    async def _look(self, one: tuple[Kind, Key]) -> None:
        kind, key = one
        item = self._seen.get(kind, *key)
        if item is None or "deletionTimestamp" in item["metadata"]:
            self._waiting.discard(one)
            return
        known = knowledge.of_kind(*_SHIMMED if kind == INGRESS else (kind.group, kind.name))
        namespace = self._running.namespace(known.name) if known else None
        if namespace is None:
            self._waiting.add(one)
            return
        item = {"apiVersion": kind.api_version, "kind": kind.name, **item}
        due = self._special.get((kind.group, kind.name), custom.due)(item, namespace, self)
        (self._waiting.add if due.waits else self._waiting.discard)(one)
        waits = due.waits
        for making in due.makes:
            waits = waits or await self._make(making, item)
        for other in due.others:
            await self._other(other)
        await self._report(kind, key, item, waits)

    async def _report(self, kind: Kind, key: Key, item: Object, waits: str) -> None:
        says = knowledge.reported(kind.group, kind.name)
        status = custom.status(item, says, waits, moment()) if says else None
        if status is not None:
            below = "status" if kind in self._with_status else ""
            await self._api.merge(kind, *key, {"status": status}, below)

    async def _make(self, making: Making, owner: Object) -> str:
        """Why the API server does not take it; "" where it does, or has it."""
        try:
            await self._ensure(making, owner)
        except Refused as refused:
            if refused.status not in {400, 422}:
                raise
            return str(refused)
        return ""

    async def _ensure(self, making: Making, owner: Object) -> None:
        kind = _KINDS.get(making.kind)
        if kind is None:
            return
        found = self._seen.get(kind, making.namespace, making.name)
        if found is None:
            try:
                await self._api.create(kind, making.manifest(owner, self._invent))
            except Refused as refused:
                if refused.status != 409:  # 409: somebody else made it; the watch tells
                    raise
            return
        owners = {one["uid"] for one in found["metadata"].get("ownerReferences") or []}
        held = keys_of(found).all
        lacking = tuple(key for key in making.keys or () if key not in held)
        if lacking and kind != SERVICE and (making.joins or owner["metadata"]["uid"] in owners):
            data = making.data(lacking, self._invent)["data"]
            await self._api.merge(kind, making.namespace, making.name, {"data": data})

    async def _other(self, item: Object) -> None:
        """A custom resource that another, or an Ingress, is the reason for."""
        kind = self.kinds.get((custom.group_of(item), item["kind"]))
        if kind is not None and self._seen.get(kind, *key_of(item)) is None:
            try:
                await self._api.create(kind, {**item, "apiVersion": kind.api_version})
            except Refused as refused:
                if refused.status != 409:
                    raise

    # -- what exists, for `custom`

    def keys(self, kind: str, namespace: str, name: str) -> Keys | None:
        found = self._seen.get(_KINDS[kind], namespace, name)
        return None if found is None else keys_of(found)

    def custom(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        known = self.kinds.get((group, kind))
        return self._seen.get(known, namespace, name) if known else None

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        return {name: item["metadata"].get("labels") or {} for (_, name), item in self._seen.of(NAMESPACE).items()}
