"""etcd is bootstrapped once, whatever happens in between; the API that comes of it is waited for. Over loopback, on real time."""

import asyncio
from pathlib import Path

import pytest

from phases.cluster.world import castle
from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.events import Events, Waiting
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.paths import Paths
from rebirth.phases import bootstrap_kubernetes
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.providers.access import ClusterAccess
from rebirth.providers.talos import Talosctl
from rebirth.run.create import given
from rebirth.run.engine import Engine
from rebirth.run.facts import MachinesConfigured
from rebirth.run.journal import Journal, Once
from rebirth.run.phase import read
from rebirth.run.waiting import Watcher, watched
from rebirth.secrets import Redaction
from standins.apiserver import kubernetes_app
from standins.charts import namespace
from standins.conftest import write_kubeconfig
from standins.kubernetes import Kubernetes
from standins.programs import Exit, Programs

HEAD = "NODE   SERVICE   STATE   HEALTH   LAST CHANGE   LAST EVENT\n"
ETCD_IS_UP = "192.168.50.11   etcd   Running   OK   1s ago   Started task etcd (PID 1)\n"
ETCD_WAITS = "192.168.50.11   etcd   Preparing   ?   1s ago   Running pre state\n"  # for its bootstrap


class Machine:
    """The first control plane: its talosctl, and an API server that has made kube-system 0.2 s after etcd was bootstrapped."""

    def __init__(self, paths, served, kubernetes, faults):
        self.paths, self.served, self.kubernetes, self.faults = paths, served, kubernetes, faults
        self.bootstraps, self.written, self.etcd = 0, lambda: None, False
        self.refuses = ""
        self.loses = False  # the answer to the bootstrap
        self.others = ()  # addresses of other control planes, on which etcd runs
        kubernetes.take("v1", "Namespace", "kube-system")
        paths.produced.mkdir(parents=True)
        paths.talosconfig.write_text("context: tazlab-k8s\n")

    async def talosctl(self, call):
        if self.refuses and "bootstrap" in call.argv:
            raise Exit(1, self.refuses)
        if "services" in call.argv:
            there = self.etcd or any(address in call.argv for address in self.others)
            return HEAD + (ETCD_IS_UP if there else ETCD_WAITS)
        if "bootstrap" in call.argv:
            if self.etcd:
                raise Exit(
                    1,
                    "error executing bootstrap: rpc error: code = AlreadyExists desc = etcd data directory is not empty",
                )
            self.bootstraps += 1
            self.come_up()
            if self.loses:
                self.loses = False
                raise Exit(1, "error executing bootstrap: rpc error: code = Unavailable desc = EOF")
        elif "kubeconfig" in call.argv:
            write_kubeconfig(Path(call.argv[-1]), self.served.url, str(self.served.ca))
        self.written()
        await asyncio.sleep(0)
        return ""

    def come_up(self):
        self.etcd = True
        self.kubernetes.after(0.2, lambda: self.kubernetes.put(namespace("kube-system")))

    @property
    def client(self):
        return Talosctl(paths=self.paths, commands=Programs(talosctl=self.talosctl))

    async def attempt(self):
        """The phase, once: what it raises is not tried again."""
        spec = castle()
        first = spec.machines.control_planes[0]
        others = [first.model_copy(update={"name": f"other-{at}", "address": at}) for at in self.others]
        machines = spec.machines.model_copy(update={"nodes": (*spec.machines.nodes, *others)})
        with Journal(self.paths.state) as journal:
            return await bootstrap_kubernetes.bootstrap_kubernetes(
                machines, spec.kubernetes, self.client, ClusterAccess(self.paths), Once(journal), MachinesConfigured(())
            )

    def progress(self):
        with Journal(self.paths.state) as journal:
            return journal.progress(ETCD)

    async def run(self, *, may_run=True):
        clients = {
            Talosctl: self.client,
            ClusterAccess: ClusterAccess(self.paths),
            MachinesConfigured: MachinesConfigured(()),
        }
        known = given(castle(), self.paths, Redaction()) | clients
        with Journal(self.paths.state) as journal:
            phases = [read(bootstrap_kubernetes)]
            return await Engine(phases, (), known, journal, Events(), may_run=lambda _: may_run).run()


@pytest.fixture
async def build(serve, tmp_path):
    numbers = iter(range(100))

    async def new():
        folder, kubernetes, faults = tmp_path / f"life-{next(numbers)}", Kubernetes(), Faults()
        paths = Paths(folder, folder, folder / "produced", folder / "state", folder / "logs")
        served = await serve(faults.around("kubernetes", kubernetes_app(kubernetes)))
        return Machine(paths, served, kubernetes, faults)

    return new


