"""Phases inside the cluster against the stand-in of the Kubernetes API, on virtual time."""

import asyncio
from dataclasses import dataclass, field

import pytest

from proof.virtual_time import VirtualTime
from rebirth.events import Event, Events
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import Watcher, watched
from standins.apiserver import kubernetes_app
from standins.conftest import paths, write_kubeconfig
from standins.kubernetes import Kubernetes
from standins.transport import InProcess

__all__ = ["paths"]


def pytest_asyncio_loop_factories(config, item):
    return {"virtual": VirtualTime}


@dataclass
class Inside:
    """A stood-in cluster, the product's client of it, and what a phase reported meanwhile."""

    kubernetes: Kubernetes
    cluster: Cluster
    requests: list[tuple[str, str]]
    events: list[Event] = field(default_factory=list)

    async def run(self, work, *, patience=2000.0):
        """Runs it as the engine would; what it said last is the error where it does not end in time."""
        watcher = Watcher("phase", Events(self.events.append))
        try:
            async with asyncio.timeout(patience):
                with watched(watcher):
                    return await work
        except TimeoutError:
            raise AssertionError(f"waits: {watcher.pending}") from None

    def serve(self, group, version, *kinds, scope="Namespaced", plurals=None):
        """Makes custom kinds known, as their CRDs do."""
        for kind in kinds:
            plural = (plurals or {}).get(kind, kind.lower() + "s")
            names = {"kind": kind, "plural": plural, "singular": kind.lower()}
            crd = self.kubernetes.put({
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.{group}"},
                "spec": {"group": group, "scope": scope, "names": names,
                         "versions": [{"name": version, "served": True, "storage": True, "subresources": {"status": {}}}]},
            })  # fmt: skip
            self.kubernetes.condition(crd, "Established", "True")


@pytest.fixture
async def inside(paths):
    kubernetes = Kubernetes()
    transport = InProcess(kubernetes_app(kubernetes))
    write_kubeconfig(paths.kubeconfig, "http://kubernetes.test")
    cluster = Cluster(paths=paths, transport=transport)
    yield Inside(kubernetes, cluster, transport.requests)
    await cluster.close()
