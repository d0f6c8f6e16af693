"""Nodes that nobody runs: large, Ready without a heartbeat, labelled as a kubelet of Talos labels its own."""

from dataclasses import dataclass
from functools import cached_property

from rebirth.paper.api.client import Api, Object, Refused
from rebirth.paper.api.kinds import NODE

_LARGE = {"cpu": "1000", "memory": "4Ti", "ephemeral-storage": "10Ti", "pods": "5000"}
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(frozen=True)
class PaperNode:
    """One of them. The number gives it its address and that of its pods."""

    number: int
    control_plane: bool
    version: str = "v1.35.0"

    @property
    def name(self) -> str:
        return f"paper-{self.number}"

    @property
    def address(self) -> str:
        return f"192.0.2.{self.number}"  # RFC 5737: nobody answers there

    @cached_property
    def labels(self) -> dict[str, str]:
        labels = {
            "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": self.name,
        }  # fmt: skip
        if self.control_plane:
            labels |= {CONTROL_PLANE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
        return labels

    def pod_address(self, count: int) -> str:
        """The address of the pod that is the count-th on this node."""
        return (
            f"10.244.{self.number}.{count}"
            if count < 255
            else f"10.{244 + count // 65025}.{count // 255 % 255}.{count % 255}"
        )

    @property
    def manifest(self) -> Object:
        taints = [{"key": CONTROL_PLANE, "effect": "NoSchedule"}] if self.control_plane else []
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": self.labels},
            "spec": {"taints": taints},
        }

    def status(self, now: str) -> Object:
        def condition(kind: str, status: str, reason: str) -> Object:
            times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
            return {"type": kind, "status": status, "reason": reason, "message": "on paper", **times}

        return {
            "capacity": _LARGE,
            "allocatable": _LARGE,
            "addresses": [{"type": "InternalIP", "address": self.address}, {"type": "Hostname", "address": self.name}],
            "conditions": [
                *(condition(kind, "False", f"KubeletHasNo{kind}") for kind in _PRESSURES),
                condition("Ready", "True", "KubeletReady"),
            ],
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": self.version, "kubeProxyVersion": "",
                "containerRuntimeVersion": "paper://0", "osImage": "paper", "kernelVersion": "6.12.0",
                "machineID": self.name, "systemUUID": self.name, "bootID": self.name,
            },
        }  # fmt: skip


def paper_nodes(control_planes: int = 1, workers: int = 2) -> tuple[PaperNode, ...]:
    return tuple(PaperNode(n + 1, n < control_planes) for n in range(control_planes + workers))


async def place(api: Api, nodes: tuple[PaperNode, ...], now: str) -> None:
    """Makes them, Ready; what is there already stays. Raises NotYet."""
    for node in nodes:
        try:
            await api.create(NODE, node.manifest)
        except Refused as refused:
            if refused.status != 409:
                raise
        await api.merge(NODE, "", node.name, {"status": node.status(now)}, "status")
        # Admission (TaintNodesByCondition) marks every new node as not ready; who would take that away does not run.
        await api.merge(NODE, "", node.name, {"spec": node.manifest["spec"]})
