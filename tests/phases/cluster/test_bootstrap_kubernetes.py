"""etcd is bootstrapped once, whatever happens in between; the API that comes of it is waited for. Over loopback, on real time."""

import asyncio
from pathlib import Path

import pytest

from phases.cluster.world import castle
from rebirth.errors import Broken
from rebirth.events import Events
from rebirth.paths import Paths
from rebirth.phases import bootstrap_kubernetes
from rebirth.providers.talos import Talosctl
from rebirth.run.create import given
from rebirth.run.engine import Engine
from rebirth.run.facts import MachinesConfigured
from rebirth.run.journal import Journal
from rebirth.run.phase import read
from rebirth.secrets import Redaction
from standins.apiserver import kubernetes_app
from standins.charts import namespace
from standins.conftest import write_kubeconfig
from standins.kubernetes import Kubernetes
from standins.programs import Exit, Programs

ETCD_IS_UP = "NODE NAMESPACE ID STATE\n192.168.50.11 system etcd Running\n"


class Machine:
    """The first control plane: its talosctl, and an API server that has made kube-system 0.2 s after etcd was bootstrapped."""

    def __init__(self, paths, served, kubernetes):
        self.paths, self.served, self.kubernetes = paths, served, kubernetes
        self.bootstraps, self.written = 0, lambda: None
        self.refuses = ""
        kubernetes.take("v1", "Namespace", "kube-system")
        paths.produced.mkdir(parents=True)
        paths.talosconfig.write_text("context: tazlab-k8s\n")

    async def talosctl(self, call):
        if self.refuses:
            raise Exit(1, self.refuses)
        if "services" in call.argv:
            return ETCD_IS_UP if self.bootstraps else ""
        if "bootstrap" in call.argv:
            if self.bootstraps:
                raise Exit(
                    1,
                    "error executing bootstrap: rpc error: code = AlreadyExists desc = etcd data directory is not empty",
                )
            self.bootstraps += 1
            self.kubernetes.after(0.2, lambda: self.kubernetes.put(namespace("kube-system")))
        elif "kubeconfig" in call.argv:
            write_kubeconfig(Path(call.argv[-1]), self.served.url, str(self.served.ca))
        self.written()
        await asyncio.sleep(0)
        return ""

    async def run(self, *, may_run=True):
        talosctl = Talosctl(paths=self.paths, commands=Programs(talosctl=self.talosctl))
        clients = {Talosctl: talosctl, MachinesConfigured: MachinesConfigured(())}
        known = given(castle(), self.paths, Redaction()) | clients
        with Journal(self.paths.state) as journal:
            phases = [read(bootstrap_kubernetes)]
            return await Engine(phases, (), known, journal, Events(), may_run=lambda _: may_run).run()


@pytest.fixture
async def build(serve, tmp_path):
    numbers = iter(range(100))

    async def new():
        folder, kubernetes = tmp_path / f"life-{next(numbers)}", Kubernetes()
        paths = Paths(folder, folder, folder / "produced", folder / "state", folder / "logs")
        return Machine(paths, await serve(kubernetes_app(kubernetes)), kubernetes)

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
    assert "not authorized" in str(failure)
    assert machine.bootstraps == 0
