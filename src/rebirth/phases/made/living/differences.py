"""What of the cluster is not as castle.yaml says: objects, and releases of Helm."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rebirth.castle import Chart
from rebirth.providers.cluster import MANAGER, Cluster, Object
from rebirth.providers.helm import Helm
from rebirth.run.change import Change, How
from rebirth.run.waiting import together

_PLACE = {"apiVersion", "kind"}
_SHOWN = 4  # of the fields that differ


def differing(there: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """The paths at which `there` lacks what is wanted. What it has besides, the API server or somebody else has added."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        for key, value in wanted.items():
            yield from differing(there.get(key), value, f"{path}.{key}" if path else str(key))
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for number, (one, other) in enumerate(zip(there, wanted, strict=True)):
            yield from differing(one, other, f"{path}[{number}]")
    elif there != wanted and (there or wanted):
        yield path


def shown(paths: Sequence[str]) -> str:
    """Fields, never their values."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"{', '.join(paths[:_SHOWN])}{more}"


def named(item: Object) -> str:
    meta = item["metadata"]
    namespace = meta.get("namespace")
    return f"{item['kind']} {namespace + '/' if namespace else ''}{meta['name']}"


async def of_objects(cluster: Cluster, wanted: Iterable[tuple[Object, str]]) -> list[Change]:
    """Of objects, each with its setting of castle.yaml: what applying them again changes."""
    listed = list(wanted)
    there = await together(*(_find(cluster, item) for item, _ in listed))
    found = []
    for (item, setting), one in zip(listed, there, strict=True):
        if one is None:
            found.append(Change(named(item), How.NOW, "is not there, and is made", setting))
        elif paths := fields(one, item):
            found.append(Change(named(item), How.NOW, f"{shown(paths)} will be as castle.yaml says", setting))
    return found


async def _find(cluster: Cluster, item: Object) -> dict[str, Any] | None:
    meta = item["metadata"]
    return await cluster.find(item["apiVersion"], item["kind"], meta["name"], meta.get("namespace"))


def fields(there: Object, wanted: Object) -> list[str]:
    """Those of an object that are not as wanted."""
    return list(differing(there, {key: value for key, value in wanted.items() if key not in _PLACE}))


async def of_those_left(
    cluster: Cluster, api_version: str, kind: str, wanted: Iterable[Object], setting: str, why: str
) -> list[Change]:
    """Objects that this castle has once made, as the API server remembers, and castle.yaml no longer names."""
    names = {(item["metadata"].get("namespace"), item["metadata"]["name"]) for item in wanted if item["kind"] == kind}
    found = []
    for item in await cluster.all(api_version, kind):
        meta = item["metadata"]
        if (meta.get("namespace"), meta["name"]) in names or not _is_ours(meta):
            continue
        place = f" --namespace {meta['namespace']}" if meta.get("namespace") else ""
        by_hand = f"kubectl delete {kind.lower()} {meta['name']}{place}"
        text = f"castle.yaml no longer names it, and it stays: {why} (by hand: `{by_hand}`)"
        found.append(Change(named({"kind": kind, **item}), How.REFUSED, text, setting))
    return found


def _is_ours(meta: Mapping[str, Any]) -> bool:
    """Whether we applied it; one that is being deleted is on its way."""
    applied = any(
        entry.get("manager") == MANAGER and entry.get("operation") == "Apply"
        for entry in meta.get("managedFields") or ()
    )
    return applied and not meta.get("deletionTimestamp")


async def of_release(
    helm: Helm, *, name: str, chart: str, spec: Chart, values: Mapping[str, Any], setting: str
) -> list[Change]:
    """Of a release: its chart's version, and its values."""
    release = await helm.release(name=name, namespace=spec.namespace)
    what, wanted = f"release {name}", spec.version.removeprefix("v")
    if release is None:
        return [Change(what, How.NOW, f"is not in {spec.namespace}, and is installed: {chart} {spec.version}", setting)]
    had = release.chart.removeprefix(f"{chart.rpartition('/')[2]}-").removeprefix("v")
    if had != wanted:
        down = " (a downgrade: its CRDs stay as they are)" if _order(wanted) < _order(had) else ""
        return [Change(what, How.NOW, f"{had} becomes {wanted}{down}", f"{setting}.version")]
    given = await helm.values(name=name, namespace=spec.namespace)
    if paths := [*differing(given, values), *(f"{path} (no more)" for path in differing(values, given))]:
        return [Change(what, How.NOW, f"values: {shown(list(dict.fromkeys(paths)))}", f"{setting}.values")]
    return []


def _order(version: str) -> tuple[int, ...]:
    """Of versions whose numbers differ; what stands behind `-` does not count."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())
