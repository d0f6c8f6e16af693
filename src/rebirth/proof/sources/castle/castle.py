"""The castle: what its phases make and wait for, as castle.yaml says it."""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.castle import Castle, Handover
from rebirth.castle.online import Site
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.sources import meeting
from rebirth.proof.sources.meeting import POD_NETWORK, RELEASE, api, vault_path
from rebirth.proof.things import ALWAYS, Atomicity, Milestone, Need, Place, Strength, Thing
from rebirth.run.facts import (
    Converged,
    FluxBootstrapped,
    HandedOver,
    IngressFound,
    KubernetesBootstrapped,
    NodesReady,
    SitesVisited,
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
    for index, handover in enumerate(model.castle.handovers):
        source.handover(index, handover)
    source.ingress()
    for index, site in enumerate(model.castle.online.sites):
        source.site(index, site)


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
        if not kept.is_dir():
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
        started = {
            m.name: m
            for u in self.model.units
            if bootstrap and u.phase == bootstrap.name
            for m in u.members
            if m.kind == "Deployment"
        }
        for member, unit in self.model.objects(*names, "GitRepository"):
            controller = started.get(names.get(member.kind, "source-controller"))
            # The first Kustomization and its source; all others come after them.
            first = member.kind == "HelmRelease" or (bootstrap is not None and unit.phase == bootstrap.name)
            by = member.thing(Milestone.READY if member.kind == "GitRepository" else Milestone.STARTED)
            if first and bootstrap and not started:
                # The flux program brings controllers that no file tells; the phase waits for them.
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

    def ingress(self) -> None:
        place = self.castle.online.ingress
        address = thing("Service", place.namespace, place.service, Milestone.READY)
        self._waits(self.makers.get(IngressFound), address, self.model.at("online", "ingress", "service"))

    def site(self, index: int, site: Site) -> None:
        """A site answers through an Ingress for its host, what stands behind that, and its certificate."""
        answers = thing("site", "", site.host, Milestone.ANSWERS)
        place = self.model.at("online", "sites", index, "host")
        self.graph.where[answers] = place
        self._waits(self.makers.get(SitesVisited), answers, place)
        route = thing("route to", "", site.host, Milestone.EXISTS)
        self.graph.wanted(route)
        self.graph.needs(answers, route, Need.SERVICE, place, scope=ALWAYS)
        for member, _ in self.model.objects():
            where = _route(member, site.host)
            if where is None:
                continue
            self.graph.makes(member.thing(), route, where, scope=ALWAYS)
            if member.kind == "Ingress":
                self._behind(answers, member, site.host)

    def _behind(self, answers: Thing, ingress: Manifest, host: str) -> None:
        if name := ingress.at("spec", "ingressClassName"):
            serves = thing("IngressClass", "", str(name), Milestone.SERVES)
            self.graph.needs(answers, serves, Need.CLASS, ingress.place("spec", "ingressClassName"), scope=ALWAYS)
        for number, rule in enumerate(ingress.items("spec", "rules")):
            if not isinstance(rule, Mapping) or not _covers(rule.get("host"), host):
                continue
            for index, _ in enumerate(ingress.items("spec", "rules", number, "http", "paths")):
                inside = ("spec", "rules", number, "http", "paths", index, "backend", "service", "name")
                if service := ingress.at(*inside):
                    serves = thing("Service", ingress.namespace, str(service), Milestone.SERVES)
                    self.graph.needs(answers, serves, Need.SERVICE, ingress.place(*inside), scope=ALWAYS)
        for number, entry in enumerate(ingress.items("spec", "tls")):
            if isinstance(entry, Mapping) and host in (entry.get("hosts") or ()) and entry.get("secretName"):
                secret = thing("Secret", ingress.namespace, str(entry["secretName"]), Milestone.MATERIALISED)
                where = ingress.place("spec", "tls", number, "secretName")
                self.graph.needs(answers, secret, Need.SECRET, where, scope=ALWAYS)


def _route(member: Manifest, host: str) -> Place | None:
    """Where an object says that it serves that host."""
    if member.kind == "Ingress":
        for index, rule in enumerate(member.items("spec", "rules")):
            if isinstance(rule, Mapping) and _covers(rule.get("host"), host):
                return member.place("spec", "rules", index, "host")
    elif member.kind == "IngressRoute":
        for index, route in enumerate(member.items("spec", "routes")):
            if isinstance(route, Mapping) and host in str(route.get("match")):
                return member.place("spec", "routes", index, "match")
    elif member.kind in {"HTTPRoute", "TLSRoute"}:
        if host in member.items("spec", "hostnames"):
            return member.place("spec", "hostnames")
    elif member.kind == "HelmRelease" and _mentions(member.at("spec", "values"), host):
        return member.place("spec", "values")
    return None


def _covers(pattern: object, host: str) -> bool:
    """Whether an Ingress' host, a wildcard or none at all, means that host."""
    if not isinstance(pattern, str) or not pattern:
        return True
    return pattern == host or (pattern.startswith("*.") and pattern[1:] == host[host.find(".") :])


def _mentions(value: Any, host: str) -> bool:
    if isinstance(value, str):
        return host in value
    if isinstance(value, Mapping):
        return any(_mentions(item, host) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, host) for item in value)
