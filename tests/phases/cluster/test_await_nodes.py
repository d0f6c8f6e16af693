"""Nodes that come and become Ready."""

import asyncio

import pytest

from phases.cluster.world import again, refused
from rebirth.errors import Broken
from rebirth.events import Nudged
from rebirth.phases import await_nodes
from standins.programs import Exit, Programs


def node(name):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


@pytest.fixture
def build(new_world):
    """Every node registers after 20 s, and is Ready 10 s later."""

    def new(*, ready=True):
        world = new_world(await_nodes)
        cluster = world.kubernetes
        for machine in world.castle.machines.nodes:
            item = node(machine.name)
            cluster.after(20, lambda item=item: cluster.put(item))
            cluster.after(25, lambda item=item: cluster.condition(item, "Ready", "False", "cni plugin not initialized"))
            if ready:
                cluster.after(30, lambda item=item: cluster.condition(item, "Ready", "True"))
        return world

    return new


async def test_from_nothing(build):
    world = build()
    fact = await world.create()
    assert fact.names == ("lushycorp-k8s", "tazlab-k8s-worker-1")
    assert 30 <= asyncio.get_running_loop().time() <= 31, "a watch tells it at once"
    assert world.writes == []


async def test_again(build):
    world = build()
    await again(world)
    world.kubernetes.condition(node("lushycorp-k8s"), "Ready", "Unknown", "Kubelet stopped posting node status.")
    assert not await world.holds()


async def test_again_where_the_watch_breaks(build):
    world = build()
    world.kubernetes.after(22, world.kubernetes.changes.end)
    await world.create()
    assert asyncio.get_running_loop().time() <= 36, "asking by itself is the safety net"


async def test_killed_while_it_waits(build):
    world = build()
    await world.kill_after(22)
    await world.create()
    assert world.writes == []


async def test_refused(build):
    world = build()
    world.kubernetes.trusts = False
    failure = await refused(world)
    assert isinstance(failure, Broken)
    assert failure.status == 401


async def test_refused_by_a_node_that_never_gets_ready(build):
    failure = await refused(build(ready=False), within=await_nodes.PATIENCE + 1)
    assert "lushycorp-k8s: cni plugin not initialized" in str(failure)


HEAD = (
    "NODE            ID                 HOSTNAME   PEER URLS                    CLIENT URLS                  LEARNER\n"
)


def member(name, *, learner=False):
    return f"192.168.50.11   e4e4533a349b670b   {name}   https://192.168.50.1:2380   https://192.168.50.1:2379   {str(learner).lower()}\n"


@pytest.fixture
async def three(build):
    """Three control planes: the second votes from the beginning, the third is a learner for 100 s."""
    world = build()
    first, worker = world.castle.machines.nodes
    others = [first.model_copy(update={"name": name, "mac": None}) for name in ("second", "third")]
    machines = world.castle.machines.model_copy(update={"nodes": [first, *others, worker]})
    world.castle = world.castle.model_copy(update={"machines": machines})
    for machine in others:
        world.kubernetes.put(node(machine.name))
        world.kubernetes.condition(node(machine.name), "Ready", "True")
    world.paths.talosconfig.write_text("context: castle\n")
    world.learns = 100

    async def talosctl(call):
        if "members" not in call.argv:
            return ""  # no kubelet runs that could be restarted
        learner = asyncio.get_running_loop().time() < world.learns
        return HEAD + member(first.name) + member("second") + member("third", learner=learner)

    world.programs = Programs(talosctl=talosctl)
    return world


async def test_from_nothing_with_a_control_plane_that_has_to_catch_up(three):
    fact = await three.create()
    assert set(fact.names) == {"lushycorp-k8s", "second", "third", "tazlab-k8s-worker-1"}
    assert 100 <= asyncio.get_running_loop().time() <= 111
    assert await three.holds()
    three.learns = float("inf")  # it was wiped, and has joined again
    assert not await three.holds()


async def test_from_nothing_where_the_one_that_is_asked_has_to_catch_up_itself(three):
    """The first control plane was made anew: until it votes its etcd does not even say who does."""
    answers = three.programs.programs["talosctl"]

    async def talosctl(call):
        if "members" in call.argv and asyncio.get_running_loop().time() < 60:
            raise Exit(1, "rpc error: code = Unknown desc = etcdserver: rpc not supported for learner")
        return await answers(call)

    three.programs = Programs(talosctl=talosctl)
    assert set((await three.create()).names) == {"lushycorp-k8s", "second", "third", "tazlab-k8s-worker-1"}


