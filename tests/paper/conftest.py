"""A real control plane without machines, and paper beside it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from rebirth.errors import NotYet
from rebirth.lab.building.toolchain import Toolchain
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.paper.paper import Paper
from rebirth.providers.cluster import Cluster
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.processes import Processes

NEEDED = {"etcd", "kube-apiserver", "kube-controller-manager"}


@dataclass
class Desk:
    """The cluster, the paper beside it, and how long anything may take."""

    cluster: Cluster
    paper: Paper

    async def apply(self, *objects: dict[str, Any]) -> None:
        """What the API server does not take yet (a kind, a namespace, a webhook) is tried again."""
        for item in objects:
            await self.until(lambda item=item: self._taken(item))

    async def _taken(self, item: dict[str, Any]) -> bool:
        with suppress(NotYet):
            await self.cluster.apply(item)
            return True
        return False

    async def until(self, look: Any, seconds: float = 20) -> Any:
        async with asyncio.timeout(seconds):
            while not (found := await look()):
                await asyncio.sleep(0.05)
            return found

    async def find(self, kind: str, name: str, namespace: str, api_version: str = "v1") -> dict[str, Any]:
        return await self.until(lambda: self.cluster.find(api_version, kind, name, namespace))

    async def namespace(self, name: str) -> str:
        await self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        await self.find("ServiceAccount", "default", name)
        return name

    async def condition(self, api_version: str, kind: str, name: str, namespace: str, type_: str = "Ready") -> Any:
        found = await self.cluster.find(api_version, kind, name, namespace) or {}
        listed = (found.get("status") or {}).get("conditions") or []
        return next((one for one in listed if one["type"] == type_), {})

    async def pods(self, namespace: str) -> list[dict[str, Any]]:
        return await self.cluster.all("v1", "Pod", namespace)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(tmp_path_factory):
    programs = await Toolchain().programs()
    if missing := NEEDED - set(programs):
        pytest.skip(f"not built here: {', '.join(sorted(missing))}")
    folder = tmp_path_factory.mktemp("plane")
    processes = Processes(folder / "logs")
    authority = Authority("a rehearsal")
    plane = ControlPlane(folder, programs, processes, authority)
    try:
        cluster = await plane.start()
        paper = Paper(plane.kubeconfig, plane.egress, authority, Kinds(authority, ["host"], "git.example"))
        task = asyncio.create_task(paper.run())
        yield Desk(cluster, paper)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await cluster.close()
    finally:
        await processes.stop()
