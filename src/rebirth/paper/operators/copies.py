"""Reflector on paper: Secrets and ConfigMaps that are copied into other namespaces, by the annotations of its README (v9).

Values are read from the API server for the copy alone, and kept nowhere.
"""

import re
from collections.abc import Callable, Iterator

from rebirth.paper.api.client import Api, Kind, Object, Refused
from rebirth.paper.api.kinds import CONFIG_MAP, NAMESPACE, SECRET
from rebirth.paper.api.seen import Key, Seen, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.kubelet.needs import OPEN
from rebirth.paper.operators.running import Running

_OPERATOR = "reflector"  # its file in `known/`
_PREFIX = "reflector.v1.k8s.emberstack.com"
_REFLECTS = f"{_PREFIX}/reflects"
_FIELDS = ("data", "binaryData", "type")


def _notes(item: Object) -> dict[str, str]:
    return item["metadata"].get("annotations") or {}


def _named(item: Object, field: str, namespace: str) -> bool:
    """Whether a list of patterns names the namespace; an empty one names all."""
    patterns = [part.strip() for part in _notes(item).get(f"{_PREFIX}/{field}", "").split(",") if part.strip()]
    try:
        return not patterns or any(re.fullmatch(pattern, namespace) for pattern in patterns)
    except re.error:
        return False


def allows(item: Object, namespace: str) -> bool:
    """Whether it may be copied there."""
    return _notes(item).get(f"{_PREFIX}/reflection-allowed") == "true" and _named(
        item, "reflection-allowed-namespaces", namespace
    )


def pushed(item: Object, namespace: str) -> bool:
    """Whether it is copied there by itself."""
    auto = _notes(item).get(f"{_PREFIX}/reflection-auto-enabled") == "true"
    own = item["metadata"].get("namespace") == namespace
    return auto and not own and allows(item, namespace) and _named(item, "reflection-auto-namespaces", namespace)


def source_of(item: Object) -> Key | None:
    """What it says that it is a copy of."""
    namespace, _, name = _notes(item).get(_REFLECTS, "").rpartition("/")
    return (namespace or item["metadata"].get("namespace", ""), name) if name else None


class Copies:
    """All copies, made as soon as their source is there."""

    def __init__(
        self, api: Api, seen: Seen, running: Running, refused: Callable[[tuple[Kind, Key], str], None]
    ) -> None:
        self._api, self._seen, self._running = api, seen, running
        self.work: Work[tuple[Kind, Key]] = Work(self._look, refused, at_once=2)
        self._done: dict[tuple[Kind, Key], str] = {}  # copy -> version of its source
        running.listeners.append(lambda name: self._all() if name == _OPERATOR else None)

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind == NAMESPACE and not gone:
            self._all()
        elif kind in {SECRET, CONFIG_MAP} and not gone and any(note.startswith(_PREFIX) for note in _notes(item)):
            self.work.add((kind, key_of(item)))

    def _all(self) -> None:
        for kind in (SECRET, CONFIG_MAP):
            for key, item in self._seen.of(kind).items():
                if any(note.startswith(_PREFIX) for note in _notes(item)):
                    self.work.add((kind, key))

    async def _look(self, one: tuple[Kind, Key]) -> None:
        kind, key = one
        item = self._seen.get(kind, *key)
        if item is None or self._running.namespace(_OPERATOR) is None:
            return
        for source, target in list(self._wanted(kind, key, item)):
            found = self._seen.get(kind, *source)
            version = found["metadata"]["resourceVersion"] if found else ""
            if found and self._done.get((kind, target)) != version:
                await self._copy(kind, source, target)
                self._done[kind, target] = version

    def _wanted(self, kind: Kind, key: Key, item: Object) -> Iterator[tuple[Key, Key]]:
        """Source and copy, as far as this object says."""
        source = source_of(item)
        origin = self._seen.get(kind, *source) if source else None
        if source and origin and allows(origin, key[0]):
            yield source, key
        for _, namespace in self._seen.of(NAMESPACE):
            if pushed(item, namespace):
                yield key, (namespace, key[1])
        for other, copy in self._seen.of(kind).items():
            if source_of(copy) == key and allows(item, other[0]):
                yield key, other

    async def _copy(self, kind: Kind, source: Key, target: Key) -> None:
        origin = await self._api.find(kind, *source)
        if origin is None:
            return
        content = {field: origin[field] for field in _FIELDS if field in origin}
        notes = {_REFLECTS: "/".join(source), **({OPEN: "true"} if OPEN in _notes(origin) else {})}
        if self._seen.get(kind, *target) is not None:
            content.pop("type", None)
            await self._api.merge(kind, *target, {**content, "metadata": {"annotations": notes}})
            return
        meta = {"namespace": target[0], "name": target[1], "annotations": notes}
        try:
            await self._api.create(kind, {"apiVersion": "v1", "kind": kind.name, "metadata": meta, **content})
        except Refused as refused:
            if refused.status != 409:
                raise