async def test_refused_where_a_control_plane_never_votes(three):
    three.learns = float("inf")
    failure = await refused(three, within=await_nodes.PATIENCE + 1)
    assert "no voting member of etcd yet: third" in str(failure)


async def test_from_nothing_with_kubelets_that_looked_too_early(build):
    """They are restarted once, where they run: one that is still being pulled is left alone, as is one whose node is there."""
    world = build()
    plane, worker = world.castle.machines.nodes
    world.paths.talosconfig.write_text("context: castle\n")

    async def talosctl(call):
        state = "Running" if str(plane.address) in call.argv else "Preparing"
        return f"NODE     x\nID       kubelet\nSTATE    {state}\nHEALTH   OK\n"

    world.programs = Programs(talosctl=talosctl)
    await world.create()
    restarts = [call.option("--nodes") for call in world.programs.calls if call.argv[-1] == "restart"]
    assert restarts == [str(plane.address)]
    assert [event.text.partition(",")[0] for event in world.events if isinstance(event, Nudged)] == [
        f"restarted the kubelet of {plane.name}"
    ]
    asked = len(world.programs.calls)
    assert worker.name in (await world.create()).names
    assert len(world.programs.calls) == asked, "nodes that are there are left alone"


async def test_from_nothing_with_a_kubelet_that_pauses_before_it_describes_its_node(build):
    """It is restarted once, and the node is Ready as soon as the kubelet is fresh."""
    world = build(ready=False)
    plane, _ = world.castle.machines.nodes
    cluster, loop = world.kubernetes, asyncio.get_running_loop()
    for machine in world.castle.machines.nodes:
        cluster.after(26, lambda name=machine.name: cluster.condition(node(name), "Ready", "True"))
    pauses = "failed to initialize CSINode: error updating CSINode annotation: timed out waiting for the condition"
    cluster.after(27, lambda: cluster.condition(node(plane.name), "Ready", "False", pauses))
    world.paths.talosconfig.write_text("context: castle\n")

    async def talosctl(call):
        if call.argv[-1] == "restart" and loop.time() >= 27:
            cluster.after(1, lambda: cluster.condition(node(plane.name), "Ready", "True"))
        return "NODE     x\nID       kubelet\nSTATE    Running\nHEALTH   OK\n"

    cluster.after(26, lambda: cluster.condition(node(plane.name), "Ready", "False", "cni plugin not initialized"))
    world.programs = Programs(talosctl=talosctl)
    await world.create()
    assert loop.time() < 30
    told = [event.text for event in world.events if isinstance(event, Nudged)]
    assert told.count(f"restarted the kubelet of {plane.name}, which looked for its node before it was there") == 1


@pytest.mark.parametrize("joined", [True, False], ids=["its node is there", "it never registered"])
async def test_a_kubelet_whose_restart_was_cut_off_is_started(new_world, joined):
    """Talos stops and starts it one after the other, for as long as somebody waits: a run that is killed in between leaves it
    stopped."""
    world = new_world(await_nodes)
    plane, worker = world.castle.machines.nodes
    world.paths.talosconfig.write_text("context: castle\n")
    ready = [node(plane.name), *([node(worker.name)] if joined else [])]
    for item in ready:
        world.kubernetes.put(item)
    world.kubernetes.condition(node(plane.name), "Ready", "True")
    if joined:
        world.kubernetes.condition(node(worker.name), "Ready", "Unknown", "Kubelet stopped posting node status.")

    async def talosctl(call):
        if call.argv[-1] == "start":
            world.kubernetes.put(node(worker.name))
            world.kubernetes.condition(node(worker.name), "Ready", "True")
        return "ID       kubelet\nSTATE    Finished\nHEALTH   Fail\n"

    world.programs = Programs(talosctl=talosctl)
    await world.create()
    started = [call.option("--nodes") for call in world.programs.calls if call.argv[-1] == "start"]
    assert started == [str(worker.address)]
    assert asyncio.get_running_loop().time() < 25
