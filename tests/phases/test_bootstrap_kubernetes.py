"""etcd is bootstrapped once, whatever a run is killed in between; then the Kubernetes API answers at the endpoint."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from rebirth.commands import Commands
from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.events import Events, Waiting
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.phases import bootstrap_kubernetes
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import MachinesConfigured
from rebirth.run.journal import Journal, Once
from rebirth.run.waiting import Watcher, watched

PROGRAMS = Path(__file__).parents[1] / "programs"
V1 = {
    "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1",
    "resources": [{"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace", "verbs": ["get"]}],
}  # fmt: skip
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}


@pytest.fixture
async def cluster(outside, serve, tmp_path, monkeypatch):
    """A configured control plane on paper and an API server. `await cluster.bootstrap()`: the phase, as a run of its own."""
    faults, world = Faults(), tmp_path / "talos"
    world.mkdir()
    monkeypatch.setenv("PAPER_TALOS", str(world))
    monkeypatch.setenv("PATH", f"{PROGRAMS}:/usr/bin:/bin")
    api = Starlette(
        routes=[
            Route("/api", lambda _: JSONResponse({"kind": "APIVersions", "versions": ["v1"]})),
            Route("/apis", lambda _: JSONResponse({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
            Route("/api/v1", lambda _: JSONResponse(V1)),
            Route("/api/v1/namespaces/kube-system", lambda _: JSONResponse(NAMESPACE)),
        ]
    )
    served = await serve(faults.around("kubernetes", api))
    kubeconfig = {
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": served.url, "certificate-authority": str(serve.ca)}}],
        "users": [{"name": "it", "user": {"token": "token"}}],
    }  # fmt: skip
    (world / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    machines, paths = outside.castle.machines, outside.paths
    (world / str(machines.control_planes[0].address)).write_text("configured")
    paths.produced.mkdir(parents=True, exist_ok=True)
    paths.talosconfig.write_text("context: it\n")
    kubernetes = outside.castle.kubernetes.model_copy(update={"endpoint": served.url})
    talosctl = Talosctl(paths=paths, commands=Commands(outside.redaction))

    async def bootstrap():
        with Journal(paths.state) as journal:
            return await bootstrap_kubernetes.bootstrap_kubernetes(
                machines, kubernetes, paths, talosctl, Once(journal), MachinesConfigured(())
            )

    def bootstraps():
        return [line for line in (world / "calls").read_text().splitlines() if line.startswith("bootstrap ")]

    return SimpleNamespace(
        bootstrap=bootstrap, bootstraps=bootstraps, world=world, paths=paths, faults=faults, endpoint=served.url
    )


async def test_from_nothing_and_again_without_a_write(cluster):
    fact = await cluster.bootstrap()
    assert fact.endpoint == cluster.endpoint
    assert cluster.paths.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert await cluster.bootstrap() == fact
    assert len(cluster.bootstraps()) == 1
    assert not cluster.faults.writes
    assert await bootstrap_kubernetes.still(fact, cluster.paths)


async def test_killed_after_the_bootstrap(cluster):
    """The answer is lost: etcd runs, and the journal says that it was begun."""
    (cluster.world / "lose").touch()
    with pytest.raises(NotYet):
        await cluster.bootstrap()
    with Journal(cluster.paths.state) as journal:
        assert journal.progress(ETCD) == "begun"
    await cluster.bootstrap()
    assert len(cluster.bootstraps()) == 1, "etcd is asked first"


async def test_killed_before_the_bootstrap(cluster):
    with Journal(cluster.paths.state) as journal:
        journal.begin(ETCD)
    await cluster.bootstrap()
    assert len(cluster.bootstraps()) == 1


async def test_etcd_that_another_bootstrapped_is_taken(cluster):
    (cluster.world / "etcd").touch()
    await cluster.bootstrap()
    with Journal(cluster.paths.state) as journal:
        assert journal.progress(ETCD) == "ended"


async def test_a_machine_that_is_not_so_far_is_asked_again(cluster):
    (cluster.world / "not-yet").touch()
    with pytest.raises(NotYet, match="etcd is not there yet"):
        await cluster.bootstrap()
    (cluster.world / "not-yet").unlink()
    await cluster.bootstrap()


async def test_refused(cluster):
    (cluster.world / "refuse").touch()
    with pytest.raises(Broken, match=r"talosctl: bootstrap: .*not authorized"):
        await cluster.bootstrap()
    with Journal(cluster.paths.state) as journal:
        assert journal.progress(ETCD) == "begun"


async def test_an_endpoint_that_does_not_answer_is_named_while_it_is_waited_for(cluster):
    cluster.faults.set("kubernetes", Fault(die=True))
    said = []
    with watched(Watcher("bootstrap_kubernetes", Events(said.append))):
        run = asyncio.create_task(cluster.bootstrap())
        while not (seen := [event.seen for event in said if isinstance(event, Waiting)]):
            assert not run.done(), run
            await asyncio.sleep(0.01)
    assert seen[0].startswith(f"{cluster.endpoint}: ")
    cluster.faults.clear()
    fact = await run
    cluster.faults.set("kubernetes", Fault(die=True))
    with pytest.raises(NotYet):
        await bootstrap_kubernetes.still(fact, cluster.paths)


async def test_without_a_kubeconfig_nothing_can_be_asked(cluster):
    fact = await cluster.bootstrap()
    cluster.paths.kubeconfig.unlink()
    with pytest.raises(NoAnswer, match="kubeconfig is not in the produced folder"):
        await bootstrap_kubernetes.still(fact, cluster.paths)
