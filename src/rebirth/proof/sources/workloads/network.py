"""Ways in: Ingresses and their class, Services that need an address, the Gateway API."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.sources import meeting
from rebirth.proof.things import ALWAYS, Atomicity, Milestone, Need, Place, Thing

# spec.controller of an IngressClass -> the operator
_CONTROLLERS = {
    "traefik.io/ingress-controller": "traefik",
    "k8s.io/ingress-nginx": "ingress-nginx",
    "tailscale.com/ts-ingress": "tailscale-operator",
    "cilium.io/ingress-controller": "cilium",
}
_ASKED = (
    "metallb.io/loadBalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
    "lbipam.cilium.io/ips",
    "io.cilium/lb-ipam-ips",
)
_POOLS = ("metallb.io/address-pool", "metallb.universe.tf/address-pool")
_SHARED = (
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
    "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-key",
)
ANY_POOL = thing("address pool", "", "any", Milestone.SERVES)


def ingress_class(name: str) -> Thing:
    return thing("IngressClass", "", name, Milestone.SERVES)


def read(model: Model, graph: Graph) -> None:
    for member, unit in model.objects("IngressClass"):
        _class(member, unit, graph)
    for member, _ in model.objects("Ingress"):
        _ingress(model, member, graph)
    _gateways(model, graph)
    _addresses(model, graph)
    _sharing(model, graph)


# -- Ingress


def _class(member: Manifest, unit: Unit, graph: Graph) -> None:
    serves, place = ingress_class(member.name), member.place("metadata", "name")
    graph.wanted(member.thing())
    graph.needs(serves, member.thing(), Need.APPLIED_BY, place)
    controller = str(member.at("spec", "controller") or "")
    name = _CONTROLLERS.get(controller, controller)
    if graph.makers(knowledge.operator(name)):
        graph.needs(serves, knowledge.operator(name), Need.WORKLOAD, place, f"{name} serves it", scope=ALWAYS)


def _ingress(model: Model, member: Manifest, graph: Graph) -> None:
    serving = member.thing(Milestone.SERVES)
    graph.needs(serving, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
    named = member.at("spec", "ingressClassName")
    if isinstance(named, str) and named and "${" not in named:
        place = member.place("spec", "ingressClassName")
        serves = ingress_class(named)
        graph.wanted(serves._replace(milestone=Milestone.EXISTS))
        graph.needs(serves, serves._replace(milestone=Milestone.EXISTS), Need.APPLIED_BY, place)
        graph.needs(serving, serves, Need.CLASS, place, scope=ALWAYS)
    for number, _ in enumerate(member.items("spec", "rules")):
        for index, _ in enumerate(member.items("spec", "rules", number, "http", "paths")):
            path = ("spec", "rules", number, "http", "paths", index, "backend", "service", "name")
            name = member.at(*path)
            if isinstance(name, str) and model.find("Service", member.namespace, name):
                service = thing("Service", member.namespace, name, Milestone.SERVES)
                graph.needs(serving, service, Need.SERVICE, member.place(*path), scope=ALWAYS)


# -- Gateway API


def _gateways(model: Model, graph: Graph) -> None:
    for member, _ in model.objects("GatewayClass"):
        serves, place = member.thing(Milestone.SERVES), member.place("metadata", "name")
        graph.needs(serves, member.thing(), Need.APPLIED_BY, place)
        controller = str(member.at("spec", "controllerName") or "")
        for known in knowledge.operators():
            if controller in known.gateway_controllers and graph.makers(known.thing):
                graph.needs(serves, known.thing, Need.WORKLOAD, place, f"{known.title} serves it", scope=ALWAYS)
    for member, _ in model.objects("Gateway"):
        if member.group == "gateway.networking.k8s.io":
            _gateway(member, graph)
    for member, _ in model.objects("HTTPRoute", "TLSRoute", "TCPRoute", "GRPCRoute"):
        _route(model, member, graph)


def _gateway(member: Manifest, graph: Graph) -> None:
    done, place = member.thing(Milestone.READY), member.place("spec", "gatewayClassName")
    graph.needs(done, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
    if name := member.at("spec", "gatewayClassName"):
        serves = thing("GatewayClass", "", str(name), Milestone.SERVES)
        graph.wanted(serves._replace(milestone=Milestone.EXISTS))
        graph.needs(serves, serves._replace(milestone=Milestone.EXISTS), Need.APPLIED_BY, place)
        graph.needs(done, serves, Need.CLASS, place, scope=ALWAYS)
    for number, _ in enumerate(member.items("spec", "listeners")):
        for index, one in enumerate(member.items("spec", "listeners", number, "tls", "certificateRefs")):
            if isinstance(one, Mapping) and one.get("name") and str(one.get("kind") or "Secret") == "Secret":
                of = meeting.secret(str(one.get("namespace") or member.namespace), str(one["name"]))
                where = member.place("spec", "listeners", number, "tls", "certificateRefs", index)
                graph.wanted(of)
                graph.needs(member.thing(Milestone.SERVES), of, Need.SECRET, where, "its certificate")
    graph.needs(member.thing(Milestone.SERVES), done, Need.HEALTH, member.place("metadata", "name"))


def _route(model: Model, member: Manifest, graph: Graph) -> None:
    serving = member.thing(Milestone.SERVES)
    graph.needs(serving, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
    for index, parent in enumerate(member.items("spec", "parentRefs")):
        if (
            not isinstance(parent, Mapping)
            or str(parent.get("kind") or "Gateway") != "Gateway"
            or not parent.get("name")
        ):
            continue
        gateway = thing("Gateway", str(parent.get("namespace") or member.namespace), str(parent["name"]))
        graph.wanted(gateway)
        graph.needs(serving, gateway, Need.CLASS, member.place("spec", "parentRefs", index, "name"))
    for number, _ in enumerate(member.items("spec", "rules")):
        for index, one in enumerate(member.items("spec", "rules", number, "backendRefs")):
            name = one.get("name") if isinstance(one, Mapping) else None
            space = str(one.get("namespace") or member.namespace) if isinstance(one, Mapping) else ""
            if isinstance(name, str) and model.find("Service", space, name):
                service = thing("Service", space, name, Milestone.SERVES)
                where = member.place("spec", "rules", number, "backendRefs", index, "name")
                graph.needs(serving, service, Need.SERVICE, where, scope=ALWAYS)


# -- addresses


def _addresses(model: Model, graph: Graph) -> None:
    """Services of type LoadBalancer need somebody who assigns addresses, where the tree has such."""
    kinds = {one.rpartition("/")[2]: known for known in knowledge.operators() for one in known.address_pools}
    names = set()
    for member, _ in model.objects(*kinds):
        known = kinds[member.kind]
        pool, place = thing("address pool", "", member.name, Milestone.SERVES), member.place("metadata", "name")
        names.add(member.name)
        graph.needs(pool, member.thing(), Need.APPLIED_BY, place)
        if graph.makers(known.thing):
            graph.needs(pool, known.thing, Need.WORKLOAD, place, f"{known.title} assigns addresses", scope=ALWAYS)
        graph.makes(pool, ANY_POOL, place, scope=ALWAYS)
    if not names:
        return
    for member, unit in model.objects("Service"):
        if member.group or member.at("spec", "type") != "LoadBalancer" or member.at("spec", "loadBalancerClass"):
            continue
        field = next((one for one in _POOLS if member.annotations.get(one)), "")
        wanted = str(member.annotations.get(field, ""))
        place = member.place("metadata", "annotations", field) if field else member.place("spec", "type")
        needed = thing("address pool", "", wanted, Milestone.SERVES) if wanted in names else ANY_POOL
        # Flux takes a Service without an address as Ready, Helm does not.
        if unit.atomicity is Atomicity.HELM:
            graph.needs(member.thing(Milestone.READY), needed, Need.ADDRESS, place, scope=ALWAYS)


def _sharing(model: Model, graph: Graph) -> None:
    """Services that ask for the same address."""
    asking: dict[str, list[tuple[Manifest, Place]]] = defaultdict(list)
    for member, _ in model.objects("Service"):
        if member.group or member.at("spec", "type") != "LoadBalancer":
            continue
        for address, place in _asked(member):
            asking[address].append((member, place))
    for address, group in asking.items():
        for number, (member, place) in enumerate(group):
            for other, elsewhere in group[:number]:
                if (other.namespace, other.name) != (member.namespace, member.name):
                    _collide(address, (other, elsewhere), (member, place), graph)


def _asked(member: Manifest) -> Iterator[tuple[str, Place]]:
    for field in _ASKED:
        for address in str(member.annotations.get(field) or "").split(","):
            if address.strip() and "${" not in address:
                yield address.strip(), member.place("metadata", "annotations", field)
    plain = member.at("spec", "loadBalancerIP")
    if isinstance(plain, str) and plain and "${" not in plain:
        yield plain, member.place("spec", "loadBalancerIP")


def _collide(address: str, first: tuple[Manifest, Place], second: tuple[Manifest, Place], graph: Graph) -> None:
    one, other = first[0], second[0]
    key, same = _sharing_key(one), _sharing_key(other)
    ports = sorted(_ports(one) & _ports(other))
    names = f"{one.thing().label} and {other.thing().label}"
    if not key or key != same:
        words = f"{names} both ask for {address}, and do not share it"
    elif ports:
        words = f"{names} share {address}, and both listen on {', '.join(ports)}"
    else:
        return
    graph.remark(
        "shared-address", second[1], words, other.thing(), other=one.thing().label, file=first[1].file, address=address
    )


def _sharing_key(member: Manifest) -> str:
    return next((str(member.annotations[field]) for field in _SHARED if member.annotations.get(field)), "")


def _ports(member: Manifest) -> set[str]:
    return {
        f"{port.get('port')}/{port.get('protocol') or 'TCP'}"
        for port in member.items("spec", "ports")
        if isinstance(port, Mapping)
    }
