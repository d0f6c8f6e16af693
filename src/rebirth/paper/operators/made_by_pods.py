"""What pods on paper make themselves, as far as `knowledge` says: the Secret of a Job that generates certificates, and the like."""

from collections.abc import Callable

from rebirth.paper.api.client import Api, Kind, Object, Refused
from rebirth.paper.api.kinds import CONFIG_MAP, POD, SECRET
from rebirth.paper.api.seen import Key, Seen, is_true, key_of
from rebirth.paper.api.work import Work
from rebirth.paper.given import Invents
from rebirth.paper.operators.making import Making
from rebirth.proof.charts import knowledge

_KINDS = {"Secret": SECRET, "ConfigMap": CONFIG_MAP}


class MadeByPods:
    """Looks at each pod once it is Ready or has succeeded."""

    def __init__(self, api: Api, seen: Seen, invent: Invents, refused: Callable[[Key, str], None]) -> None:
        self._api, self._seen, self._invent = api, seen, invent
        self.work: Work[Key] = Work(self._look, refused, at_once=2)

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind == POD and not gone and _made(item):
            done = (item.get("status") or {}).get("phase") == "Succeeded"
            if done or is_true(item):
                self.work.add(key_of(item))

    async def _look(self, key: Key) -> None:
        pod = self._seen.get(POD, *key)
        for making in _made(pod) if pod else ():
            kind = _KINDS[making.kind]
            if self._seen.get(kind, making.namespace, making.name) is None:
                try:
                    await self._api.create(kind, making.manifest(None, self._invent))
                except Refused as refused:
                    if refused.status != 409:  # 409: somebody else made it
                        raise


def _made(pod: Object) -> list[Making]:
    namespace, spec = pod["metadata"].get("namespace", ""), pod["spec"]
    return [
        Making(one.kind, one.namespace, one.name, one.keys)
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]
        for one in knowledge.made_by_pod(container, namespace)
        if one.kind in _KINDS
    ]
