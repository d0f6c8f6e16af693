"""An ExternalSecret waits for its store, a store for the server that it reads from. The words are those of External Secrets 1.3."""

from collections.abc import Iterator

from rebirth.diagnosis.cause import Cause, Outlook, label
from rebirth.diagnosis.named import said
from rebirth.diagnosis.search import Search
from rebirth.diagnosis.wanted import Key, Object
from rebirth.providers.cluster import condition

_STORES = ("SecretStore", "ClusterSecretStore")


def external_secret(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item)
    if status == "True":
        return
    below: list[Cause] = []
    for store in dict.fromkeys(_stores(key, item)):
        known = store in search.objects
        below += search.of(store) if known else search.missing(store, f"{label(key)} reads through it")
    yield from below or _own(search, key, status, message)


def store(search: Search, key: Key, item: Object) -> Iterator[Cause]:
    status, message = condition(item)
    if status != "True":
        yield from _own(search, key, status, message)


STEPS = {"ExternalSecret": external_secret, **dict.fromkeys(_STORES, store)}


def _own(search: Search, key: Key, status: str, message: str) -> list[Cause]:
    """Its condition says what failed, its last event why."""
    why = search.said(key)
    words = f"{message}: {why}" if why else message
    return said(search, key, words, Outlook.STUCK if status == "False" else Outlook.WORKING)


def _stores(key: Key, item: Object) -> Iterator[Key]:
    spec = item.get("spec") or {}
    entries = [*(spec.get("data") or []), *(spec.get("dataFrom") or [])]
    references = [spec.get("secretStoreRef"), *((one.get("sourceRef") or {}).get("storeRef") for one in entries)]
    for one in references:
        if one and one.get("name"):
            kind = one.get("kind") or _STORES[0]
            yield kind, key[1] if kind == _STORES[0] else "", one["name"]
