"""Kinds of others that a chart which is not known probably contains, because its values switch them on.

Nearly all charts have such objects behind the same words: `serviceMonitor.enabled`, `volumeSnapshotClasses`. Some leave them out
where the kind is not known, so the need is a likely one; and it only says something about order, where somebody brings the kind.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.charts import releases
from rebirth.proof.charts.knowledge import crd
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.proof.things import Atomicity, Need

_MONITORING, _SNAPSHOTS = "monitoring.coreos.com", "snapshot.storage.k8s.io"
_SWITCHES = {
    "servicemonitor": (_MONITORING, "ServiceMonitor"),
    "servicemonitors": (_MONITORING, "ServiceMonitor"),
    "podmonitor": (_MONITORING, "PodMonitor"),
    "podmonitors": (_MONITORING, "PodMonitor"),
    "prometheusrule": (_MONITORING, "PrometheusRule"),
    "prometheusrules": (_MONITORING, "PrometheusRule"),
    "volumesnapshotclass": (_SNAPSHOTS, "VolumeSnapshotClass"),
    "volumesnapshotclasses": (_SNAPSHOTS, "VolumeSnapshotClass"),
    "httproute": ("gateway.networking.k8s.io", "HTTPRoute"),
    "certmanager": ("cert-manager.io", "Certificate"),
}
_Path = tuple[str | int, ...]


def read(model: Model, graph: Graph) -> None:
    for unit in model.units:
        own = unit.own
        if (
            unit.atomicity is not Atomicity.HELM
            or own is None
            or unit.known
            or unit.members
            or not releases.is_release(own)
        ):
            continue
        for kind, path in dict(_switched(own.mapping("spec", "values"), ("spec", "values"))).items():
            needed = crd(*kind)
            if graph.makers(needed):
                words = f"its values switch on a {kind[1]}"
                graph.needs(unit.applied, needed, Need.LIKELY, own.place(*path), words)


def _switched(values: Mapping[str, Any], path: _Path) -> Iterator[tuple[tuple[str, str], _Path]]:
    """Kinds, and where they are switched on; nothing below what is switched off."""
    if values.get("enabled") is False:
        return
    for key, value in values.items():
        kind = _SWITCHES.get(str(key).lower())
        if kind and (where := _on(value)) is not None:
            yield kind, (*path, str(key), *where)
        elif isinstance(value, Mapping):
            yield from _switched(value, (*path, str(key)))


def _on(value: Any) -> _Path | None:
    """The path below a switch that turns it on."""
    if isinstance(value, Mapping):
        return next(((word,) for word in ("enabled", "create") if value.get(word) is True), None)
    return () if isinstance(value, list) and value else None