async def test_from_nothing(build):
    machine = await build()
    outcome = await machine.run()
    assert outcome.ok, outcome.failures
    assert machine.bootstraps == 1
    assert machine.paths.kubeconfig.stat().st_mode & 0o777 == 0o600


async def test_again(build):
    machine = await build()
    assert (await machine.run()).ok
    assert (await machine.run(may_run=False)).ok
    (machine.paths.state / "journal.jsonl").unlink()  # its record of what is done only once with it
    assert (await machine.run()).ok
    assert machine.bootstraps == 1
    machine.kubernetes.take("v1", "Namespace", "kube-system")
    assert not (await machine.run(may_run=False)).ok


@pytest.mark.parametrize("number", [1, 2])
async def test_killed(build, number):
    """After etcd's bootstrap, and after the kubeconfig is written."""
    machine = await build()
    run, writes = asyncio.ensure_future(machine.run()), []

    def written():
        writes.append(1)
        if len(writes) == number:
            run.cancel()

    machine.written = written
    await asyncio.wait([run])
    assert run.cancelled()
    assert (await machine.run()).ok
    assert machine.bootstraps == 1


async def test_killed_before_the_bootstrap(build):
    """The journal says that it was begun, and etcd that it was not."""
    machine = await build()
    with Journal(machine.paths.state) as journal:
        journal.begin(ETCD)
    await machine.attempt()
    assert machine.bootstraps == 1


async def test_an_answer_that_is_lost(build):
    machine = await build()
    machine.loses = True
    with pytest.raises(NotYet):
        await machine.attempt()
    assert machine.progress() == "begun"
    await machine.attempt()
    assert machine.bootstraps == 1, "etcd is asked first"


async def test_etcd_that_another_bootstrapped_is_taken(build):
    machine = await build()
    machine.come_up()
    await machine.attempt()
    assert (machine.bootstraps, machine.progress()) == (0, "ended")


async def test_a_machine_that_is_not_so_far_is_asked_again(build):
    machine = await build()
    machine.refuses = "rpc error: code = FailedPrecondition desc = etcd is not there yet"
    with pytest.raises(NotYet, match="etcd is not there yet"):
        await machine.attempt()
    machine.refuses = ""
    await machine.attempt()


async def test_refused(build):
    machine = await build()
    machine.kubernetes.trusts = False
    failure = (await machine.run()).failures["bootstrap_kubernetes"]
    assert isinstance(failure, Broken)
    assert failure.status == 401


async def test_refused_by_the_machine(build):
    machine = await build()
    machine.refuses = "rpc error: code = PermissionDenied desc = not authorized"
    failure = (await machine.run()).failures["bootstrap_kubernetes"]
    assert isinstance(failure, Broken)
    assert "talosctl: bootstrap: " in str(failure)
    assert "not authorized" in str(failure)
    assert (machine.bootstraps, machine.progress()) == (0, "begun")


async def test_an_endpoint_that_does_not_answer_is_named_while_it_is_waited_for(build):
    machine, said = await build(), []
    machine.faults.set("kubernetes", Fault(die=True))
    with watched(Watcher("bootstrap_kubernetes", Events(said.append))):
        run = asyncio.create_task(machine.attempt())
        while not (seen := [event.seen for event in said if isinstance(event, Waiting)]):
            assert not run.done(), run
            await asyncio.sleep(0.01)
    assert seen[0].startswith(f"{castle().kubernetes.endpoint}: ")
    machine.faults.clear()
    fact = await run
    machine.faults.set("kubernetes", Fault(die=True))
    with pytest.raises(NotYet):
        await bootstrap_kubernetes.still(fact, machine.paths, ClusterAccess(machine.paths))


async def test_without_a_kubeconfig_nothing_can_be_asked(build):
    machine = await build()
    fact = await machine.attempt()
    machine.paths.kubeconfig.unlink()
    with pytest.raises(NoAnswer, match="kubeconfig is not in the produced folder"):
        await bootstrap_kubernetes.still(fact, machine.paths, ClusterAccess(machine.paths))


async def test_again_where_the_journal_is_lost_and_the_first_control_plane_was_made_anew(build):
    machine = await build()
    machine.kubernetes.put(namespace("kube-system"))
    machine.others = ("192.168.50.12",)
    await machine.attempt()
    assert machine.bootstraps == 0, "etcd lives on another control plane: a second one would be another cluster"
