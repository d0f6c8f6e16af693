"""What ran on paper, by workload: a pod is told by what keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass

from rebirth.paper.api.client import Kind, Object
from rebirth.paper.api.kinds import POD

_HASH = "pod-template-hash"  # label that a Deployment gives its ReplicaSets and their pods


@dataclass(frozen=True, order=True)
class Workload:
    """A Deployment, StatefulSet, DaemonSet or Job, or a pod that nothing keeps."""

    kind: str
    namespace: str
    name: str
    images: tuple[str, ...]


def workload_of(pod: Object) -> Workload:
    meta, spec = pod["metadata"], pod["spec"]
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    images = tuple(dict.fromkeys(container.get("image", "") for container in containers))
    kind, name = _keeper(meta)
    return Workload(kind, meta.get("namespace", ""), name, images)


def _keeper(meta: Object) -> tuple[str, str]:
    for owner in meta.get("ownerReferences") or []:
        if owner.get("controller"):
            kind, name = owner["kind"], owner["name"]
            ending = f"-{(meta.get('labels') or {}).get(_HASH, '')}"
            if kind == "ReplicaSet" and len(ending) > 1 and name.endswith(ending):
                return "Deployment", name.removesuffix(ending)
            return kind, name
    return "Pod", meta["name"]


class Workloads:
    """All that were seen, gone or not."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], Workload] = {}

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind == POD and not gone:
            found = workload_of(item)
            self._seen[found.kind, found.namespace, found.name] = found

    def __iter__(self) -> Iterator[Workload]:
        yield from sorted(self._seen.values())
