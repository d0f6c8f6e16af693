"""The ingress gets its address."""

import pytest

from phases.cluster.world import again, castle_with, refused
from rebirth.errors import Broken
from rebirth.phases import find_ingress
from rebirth.run.facts import FluxBootstrapped, MetalLbInstalled
from standins import charts
from standins.controllers import establishes, gives_addresses

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "traefik", "namespace": "traefik"},
    "spec": {"type": "LoadBalancer"},
}


@pytest.fixture
def build(new_world):
    """Flux brings the Service after 40 s; MetalLB gives it an address."""

    def new(*, addresses=True, **sections):
        facts = MetalLbInstalled("1"), FluxBootstrapped("flux-system/flux-system")
        world = new_world(find_ingress, *facts, castle=castle_with(**sections))
        cluster = world.kubernetes
        if addresses:
            cluster.controllers.append(gives_addresses("192.168.50.200"))
        cluster.after(
            40, lambda: cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "traefik"}})
        )
        cluster.after(40, lambda: cluster.put(SERVICE, by="kustomize-controller"))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    assert (await world.create()).address == "192.168.50.200"
    assert world.writes == []


async def test_again(build):
    world = build()
    await again(world)
    world.kubernetes.status(SERVICE, {"loadBalancer": {"ingress": [{"ip": "192.168.50.201"}]}})
    assert not await world.holds()
    assert (await world.create()).address == "192.168.50.201"


async def test_killed_while_it_waits(build):
    world = build()
    await world.kill_after(41)
    assert (await world.create()).address == "192.168.50.200"


async def test_refused(build):
    world = build()
    world.kubernetes.forbids = lambda verb, kind, namespace: "no rights" if verb == "get" else None
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 403


async def test_refused_by_a_service_that_nobody_gives_an_address(build):
    failure = await refused(build(addresses=False), within=find_ingress.PATIENCE + 1)
    assert "the Service traefik/traefik has an address: has no address yet" in str(failure)


GATEWAY = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "external", "namespace": "traefik"},
    "spec": {"gatewayClassName": "cilium", "listeners": []},
}
GATEWAYS = charts.crd("gateway.networking.k8s.io", "Gateway", "gateways")


async def test_from_nothing_a_gateway_whose_kind_comes_late(build):
    world = build(addresses=False, online={"gateway": {"namespace": "traefik", "name": "external"}})
    cluster = world.kubernetes
    cluster.controllers.append(establishes())
    given = {"addresses": [{"type": "IPAddress", "value": "fd00:50::200"}]}
    cluster.after(45, lambda: cluster.put(GATEWAYS))
    cluster.after(50, lambda: cluster.put(GATEWAY, by="kustomize-controller"))
    cluster.after(60, lambda: cluster.status(GATEWAY, given))
    assert (await world.create()).address == "fd00:50::200"
    assert await world.holds()


@pytest.mark.parametrize(
    ("given", "address"),
    [([{"hostname": "lb.example"}], "lb.example"), ([{}, {"ip": "192.168.50.9"}], "192.168.50.9")],
)
async def test_from_nothing_a_service_with_what_a_load_balancer_gave_it(build, given, address):
    world = build(addresses=False, online={"service": {"namespace": "traefik", "name": "traefik"}})
    world.kubernetes.after(50, lambda: world.kubernetes.status(SERVICE, {"loadBalancer": {"ingress": given}}))
    assert (await world.create()).address == address
