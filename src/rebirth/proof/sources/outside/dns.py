"""Names: how a pod comes from a host name to an address, through the cluster's DNS and the zones that it forwards.

Runs after the sources that need names. A node asks its own resolver, which is there before the cluster.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading.machines.networks import cluster_dns, is_hidden, service_networks
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.reading.talos import Merged
from rebirth.proof.sources import addresses, meeting
from rebirth.proof.sources.outside.corefile import corefiles
from rebirth.proof.sources.outside.corefile.asked import forward_of, server_of
from rebirth.proof.sources.outside.corefile.words import Forward, Meaning, Rewrite, address_of, host_of
from rebirth.proof.things import ALWAYS, NOWHERE, Edge, Milestone, Need, Place, Scope, Thing

CLUSTER_DNS, ZONE, NAME, NODE_NAME = "cluster DNS", "zone", "name", "node name"
DEFAULT_ADDRESS, DEFAULT_DOMAIN, DEFAULT_SERVICES = "10.96.0.10", "cluster.local", "10.96.0.0/12"
FQDN = "tailscale.com/tailnet-fqdn"
_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicaSet"}
_TAILNET, _RESOLVER = "ts.net", "100.100.100.100"  # names of tailnets, and the resolver that a machine on one has
_DEEPEST = 8  # rewrites and aliases after one another


def read(model: Model, graph: Graph) -> None:
    source = _Source(model, graph)
    source.served()
    source.names()
    source.node_names()


def serving(address: str) -> Thing:
    return thing(CLUSTER_DNS, "", address, Milestone.SERVES)


class _Source:
    def __init__(self, model: Model, graph: Graph) -> None:
        self.model, self.graph = model, graph
        self.addresses = cluster_dns(model)
        if not self.addresses:
            castle = model.castle
            address = str(castle.kubernetes.cluster_dns) if castle else DEFAULT_ADDRESS
            self.addresses = [(address, NOWHERE if castle else self._disabled() or NOWHERE)]
        self.domain = model.castle.kubernetes.cluster_domain if model.castle else DEFAULT_DOMAIN
        said = [network for network, _ in service_networks(model)] or [IPv4Network(DEFAULT_SERVICES)]
        self.services = model.castle.kubernetes.service_network if model.castle else said
        self.tailnet: set[str] = set()  # addresses of Tailscale's nameservers
        self.by_address = dict(self._service_addresses())
        self.corefile = corefiles.find(model, graph, self.addresses[0][0])
        self._asking: dict[Thing, list[Edge]] | None = None

    def _service_addresses(self) -> Iterator[tuple[str, tuple[Thing, Place]]]:
        """Services with an address of their own choice, those that operators make included."""
        for one in addresses.asked(self.model):
            serves = one.service._replace(milestone=Milestone.SERVES)
            if one.is_made:
                if one.member.kind == "DNSConfig":
                    self.tailnet.add(one.address)
                self._made(one.member, serves)
            yield one.address, (serves, one.place)

    def _made(self, member: Manifest, serves: Thing) -> None:
        """A Service that an operator makes of a custom resource serves while the operator runs."""
        place = member.place("metadata", "name")
        if not self.graph.edges.get(serves):
            self.graph.makes(member.thing(), serves, place)
        if known := knowledge.of_kind(member.group, member.kind):
            self.graph.makes(known.thing, serves, place, f"{known.title} runs it", scope=Scope.COLD_RESTART)

    # -- who serves

    def served(self) -> None:
        """Who stands at the address that pods ask."""
        for address, said in self.addresses:
            dns = serving(address)
            self.graph.where.setdefault(dns, said)
            if found := self.by_address.get(address):
                serves, place = found
                self.graph.makes(serves, dns, place, need=Need.SERVICE, scope=ALWAYS)
            for member, _ in self.model.objects("HelmRelease"):
                if corefiles.is_coredns(member, address):
                    place = member.place("metadata", "name")
                    self.graph.makes(member.thing(Milestone.READY), dns, place, need=Need.SERVICE, scope=ALWAYS)
            if not self.graph.makers(dns) and not self._nobody():
                self.graph.given(dns, "every cluster has one; these files do not mention it")
            self.graph.wanted(dns)
        if self.model.castle:
            self._pods_ask()

    def _nobody(self) -> bool:
        """Whether files say that the cluster comes without a DNS of its own."""
        if self.model.castle:
            return True
        return self._disabled() is not None and not is_hidden(self.model)

    def _disabled(self) -> Place | None:
        """Where machines are told to do without Talos' CoreDNS."""
        said = (Merged(machine.patches).last("cluster", "coreDNS", "disabled") for machine in self.model.machines)
        return next((found.place for found in said if found and found.value is True), None)

    def _pods_ask(self) -> None:
        """A castle is done only when pods can resolve names."""
        for address, said in self.addresses[:1]:
            from rebirth.run.facts import Converged

            last = next(phase for phase in self.model.phases if phase.makes is Converged)
            self.graph.needs(meeting.ready(last.name), serving(address), Need.NAME, said, "pods ask it")

    def _asks(self, by: Thing, place: Place) -> None:
        # Any one of the servers is enough: the first is asked first.
        for address, _ in self.addresses[:1]:
            self.graph.needs(by, serving(address), Need.NAME, place, f"asks {address}", scope=ALWAYS)

    # -- names

    def names(self) -> None:
        done: set[Thing] = set()
        while pending := [found for found in list(self.graph.edges) if found.kind == NAME and found not in done]:
            for name in pending:
                done.add(name)
                if name not in self.graph.starts and not self.graph.edges[name]:
                    self._resolve(name)

    def _users(self, name: Thing) -> list[Edge]:
        """The edges of those who ask for a name."""
        if self._asking is None:
            self._asking = defaultdict(list)
            for edge in self.graph.all_edges():
                if edge.needs.kind == NAME:
                    self._asking[edge.needs].append(edge)
        return self._asking.get(name, [])

    def _resolve(self, name: Thing) -> None:
        users = self._users(name)
        asked = users[0].place if users else NOWHERE
        self.graph.where.setdefault(name, asked)
        self._asks(name, asked)
        host, place, server = self._rewritten(name.name.lower().rstrip(".") + ".")
        if server is not None and (host in server.hosts or server.opens):
            return
        if found := self._service(host, server):
            self._inside(name, found, place or asked)
            return
        forward = forward_of(server, host)
        if self._is_lost(host, server, forward):
            words = f"{name.name} is a name of the tailnet, and cluster DNS forwards {_TAILNET} to no resolver that knows it"
            self.graph.remark("tailnet-name", asked, words, name)
        if forward is not None and self.corefile is not None:
            place = self.corefile.zone_place(_zone_of(server, forward), forward.line)
            self._forwarded(name, host, forward, place)

    def _is_lost(self, host: str, server: Meaning | None, forward: Forward | None) -> bool:
        """Whether a castle's pods ask the machines' own resolvers for a name of the tailnet, which only its resolver knows."""
        castle = self.model.castle
        if castle is None or self.corefile is None or not host.endswith(f".{_TAILNET}."):
            return False
        if forward is not None and _zone_of(server, forward) != ".":
            return False
        return not any(str(address) == _RESOLVER for address in castle.machines.nameservers)

    def _server(self, host: str) -> Meaning | None:
        return server_of(self.corefile.meanings if self.corefile else (), host)

    def _rewritten(self, host: str) -> tuple[str, Place | None, Meaning | None]:
        """The name that is looked up in the end. A server block rewrites names for its own plugins only."""
        server, place = self._server(host), None
        for rule in server.rewrites if server else ():
            if (after := _applied(rule, host)) is not None:
                place = self.corefile.zone_place(host, rule.line) if self.corefile else None
                return after, place, server
        return host, place, server

    def _service(self, host: str, server: Meaning | None) -> tuple[str, str] | None:
        """Name and namespace of the Service that a name means."""
        bare = host.rstrip(".")
        zones = [zone.rstrip(".") for zone in server.cluster] if server else [self.domain]
        for zone in [*zones, self.domain]:
            if bare.endswith(f".svc.{zone}"):
                parts = bare.removesuffix(f".svc.{zone}").split(".")
                return (parts[-2], parts[-1]) if len(parts) > 1 else None
        parts = bare.removesuffix(".svc").split(".")
        # A short name goes through the pod's search list: it is a Service's only if there is one.
        if len(parts) == 2 and (bare.endswith(".svc") or self._knows(parts[0], parts[1])):
            return parts[0], parts[1]
        return None

    def _knows(self, name: str, namespace: str) -> bool:
        return (
            bool(self.model.find("Service", namespace, name)) or thing("Service", namespace, name) in self.graph.edges
        )

    def _inside(self, name: Thing, found: tuple[str, str], place: Place) -> None:
        service = thing("Service", found[1], found[0])
        self.graph.wanted(service)
        self.graph.needs(name, service, Need.NAME, place, "resolves through the Service")
        member = next((member for member, _ in self.model.find("Service", found[1], found[0])), None)
        if member and member.at("spec", "type") == "ExternalName" and FQDN not in member.annotations:
            other = str(member.at("spec", "externalName", default="")).rstrip(".")
            if other and other != name.name:
                alias, where = thing(NAME, "", other, Milestone.RESOLVES), member.place("spec", "externalName")
                self.graph.needs(name, alias, Need.NAME, where, "resolves through an ExternalName", scope=ALWAYS)
                self._asking = None  # one more who asks for a name
            return
        # Who is no workload connects to it at once: a store, a source, an issuer.
        for edge in self._users(name):
            if edge.by.kind not in _WORKLOADS and edge.by.kind != NAME:
                serves = service._replace(milestone=Milestone.SERVES)
                self.graph.needs(edge.by, serves, Need.SERVICE, edge.place, edge.words, scope=ALWAYS)

    def _forwarded(self, name: Thing, host: str, forward: Forward, place: Place) -> None:
        addresses = [address for target in forward.to if (address := address_of(target))]
        inside = [address for address in addresses if self._is_inside(address)]
        for target in forward.to:
            if asked := host_of(target):
                node = thing(NODE_NAME, "", asked, Milestone.RESOLVES)
                self.graph.needs(name, node, Need.NAME, place, "resolves through a server with this name")
        if not inside or len(inside) < len(forward.to):
            return  # at least one server is outside the cluster
        zone = _zone_of(self._server(host), forward)
        answers = thing(ZONE, "", zone, Milestone.ANSWERS)
        self.graph.where.setdefault(answers, place)
        self.graph.needs(name, answers, Need.ZONE, place, f"{zone} is forwarded to {', '.join(inside)}", scope=ALWAYS)
        if self.tailnet & set(inside):
            self._in_tailnet(name, host.rstrip("."), place)
        if answers in self.graph.made:
            return
        self.graph.wanted(answers)
        for address in inside:
            if found := self.by_address.get(address) or self._misspelt():
                self.graph.makes(found[0], answers, found[1], f"at {address}", need=Need.SERVICE, scope=ALWAYS)
            else:
                self.graph.remark("forward-to-nobody", place, address, answers, zone=zone, address=address)

    def _misspelt(self) -> tuple[Thing, Place] | None:
        """A Service whose address is one that it cannot have: that is told there, and it is the one that is meant."""
        refused = {remark.place for remark in self.graph.marked("no-address")}
        return next((found for found in self.by_address.values() if found[1] in refused), None)

    def _in_tailnet(self, name: Thing, host: str, place: Place) -> None:
        """Tailscale's nameserver knows the names for which there is a Service that leads out to them, and no others."""
        known = thing("egress to", "", host)
        self.graph.where.setdefault(known, place)
        self.graph.wanted(known)
        self.graph.needs(name, known, Need.NAME, place, "resolves through a Service that leads to it", scope=ALWAYS)
        for member, _ in self.model.objects("Service", "Ingress"):
            if str(member.annotations.get(FQDN, "")).rstrip(".").lower() == host:
                where = member.place("metadata", "annotations", FQDN)
                self.graph.makes(member.thing(), known, where, scope=ALWAYS)

    def _is_inside(self, address: str) -> bool:
        if address in self.by_address:
            return True
        try:
            return any(ip_address(address) in one for one in self.services)
        except ValueError:
            return False

    # -- names that nodes ask for

    def node_names(self) -> None:
        """A node asks the resolvers of its machine configuration: the cluster's only if it names no other."""
        inside = [self.by_address[address] for address in self._nameservers() if address in self.by_address]
        for name in [
            found for found in list(self.graph.edges) if found.kind == NODE_NAME and not self.graph.edges[found]
        ]:
            if inside:
                for serves, place in inside:
                    self.graph.makes(serves, name, place, need=Need.NAME, scope=ALWAYS)
            else:
                self.graph.given(name, "the node's own resolver")

    def _nameservers(self) -> list[str]:
        """All resolvers of the machines, if each is inside the cluster; none otherwise."""
        found = [
            str(item.value)
            for machine in self.model.machines
            for item in Merged(machine.patches).items("machine", "network", "nameservers")
        ]
        return found if found and all(address in self.by_address for address in found) else []


