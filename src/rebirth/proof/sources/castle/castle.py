"""The castle: what its phases make and wait for, as castle.yaml says it."""

from collections.abc import Iterator

from rebirth.castle import Castle, Handover, StorageOfFlux
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model, Unit, thing
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import POD_NETWORK, RELEASE, api, vault_path
from rebirth.proof.things import ALWAYS, Atomicity, Milestone, Need, Place, Strength, Thing
from rebirth.run.facts import (
    Converged,
    FluxBootstrapped,
    HandedOver,
    KubernetesBootstrapped,
    NodesReady,
    StorageBrought,
    VaultStoreOpened,
)
from rebirth.run.phase import Phase

_FLUX = {"Kustomization": "kustomize.toolkit.fluxcd.io", "HelmRelease": "helm.toolkit.fluxcd.io"}


def read(model: Model, graph: Graph) -> None:
    if model.castle is None:
        return
    source = _Source(model, graph, model.castle)
    source.members()
    source.releases()
    source.cluster()
    source.flux()
    source.controllers()
    source.vault()
    source.storage()
    for index, handover in enumerate(model.castle.handovers):
        source.handover(index, handover)


def node(name: str) -> Thing:
    return thing("node", "", name, Milestone.READY)


class _Source:
    def __init__(self, model: Model, graph: Graph, castle: Castle) -> None:
        self.model, self.graph, self.castle = model, graph, castle
        self.phases = {phase.name: phase for phase in model.phases}
        self.makers = {phase.makes: phase for phase in model.phases}

    def _waits(self, phase: Phase | None, needed: Thing, place: Place, words: str = "") -> None:
        """The phase is done only when `needed` is true."""
        if phase is not None:
            self.graph.needs(
                meeting.ready(phase.name), needed, Need.HEALTH, place, words, strength=Strength.BOUNDED, patience=phase.patience
            )  # fmt: skip

    def members(self) -> None:
        """What phases write, and that they wait for the Deployments among it."""
        for unit in self.model.units:
            if unit.atomicity is not Atomicity.PHASE:
                continue
            for member in unit.members:
                self.graph.makes(unit.applied, member.thing(), member.place("metadata", "name"), need=Need.APPLIED_BY)
                if member.kind == "Deployment":
                    healthy, place = member.thing(Milestone.READY), member.place("metadata", "name")
                    self.graph.needs(healthy, member.thing(), Need.APPLIED_BY, place)
                    self._waits(self.phases.get(unit.phase), healthy, unit.place)

    def releases(self) -> None:
        """What is installed from charts before or beside Flux."""
        for phase, unit in self._releases():
            meeting.takes(self.model, self.graph, phase, unit.applied)
            self.graph.needs(meeting.applied(phase.name), unit.applied, Need.CHART, unit.place)
            self.graph.needs(unit.ready, unit.applied, Need.HEALTH, unit.place, scope=ALWAYS)
            self._waits(phase, unit.ready, unit.place)

    def _releases(self) -> Iterator[tuple[Phase, Unit]]:
        for unit in self.model.units:
            if unit.applied.kind == RELEASE and (phase := self.phases.get(unit.phase)):
                yield phase, unit

    def cluster(self) -> None:
        """The API server and the nodes."""
        bootstrap = self.makers[KubernetesBootstrapped]
        answers, place = api(self.castle), self.model.at("kubernetes", "endpoint")
        self.graph.where[answers] = place
        self.graph.needs(answers, meeting.applied(bootstrap.name), Need.API, place)
        self._waits(bootstrap, answers, place)
        for index, machine in enumerate(self.castle.machines.nodes):
            at = self.model.at("machines", "nodes", index)
            self.graph.where[node(machine.name)] = at
            self.graph.needs(node(machine.name), answers, Need.API, place, scope=ALWAYS)
            self.graph.needs(node(machine.name), POD_NETWORK, Need.NETWORK, at, scope=ALWAYS)
            self._waits(self.makers.get(NodesReady), node(machine.name), at)

    def flux(self) -> None:
        """The last phase of Flux waits for every node of its graph."""
        kept = self.model.root / self.castle.gitops.path / "flux-system"
        if not kept.is_dir() and not self.castle.gitops.flux:
            words = f"{self.castle.gitops.path} has no folder flux-system with Flux's own manifests"
            self.graph.remark("no-flux-manifests", self.model.at("gitops", "path"), words)
        if phase := self.makers.get(Converged):
            for member, _ in self.model.objects(*_FLUX):
                if member.group == _FLUX[member.kind] and member.at("spec", "suspend") is not True:
                    self._waits(phase, member.thing(Milestone.READY), meeting.place(phase))

    def controllers(self) -> None:
        """What Flux does itself needs its controllers, which bootstrap only starts."""
        bootstrap = self.makers.get(FluxBootstrapped)
        names = {"Kustomization": "kustomize-controller", "HelmRelease": "helm-controller"}
        ours = {"source-controller", *names.values()}
        started = {
            m.name: m
            for u in self.model.units
            if bootstrap and u.phase == bootstrap.name
            for m in u.members
            if m.kind == "Deployment" and m.name in ours
        }
        for member, unit in self.model.objects(*names, "GitRepository"):
            controller = started.get(names.get(member.kind, "source-controller"))
            # The first Kustomization and its source; all others come after them.
            first = member.kind == "HelmRelease" or (bootstrap is not None and unit.phase == bootstrap.name)
            by = member.thing(Milestone.READY if member.kind == "GitRepository" else Milestone.STARTED)
            if first and bootstrap and not started:
                # The flux program or an operator brings controllers that no file tells; the phase waits for them.
                ready, place = meeting.ready(bootstrap.name), meeting.place(bootstrap)
                self.graph.needs(by, ready, Need.WORKLOAD, place, scope=ALWAYS)
            if controller is not None and first:
                place = controller.place("metadata", "name")
                self.graph.needs(by, controller.thing(Milestone.READY), Need.WORKLOAD, place, scope=ALWAYS)

    def vault(self) -> None:
        if (store := self.castle.engine.store) is None:
            return
        valid = thing("ClusterSecretStore", "", store.name, Milestone.READY)
        self._waits(self.makers.get(VaultStoreOpened), valid, self.model.at("engine", "store", "name"))

    def storage(self) -> None:
        """A StorageClass that the repository brings."""
        if isinstance(storage := self.castle.storage, StorageOfFlux):
            brought = thing("StorageClass", "", storage.storage_class)
            self.graph.wanted(brought)
            self._waits(self.makers.get(StorageBrought), brought, self.model.at("storage", "storage_class"))

    def handover(self, index: int, handover: Handover) -> None:
        """A Secret that is born in the cluster, the place in Vault that it is written to, and who waits for it there."""
        phase, vault = self.makers.get(HandedOver), self.castle.engine.vault
        if phase is None or vault is None:
            return

        def at(*path: str) -> Place:
            return self.model.at("handovers", index, *path)

        written = thing("handover", "", handover.name, Milestone.APPLIED)
        done = written._replace(milestone=Milestone.READY)
        self.graph.where[written] = self.graph.where[done] = at("name")
        meeting.takes(self.model, self.graph, phase, written)
        born = thing("Secret", handover.born_in.namespace, handover.born_in.secret, Milestone.MATERIALISED)
        self.graph.needs(written, born, Need.SECRET, at("from", "secret"))
        self.graph.reads(written, born, handover.born_in.key, at("from", "key"))
        path = vault_path(vault.mount, handover.to.path)
        self.graph.makes(written, path, at("to", "path"))
        self.graph.starts.pop(path, None)  # it is there before only for those who need none of it
        self.graph.holds(path, [handover.to.property], at("to", "property"))
        self.graph.needs(done, written, Need.HEALTH, at("name"))
        if waiting := handover.external_secret:
            synced = thing("ExternalSecret", waiting.namespace, waiting.name, Milestone.READY)
            self.graph.needs(done, synced, Need.HEALTH, at("external_secret"))
        if last := handover.ready:
            healthy = thing(last.kind, last.namespace, last.name, Milestone.READY)
            self.graph.needs(done, healthy, Need.HEALTH, at("ready"))
        self._waits(phase, done, meeting.place(phase))
