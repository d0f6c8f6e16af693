"""What an operator would do with a custom resource, as far as `knowledge` says. Pure functions over objects.

External Secrets and cert-manager take more than a name and a path: they have a file each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rebirth.paper.api.client import Object
from rebirth.paper.api.seen import is_true
from rebirth.paper.kubelet.needs import Keys
from rebirth.paper.operators.making import Making
from rebirth.proof.charts import knowledge
from rebirth.proof.charts.knowledge import Reports


class World(Protocol):
    """What exists."""

    def keys(self, kind: str, namespace: str, name: str) -> Keys | None:
        """Of a Secret or ConfigMap; None where there is none."""
        ...

    def custom(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        """Another custom resource of a known operator."""
        ...

    def unresolved(self, host: str) -> str:
        """Why a pod does not come by an address of that name; "" where nothing is in the way."""
        ...

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Their labels by name."""
        ...


@dataclass(frozen=True)
class Due:
    """What is to be made of it now, and what it waits for ("" for nothing: it is as it should be)."""

    makes: tuple[Making, ...] = ()
    waits: str = ""
    others: tuple[Object, ...] = ()  # custom resources that it makes: each is made once, and looked at as any other


def lacks(world: World, kind: str, namespace: str, name: str, key: str = "") -> str:
    """Why a Secret or ConfigMap cannot be read; "" where it can."""
    keys = world.keys(kind, namespace, name)
    if keys is None:
        return f"{kind} {namespace}/{name} does not exist"
    return f"{kind} {namespace}/{name} has no key {key}" if key and not keys.has(key, as_text=False) else ""


def group_of(item: Mapping[str, Any]) -> str:
    return str(item["apiVersion"]).rpartition("/")[0]


def not_ready(world: World, group: str, kind: str, namespace: str, name: str) -> str:
    """Why something waits for another custom resource; "" where that is Ready."""
    found = world.custom(group, kind, namespace, name)
    place = f"{namespace}/{name}" if namespace else name
    if found is None:
        return f"{kind} {place} does not exist"
    return "" if is_true(found) else f"{kind} {place} is not ready"


def due(item: Object, namespace: str, world: World) -> Due:
    """For every kind that names and paths say enough of; `namespace` is the operator's."""
    group = group_of(item)
    waits = next((why for read in knowledge.read_by(group, item) if (why := lacks(world, *read))), "")
    made = [one for one in knowledge.made_by(group, item, namespace) if not (waits and one.when_ready)]
    return Due(
        tuple(
            Making(one.kind, one.namespace, one.name, one.keys, address=one.address, ports=one.ports) for one in made
        ),
        waits,
    )


def status(item: Object, says: Reports, waits: str, now: str) -> Object | None:
    """The status as the operator writes it; None where it writes nothing, or has written that already."""
    said = says.not_yet if waits else says
    if said is None:
        return None
    generation = item["metadata"].get("generation", 1)
    before = item.get("status") or {}
    fields = {} if waits else dict(says.status)
    conditions = before.get("conditions") or []
    held: Object = next((one for one in conditions if one["type"] == says.type), {})
    entry = {
        "type": says.type, "status": "False" if waits else "True", "reason": said.reason,
        "message": f"{said.message}: {waits}" if waits else said.message or said.reason, "observedGeneration": generation,
    } if said.reason else {}  # fmt: skip
    # Some kinds have no observedGeneration: the API server drops it.
    same = all(held.get(key) == value for key, value in entry.items() if key != "observedGeneration")
    current = held.get("observedGeneration", before.get("observedGeneration", generation)) == generation
    if same and current and all(before.get(key) == value for key, value in fields.items()):
        return None
    if entry:
        kept = held.get("status") == entry["status"] and "lastTransitionTime" in held
        since = held["lastTransitionTime"] if kept else now
        others = [one for one in conditions if one["type"] != says.type]
        fields["conditions"] = [*others, {**entry, "lastTransitionTime": since}]
    return {**fields, "observedGeneration": generation}


Does = Callable[[Object, str, World], Due]
