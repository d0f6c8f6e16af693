"""What claims ask for: of their own kind, of StatefulSets, and inside pods (ValidatePersistentVolumeClaimSpec of Kubernetes 1.35)."""

from collections.abc import Iterator

from rebirth.proof.validation.labels import selector
from rebirth.proof.validation.values import (
    Fields,
    Path,
    Refusal,
    amount,
    choice,
    has,
    inner,
    is_known,
    needs,
    shown,
    subdomain,
    text,
    texts,
)


def claim_spec(spec: Fields, path: Path) -> Iterator[Refusal]:
    modes = spec.get("accessModes")
    if modes is None or modes == []:
        yield Refusal((*path, "accessModes"), "has no entry, and needs one")
    yield from access_modes(spec, path)
    asked = inner(spec, "resources", "requests")
    if (
        "storage" not in asked
        and is_known(inner(spec, "resources").get("requests"))
        and is_known(spec.get("resources"))
    ):
        yield Refusal((*path, "resources", "requests", "storage"), "is missing")
    yield from positive(asked, (*path, "resources", "requests"), "storage")
    yield from selector(spec, path, "selector")
    yield from subdomain(spec, path, "storageClassName")
    source = inner(spec, "dataSourceRef")  # what is wrong in dataSource is dropped
    if has(source, "kind"):
        yield from needs(source, (*path, "dataSourceRef"), "name")
        yield from subdomain(source, (*path, "dataSourceRef"), "apiGroup")
        if not has(source, "apiGroup") and text(source, "kind") not in {"", "PersistentVolumeClaim"}:
            yield Refusal((*path, "dataSourceRef", "apiGroup"), f"is missing, and a {text(source, 'kind')} has one")
    yield from choice(spec, path, "volumeMode", "Filesystem", "Block")


def access_modes(spec: Fields, path: Path) -> Iterator[Refusal]:
    modes = [mode for _, mode in texts(spec, "accessModes")]
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        where = (*path, "accessModes", modes.index("ReadWriteOncePod"))
        yield Refusal(where, "is ReadWriteOncePod, which takes no other mode beside it")


def positive(fields: Fields, path: Path, key: str) -> Iterator[Refusal]:
    """A quantity that has to be more than nothing."""
    value = fields.get(key)
    size = amount(value) if isinstance(value, str | int | float) else None
    if size is not None and size <= 0:
        yield Refusal((*path, key), f"is {shown(value)} and must be more than 0")
