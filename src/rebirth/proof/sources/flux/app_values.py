"""Values of the chart `app-template` that name another of its entries, where there is none: its templates fail, and nothing is installed
(bjw-s common: every `fail` after a `getByIdentifier`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import app_template, releases
from rebirth.proof.charts.chart_values import numbers
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.mentioned import as_list
from rebirth.proof.things import Atomicity

_Path = tuple[str | int, ...]
_SINCE = (3,)  # the major version since which the chart brings no entries of its own
_LISTED = {"configMap": "configMaps", "secret": "secrets"}  # type of a volume -> where its entries are


def read(model: Model, graph: Graph) -> None:
    for unit in model.units:
        own = unit.own
        if unit.atomicity is not Atomicity.HELM or own is None or not releases.is_release(own):
            continue
        chart = releases.chart_of(model, own)
        if chart is None or not app_template.is_one(chart) or numbers(chart.version) < _SINCE:
            continue
        values = releases.values_of(model, own)
        if not values.whole:
            continue
        for path, named, field in _named(values.data):
            there = [key for key, entry in _mapping(values.data.get(field)).items() if _is_on(entry)]
            if named not in there and not {"{", "$"} & set(named):
                words = f"{own.thing().label}: {'.'.join(map(str, path))} names {named}, and {field} has no such entry"
                place = own.place("spec", "values", *path)
                graph.remark("rejected-value", place, words, own.thing(), needs="")


def _named(values: Mapping[str, Any]) -> Iterator[tuple[_Path, str, str]]:
    """Where an entry is named, its name, and under what it has to stand."""
    for key, service in _entries(values, "service"):
        yield from _text(service, "controller", ("service", key), "controllers")
    for path, service in _behind(values):
        yield from _text(service, "identifier", path, "service")
    for key, volume in _entries(values, "persistence"):
        for controller in _mapping(volume.get("advancedMounts")):
            yield ("persistence", key, "advancedMounts", str(controller)), str(controller), "controllers"
        if (field := _LISTED.get(str(volume.get("type")))) and not volume.get("name"):
            yield from _text(volume, "identifier", ("persistence", key), field)


def _behind(values: Mapping[str, Any]) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
    """What names a Service: a way to it from outside, or what asks it for metrics."""
    for key, ingress in _entries(values, "ingress"):
        for number, host in enumerate(as_list(ingress.get("hosts"))):
            for index, way in enumerate(as_list(_mapping(host).get("paths"))):
                yield (
                    ("ingress", key, "hosts", number, "paths", index, "service"),
                    _mapping(_mapping(way).get("service")),
                )
    for key, route in _entries(values, "route"):
        for number, rule in enumerate(as_list(route.get("rules"))):
            for index, backend in enumerate(as_list(_mapping(rule).get("backendRefs"))):
                yield ("route", key, "rules", number, "backendRefs", index), _mapping(backend)
    for key, monitor in _entries(values, "serviceMonitor"):
        yield ("serviceMonitor", key, "service"), _mapping(monitor.get("service"))


def _entries(values: Mapping[str, Any], field: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, entry in _mapping(values.get(field)).items():
        if _is_on(entry):
            yield str(key), _mapping(entry)


def _text(entry: Mapping[str, Any], field: str, path: _Path, wanted: str) -> Iterator[tuple[_Path, str, str]]:
    if isinstance(named := entry.get(field), str) and named:
        yield (*path, field), named, wanted


def _is_on(entry: object) -> bool:
    return isinstance(entry, Mapping) and entry.get("enabled") is not False


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
