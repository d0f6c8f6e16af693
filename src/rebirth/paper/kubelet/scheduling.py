"""The scheduler on paper: it binds a pod once its claims are bound, and takes selectors, affinities and resources as met."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from rebirth.paper.api.client import Api, Object, Refused
from rebirth.paper.api.kinds import CLAIM, POD, STORAGE_CLASS
from rebirth.paper.api.seen import Seen
from rebirth.paper.kubelet import needs
from rebirth.paper.kubelet.nodes import PaperNode
from rebirth.paper.kubelet.there import Namespace

_SELECTED = "volume.kubernetes.io/selected-node"


@dataclass
class Scheduler:
    """`unmet` holds what was taken as met: the labels that no node has, and a pod that asks for them."""

    api: Api
    seen: Seen
    nodes: tuple[PaperNode, ...]
    unmet: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name = {node.name: node for node in self.nodes}
        self._turn = cycle([node for node in self.nodes if not node.control_plane] or self.nodes)

    def node(self, name: str) -> PaperNode:
        """The node of that name; a pod that names one which nobody has is on the first."""
        return self._by_name.get(name, self.nodes[0])

    async def bind(self, pod: Object) -> PaperNode | None:
        """Binds it; None where something holds it back."""
        meta = pod["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        if needs.unbound(pod, Namespace(self.seen, namespace)):
            await self._select(pod)
            return None
        node = self._choose(pod)
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name, "namespace": namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node.name},
        }
        try:
            await self.api.create(POD, binding, "binding")
        except Refused as refused:
            if refused.status != 409:  # 409: it is bound already, and the watch has not told yet
                raise
        return node

    def _choose(self, pod: Object) -> PaperNode:
        if own := _of_daemon_set(pod):
            return self.node(own)
        labels: Mapping[str, Mapping[str, str]] = {node.name: node.labels for node in self.nodes}
        if wanted := needs.wanted_labels(pod, labels):
            meta = pod["metadata"]
            self.unmet.setdefault(wanted, (meta.get("namespace", ""), meta["name"]))
            return next(self._turn)
        fitting = [n for n in self.nodes if not needs.wanted_labels(pod, {n.name: n.labels})]
        turn = next(self._turn)
        return turn if turn in fitting else fitting[0]

    async def _select(self, pod: Object) -> None:
        """Claims of a class that waits for its first consumer are told which node that is on."""
        namespace = pod["metadata"].get("namespace", "")
        for name in needs.claims(pod):
            claim = self.seen.get(CLAIM, namespace, name)
            if claim is None or (claim.get("status") or {}).get("phase") != "Pending":
                continue
            found = self.seen.get(STORAGE_CLASS, "", claim["spec"].get("storageClassName") or "")
            annotations = claim["metadata"].get("annotations") or {}
            if found and found.get("volumeBindingMode") == "WaitForFirstConsumer" and _SELECTED not in annotations:
                change = {"metadata": {"annotations": {_SELECTED: self._choose(pod).name}}}
                await self.api.merge(CLAIM, namespace, name, change)


def _of_daemon_set(pod: Object) -> str:
    """The node that a DaemonSet's controller made it for."""
    affinity: Any = pod["spec"].get("affinity") or {}
    required = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for one in term.get("matchFields") or []:
            if one["key"] == "metadata.name" and one["operator"] == "In":
                return str(one["values"][0])
    return ""
