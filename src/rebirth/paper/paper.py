"""Paper as a whole: what stands in for nodes, kubelets, provisioners, webhooks and operators of one API server."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rebirth.paper.api.client import Api
from rebirth.paper.api.kinds import BUILT_IN
from rebirth.paper.api.seen import Seen
from rebirth.paper.api.work import side_by_side
from rebirth.paper.cluster_dns import ClusterDns, Kubelets
from rebirth.paper.given import Invents, Signs
from rebirth.paper.kubelet.nodes import PaperNode, paper_nodes, place
from rebirth.paper.kubelet.pods import Pods
from rebirth.paper.kubelet.scheduling import Scheduler
from rebirth.paper.kubelet.statuses import moment
from rebirth.paper.operators.addresses import Addresses
from rebirth.paper.operators.claims import Claims
from rebirth.paper.operators.copies import Copies
from rebirth.paper.operators.made_by_pods import MadeByPods
from rebirth.paper.operators.operators import Operators
from rebirth.paper.operators.running import Running
from rebirth.paper.serving.answering import answering
from rebirth.paper.serving.trusting import Trusting
from rebirth.paper.serving.tunnel import Tunnel
from rebirth.paper.workloads import Workload, Workloads


@dataclass
class Paper:
    """To be run beside the API server. `egress` is the Unix socket that its EgressSelector leads to. Names resolve for all pods where
    it is not known what the `kubelets` were told of cluster DNS.
    """

    kubeconfig: Path
    egress: Path
    authority: Signs
    invent: Invents
    nodes: Sequence[PaperNode] = field(default_factory=paper_nodes)
    kubelets: Kubelets | None = None
    refused: dict[str, str] = field(default_factory=dict)  # what the API server did not take of paper, and its words

    def __post_init__(self) -> None:
        self._workloads = Workloads()
        self._scheduler: Scheduler | None = None
        self._operators: Operators | None = None
        self._dns: ClusterDns | None = None

    def unresolved(self, host: str) -> str:
        """Why pods do not come by an address of that name; "" where nothing is in the way."""
        return self._dns.unresolved(host) if self._dns else ""

    def workloads(self) -> list[Workload]:
        """What ran on paper."""
        return list(self._workloads)

    def unmet(self) -> dict[str, tuple[str, str]]:
        """Labels that pods ask for and no node has, with one of these pods: they were taken as met."""
        return dict(self._scheduler.unmet) if self._scheduler else {}

    async def unplayed(self) -> list[tuple[str, str]]:
        """Group and kind of custom resources that get nothing on paper, and no status. To be asked while it runs; raises NotYet."""
        return await self._operators.unplayed() if self._operators else []

    async def run(self) -> None:
        """Ends when it is cancelled. Raises NotYet where the API server does not answer at the start."""
        api = Api(self.kubeconfig)
        seen = Seen(api)
        nodes = tuple(self.nodes)
        self._scheduler = Scheduler(api, seen, nodes)
        running = Running()
        if self.kubelets:
            self._dns = ClusterDns(seen, self.kubelets)
        self._operators = Operators(api, seen, running, self.authority, self.invent, self._refused, self.unresolved)
        parts: tuple[Pods | Claims | Trusting | Operators | Addresses | Copies | MadeByPods, ...] = (
            Pods(api, seen, self._scheduler, self._refused),
            Claims(api, seen, running, self._refused),
            Trusting(api, seen, self.authority.pem, self._refused),
            self._operators,
            Addresses(api, seen, running, self._operators.kinds, self._refused),
            Copies(api, seen, running, self._refused),
            MadeByPods(api, seen, self.invent, self._refused),
        )
        seen.listeners += [self._workloads.heard, running.heard, *(part.heard for part in parts)]
        try:
            await place(api, nodes, moment())
            async with Tunnel(self.egress, self.authority, answering(), seen).serving():
                for kind in BUILT_IN:
                    seen.watch(kind)
                await side_by_side(*(part.work.run() for part in parts))
        finally:
            await seen.close()
            await api.close()

    def _refused(self, what: object, words: str) -> None:
        self.refused[str(what)] = words
