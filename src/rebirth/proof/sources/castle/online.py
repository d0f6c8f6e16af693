"""What online means: the way in, what has to be ready, the sites and what they answer through."""

from collections.abc import Mapping
from typing import Any

from rebirth.castle import Online, Site
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import meeting
from rebirth.proof.things import ALWAYS, Milestone, Need, Place, Strength, Thing
from rebirth.run.facts import AwaitedReady, Fact, IngressFound, SitesVisited


def read(model: Model, graph: Graph) -> None:
    if model.castle is None or model.castle.online is None:
        return
    source = _Source(model, graph, model.castle.online)
    source.awaited()
    for index, site in enumerate(model.castle.sites):
        source.site(index, site)


class _Source:
    def __init__(self, model: Model, graph: Graph, online: Online) -> None:
        self.model, self.graph, self.online = model, graph, online
        self.makers = {phase.makes: phase for phase in model.phases}
        name = "service" if online.ingress else "name"
        self.place = model.at("online", online.choice, name)

    def _waits(self, fact: type[Fact], needed: Thing, place: Place) -> None:
        """The phase that makes the fact is done only when `needed` is true."""
        if phase := self.makers.get(fact):
            self.graph.needs(
                meeting.ready(phase.name), needed, Need.HEALTH, place, strength=Strength.BOUNDED, patience=phase.patience
            )  # fmt: skip

    def awaited(self) -> None:
        if entrance := self.online.entrance:
            address = thing(entrance.kind, entrance.namespace, entrance.name, Milestone.READY)
            self._waits(IngressFound, address, self.place)
        if named := self.online.awaited:
            healthy = thing(named.kind, named.namespace, named.name, Milestone.READY)
            self._waits(AwaitedReady, healthy, self.place)

    def site(self, index: int, site: Site) -> None:
        """A site answers through what leads to its host, what stands behind that, and its certificate."""
        answers = thing("site", "", site.host, Milestone.ANSWERS)
        place = self.model.at("online", "sites", index, "host")
        self.graph.where[answers] = place
        self._waits(SitesVisited, answers, place)
        entrance = self.online.entrance
        if self.online.service and entrance:
            # The site's own Service: nothing has to lead to it.
            serves = thing("Service", entrance.namespace, entrance.name, Milestone.SERVES)
            self.graph.needs(answers, serves, Need.SERVICE, self.place, scope=ALWAYS)
        elif entrance:
            self._routed(answers, site, place)
        elif named := self.online.awaited:
            # What leads from a tunnel to a site is often said outside of the tree, by whoever runs its other end.
            healthy = thing(named.kind, named.namespace, named.name, Milestone.READY)
            self.graph.needs(answers, healthy, Need.SERVICE, self.place, scope=ALWAYS)

    def _routed(self, answers: Thing, site: Site, place: Place) -> None:
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
