"""One rehearsal, from the first process to the last: applies what a bootstrap applies first, and watches the Flux graph."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rebirth.checking import Proved
from rebirth.commands import Commands
from rebirth.diagnosis.cause import Outlook, label
from rebirth.diagnosis.flux_graph import FluxGraph, StandstillError, followed, held_up
from rebirth.diagnosis.flux_graph import nodes as nodes_of
from rebirth.errors import NotYet
from rebirth.events import BecameReady, Event, Events
from rebirth.findings.taken import taken
from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.living.places import place_of
from rebirth.living.words import meaning
from rebirth.paper.cluster_dns import Kubelets
from rebirth.paper.paper import Paper
from rebirth.phases.made.flux import until_established
from rebirth.proof.reading.machines.networks import cluster_dns
from rebirth.proof.reading.manifest import Model
from rebirth.providers.cluster import Cluster
from rebirth.rehearse import flux, kept
from rebirth.rehearse.api_arguments import arguments, asked_for, gates_of
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.dropped import dropped
from rebirth.rehearse.first import First, first
from rebirth.rehearse.folder import private_folder
from rebirth.rehearse.outside.outside import Outside
from rebirth.rehearse.placing import Placing
from rebirth.rehearse.processes import Processes
from rebirth.rehearse.result import OnPaper, Rehearsed, Stop, merged
from rebirth.run.waiting import Watcher, beside, now, together, until, watched
from rebirth.secrets import Redaction
from rebirth.store.store import Store

COMPONENTS = ("etcd", "kubernetes", *flux.CONTROLLERS)
_WATCH = "watch the Flux graph"
_TAKEN_WITHIN = 15.0  # seconds, for what is there before Flux
_SOMEWHERE = "rehearsal.internal"  # a name outside of the cluster
_AGAIN = 2.0  # seconds between two searches for what the graph waits for
# For so long nothing at all may change before a rehearsal ends: nothing comes from outside any more.
_QUIET = 12.0
_QUIET_AT_WORK = 60.0  # the same, while something says that it is being worked on
# Seconds until a control plane serves on two idle cores, and some; and until it serves Flux's kinds. Where either takes longer,
# all of this takes as many times longer.
_STARTS_WITHIN = 4.0
_KNOWN_WITHIN = 2.0


@dataclass(frozen=True)
class Options:
    budget: float = 1200.0  # seconds
    age_key: Path | None = None  # decrypts what the repository holds encrypted with SOPS


async def programs(tell: Callable[[str], None]) -> tuple[Toolchain, Mapping[str, str]]:
    """What a rehearsal runs, built where it is not in the cache. Raises Broken."""
    toolchain = Toolchain()
    await toolchain.build_all(names=COMPONENTS, begin=tell)
    return toolchain, await toolchain.programs(chosen(COMPONENTS))


async def rehearsed(
    proved: Proved,
    toolchain: Toolchain,
    programs: Mapping[str, str],
    options: Options,
    tell: Callable[[str], None],
    *,
    again: bool,
) -> Rehearsed:
    """The answer that was kept of the very same rehearsal, unless it is to be made `again`; else a new one. Raises Broken."""
    if options.age_key is not None:  # nothing is kept: words of the API server may hold what was decrypted
        return await rehearse(proved, toolchain, programs, options, tell)
    folders = [proved.repository.root, *([proved.directory] if proved.directory else [])]
    of = (proved.proof.worlds[0].cluster, proved.proof.worlds[0].model.root, options)
    digest = kept.digest_of(folders, Store().folder, programs, of)
    if not again and (before := kept.earlier(digest)):
        tell(f"nothing has changed since {time.strftime('%Y-%m-%d %H:%M', time.localtime(before.started))}: its answer")
        return before
    done = await rehearse(proved, toolchain, programs, options, tell)
    kept.keep(digest, done)
    return done


async def rehearse(
    proved: Proved, toolchain: Toolchain, programs: Mapping[str, str], options: Options, tell: Callable[[str], None]
) -> Rehearsed:
    """Ends by itself, and leaves nothing behind. Raises Broken where the rehearsal itself does not work."""
    with private_folder() as folder:
        rehearsal = _Rehearsal(proved, folder, programs, options, tell)
        try:
            return await rehearsal.run(await flux.crds(toolchain))
        finally:
            await rehearsal.stop()


class _Rehearsal:
    def __init__(
        self, proved: Proved, folder: Path, programs: Mapping[str, str], options: Options, tell: Callable[[str], None]
    ) -> None:
        self._world = proved.proof.worlds[0]
        self._proof, self._repository = proved.proof, proved.repository
        self._programs, self._options, self._tell = programs, options, tell
        self._authority = Authority("Rebirth rehearsal")
        self._processes = Processes(folder / "logs")
        self._plane = ControlPlane(folder / "cluster", programs, self._processes, self._authority)
        self._kinds = Kinds(self._authority, [], "git.rehearsal.internal")
        self._paper = Paper(
            self._plane.kubeconfig,
            self._plane.egress,
            self._authority,
            self._kinds,
            kubelets=_kubelets(self._world.model),
        )
        unresolved = self._paper.unresolved
        self._outside = Outside(folder / "outside", self._authority, self._world, Store(), options.age_key, unresolved)
        self._folder, self._started, self._since = folder, time.time(), now()
        self._steps: list[tuple[str, float, float]] = []
        self._cluster: Cluster | None = None
        self._slow = 1.0  # how many times slower than usual the machine is, or 1

    async def run(self, crds: list[dict[str, Any]]) -> Rehearsed:
        given = [one.thing for one in taken(self._world.graph, self._proof.findings)]
        age_key = self._options.age_key.read_text() if self._options.age_key else ""
        objects = first(self._world.model, given, self._world.graph, self._kinds, age_key)
        with self._step("start the control plane"):
            self._plane.arguments = await self._api_arguments()
            self._cluster = cluster = await self._plane.start()
            await self._outside.start(crds)
        self._slower_than(_STARTS_WITHIN)
        self._tell("the API server serves")
        async with beside(self._paper.run()) as alive:
            with self._step("place what is first"):
                placing = await self._begin(cluster, crds, objects)
            self._tell("Flux runs")
            graph = FluxGraph(cluster, ("Kustomization", *objects.root), stands=_QUIET * self._slow, again=_AGAIN)
            with self._step(_WATCH), watched(Watcher(_WATCH, Events(self._hear))):
                async with beside(placing.go_on(objects.later)):
                    await self._watch(graph, alive)
            return await self._told(cluster, graph, placing.refused, [thing.label for thing in given])

    async def _api_arguments(self) -> list[str]:
        if not any((asked := asked_for(self._repository.root)).values()):
            return []
        usage = await Commands(Redaction()).run(
            (self._programs["kube-apiserver"], "--help"), operation="list its feature gates"
        )
        return arguments(asked, gates_of(usage))

    async def stop(self) -> None:
        if self._cluster is not None:
            await self._cluster.close()
        await self._outside.stop()
        await self._processes.stop()

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = now()
        try:
            yield
        finally:
            self._steps.append((name, began - self._since, now() - began))

    def _slower_than(self, usual: float) -> None:
        """What the last step took, against what it takes on two idle cores, and some."""
        self._slow = max(self._slow, self._steps[-1][2] / usual)

    def _hear(self, event: Event) -> None:
        if isinstance(event, BecameReady):
            self._tell(f"{event.node} is Ready")

    async def _begin(self, cluster: Cluster, crds: list[dict[str, Any]], objects: First) -> Placing:
        with self._step("make kinds known"):
            await together(
                *(cluster.apply(crd) for crd in crds), *(cluster.apply(item) for item in self._outside.first())
            )
            await until_established(cluster, [crd["metadata"]["name"] for crd in crds], "Flux's CRDs are established")
        self._slower_than(_KNOWN_WITHIN)
        controllers = flux.Controllers(
            self._folder,
            self._programs,
            self._plane.kubeconfig,
            self._plane.address,
            self._outside.environment,
        )
        await controllers.start(self._processes)
        placing = Placing(cluster, _TAKEN_WITHIN * self._slow)
        for group in objects.before:
            await placing.place(group)
        await self._until_names_resolve()
        for item in objects.flux:
            await placing.place([item])
        return placing

    async def _until_names_resolve(self) -> None:
        """As a bootstrap waits for cluster DNS before Flux, and for so long."""

        async def look() -> None:
            if why := self._paper.unresolved(_SOMEWHERE):
                raise NotYet(why)

        with suppress(TimeoutError):
            async with asyncio.timeout(_TAKEN_WITHIN * self._slow):
                await until(look, what="cluster DNS answers", every=0.2)

    async def _watch(self, graph: FluxGraph, alive: Callable[[], None]) -> None:
        """Returns when all is Ready, or nothing changes any more."""
        still, deadline = _Stillness(self._slow), now() + self._options.budget

        async def look() -> None:
            alive()
            await self._processes.check()
            try:
                await graph.look()
            except NotYet:
                if still.over(graph, now()) or now() > deadline:
                    return
                raise

        try:
            await until(look, what="the Flux graph is Ready", every=0.5)
        except StandstillError:
            return

    async def _told(
        self, cluster: Cluster, graph: FluxGraph, refused: Mapping[str, str], given: list[str]
    ) -> Rehearsed:
        every = await nodes_of(cluster)
        why = {node: graph.why.get(node, []) for node in graph.waiting}
        served = await until(cluster.served, what="the API server lists its kinds")
        found = [
            Stop(
                cause,
                place_of(cause, held, self._world.model, self._world.graph, served),
                tuple(held),
                meaning(cause.message, served),
            )
            for cause, held in held_up(why).items()
        ]
        on_paper = [
            OnPaper(label((work.kind, work.namespace, work.name)), ", ".join(work.images))
            for work in self._paper.workloads()
        ]
        charts = [OnPaper(f"chart {one.chart}", one.made_from) for one in self._outside.stand_ins]
        trees = [OnPaper(f"tree {one}", "nothing is known of it") for one in self._outside.trees]
        return Rehearsed(
            cluster=self._world.cluster,
            seconds=now() - self._since,
            times=tuple((key, at - self._since) for key, at in graph.ready.items()),
            waiting=tuple(graph.waiting),
            suspended=tuple(sorted(every.keys() - followed(every).keys())),
            stops=merged(found),
            memory=self._processes.memory(),
            steps=tuple(self._steps),
            started=self._started,
            dropped=tuple(await dropped(cluster, self._world.model)),
            on_paper=(*trees, *charts, *on_paper),
            missing=tuple(map(str, self._outside.missing)),
            given=tuple(given),
            refused=tuple(f"{what}: {said}" for what, said in refused.items()),
        )


def _kubelets(model: Model) -> Kubelets | None:
    """What a castle's kubelets are told of cluster DNS; None without one."""
    if model.castle is None:
        return None
    kubernetes = model.castle.kubernetes
    asked = [address for address, _ in cluster_dns(model)] or [str(kubernetes.cluster_dns)]
    return Kubelets(asked, kubernetes.service_network)


class _Stillness:
    """For how long no node has become Ready, or come or gone."""

    def __init__(self, slow: float) -> None:
        self._slow = slow
        self._shape: object = None
        self._since = 0.0

    def over(self, graph: FluxGraph, moment: float) -> bool:
        """Whether nothing will come any more, as far as can be told."""
        shape = frozenset(graph.ready), frozenset(graph.waiting)
        if shape != self._shape:
            self._shape, self._since = shape, moment
        causes = [cause for node in graph.waiting for cause in graph.why.get(node, ())]
        working = not causes or any(cause.outlook is Outlook.WORKING for cause in causes)
        return moment - self._since >= (_QUIET_AT_WORK if working else _QUIET) * self._slow
