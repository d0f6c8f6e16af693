"""Clusters that CloudNativePG's webhook refuses (1.27, internal/webhook/v1/cluster_webhook.go)."""

from collections.abc import Iterator, Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import Refusal

_GROUP = "postgresql.cnpg.io"
_WHY = "CloudNativePG's webhook refuses it, and Flux then applies nothing of the whole Kustomization."
# Where a bootstrap names one of `externalClusters`.
_OUTSIDE = (
    ("spec", "bootstrap", "recovery", "source"),
    ("spec", "bootstrap", "pg_basebackup", "source"),
    ("spec", "bootstrap", "initdb", "import", "source", "externalCluster"),
)


def read(model: Model, graph: Graph) -> None:
    for member in meeting.applied_by_flux(model, "Cluster"):
        if member.group == _GROUP:
            meeting.refused(graph, member, _cluster(member), _WHY)


def _cluster(own: Manifest) -> Iterator[Refusal]:
    for part in ("storage", "walStorage"):
        asked = own.at("spec", part, "pvcTemplate", "resources", "requests", "storage")
        if (part == "storage" or own.at("spec", part) is not None) and not own.at("spec", part, "size") and not asked:
            yield Refusal(("spec", part) if own.at("spec", part) is not None else ("spec",), f"{part} has no size")
    there = {str(one.get("name")) for one in own.items("spec", "externalClusters") if isinstance(one, Mapping)}
    for path in _OUTSIDE:
        name = own.at(*path)
        if isinstance(name, str) and name and name not in there and not any(map(is_open, (name, *there))):
            yield Refusal(path, f"{'.'.join(path[2:])} {name} is none of its externalClusters")
    least, most, instances = (own.at("spec", key) for key in ("minSyncReplicas", "maxSyncReplicas", "instances"))
    if isinstance(most, int) and isinstance(instances, int) and most and most >= instances:
        yield Refusal(("spec", "maxSyncReplicas"), f"maxSyncReplicas {most} is not below the {instances} instances")
    elif isinstance(least, int) and isinstance(most, int) and least > most:
        yield Refusal(("spec", "minSyncReplicas"), f"minSyncReplicas {least} is above maxSyncReplicas {most}")
