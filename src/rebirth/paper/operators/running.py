"""Which operators run: those that have a Ready pod of their main container's image."""

from collections import defaultdict
from collections.abc import Callable

from rebirth.paper.api.client import Kind, Object
from rebirth.paper.api.kinds import POD
from rebirth.paper.api.seen import Key, is_true, key_of
from rebirth.proof.charts import knowledge


class Running:
    """`listeners` are called with the name of an operator that has begun to run."""

    def __init__(self) -> None:
        self._pods: defaultdict[str, set[Key]] = defaultdict(set)
        self.listeners: list[Callable[[str], None]] = []

    def heard(self, kind: Kind, item: Object, gone: bool) -> None:
        if kind != POD:
            return
        for container in item["spec"]["containers"]:
            if known := knowledge.of_image(container.get("image", "")):
                self._note(known.name, item, gone)

    def _note(self, name: str, pod: Object, gone: bool) -> None:
        before = bool(self._pods[name])
        ready = not gone and "deletionTimestamp" not in pod["metadata"] and is_true(pod)
        (self._pods[name].add if ready else self._pods[name].discard)(key_of(pod))
        if self._pods[name] and not before:
            for listener in self.listeners:
                listener(name)

    def namespace(self, name: str) -> str | None:
        """Where it runs; None where it does not."""
        return min(self._pods[name])[0] if self._pods[name] else None