def _zone_of(server: Meaning | None, forward: Forward) -> str:
    """The zone that is forwarded: the forward's own, or its server block's where that says `.`"""
    if forward.zone != "." or server is None:
        return forward.zone.rstrip(".")
    zone = max((zone.name for zone in server.server.zones), key=len, default=".")
    return zone.rstrip(".") or "."


def _applied(rule: Rewrite, host: str) -> str | None:
    """The name after a rewrite; None where the rule does not match."""
    if rule.kind == "exact":
        return rule.after if host == rule.before else None
    if rule.kind == "suffix":
        return host.removesuffix(rule.before) + rule.after if host.endswith(rule.before) else None
    if rule.kind == "prefix":
        return (
            rule.after.rstrip(".") + host.removeprefix(rule.before.rstrip("."))
            if host.startswith(rule.before.rstrip("."))
            else None
        )
    if rule.kind == "substring":
        before, after = rule.before.rstrip("."), rule.after.rstrip(".")
        return host.replace(before, after) if before in host else None
    try:
        found = re.search(rule.before, host)
    except re.error:
        return None
    if found is None:
        return None
    after = re.sub(
        r"\{(\d+)\}", lambda m: (found.group(int(m[1])) or "") if int(m[1]) <= len(found.groups()) else "", rule.after
    )
    return after if after.endswith(".") else f"{after}."
