"""A castle that is up, stood in for: three control planes and two workers, at Proxmox, in Talos, etcd and Kubernetes."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import httpx2 as httpx

from phases.ruins import OURS, somebodys
from rebirth.castle import Castle, Machine, Proxmox, Tailscale
from rebirth.events import Event, Events, Noted
from rebirth.lab.proxmox import Volume
from rebirth.phases.bootstrap_kubernetes import ETCD
from rebirth.phases.made import machine_records as records
from rebirth.providers.access import ClusterAccess
from rebirth.providers.cluster import Cluster
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.talos import Talosctl
from rebirth.run.change import Change
from rebirth.run.consent import Consent
from rebirth.run.create import given
from rebirth.run.engine import Engine, Outcome
from rebirth.run.facts import NodesReady, OutsideReached
from rebirth.run.journal import Journal
from rebirth.run.phase import declared, read
from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.kubernetes import Kubernetes
from standins.programs import Programs
from standins.talos import Talos, TalosMachine
from standins.transport import InProcess

PLANES, WORKERS = ("plane-1", "plane-2", "plane-3"), ("worker-1", "worker-2")


class _Wire(InProcess):
    """To the API servers; `silent` are hosts at which nobody answers."""

    def __init__(self, castle: "Standing") -> None:
        super().__init__(kubernetes_app(castle.kubernetes))
        self._castle = castle

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host in self._castle.silent:
            raise httpx.ConnectError("", request=request)
        return await super().handle_async_request(request)


@dataclass
class Standing:
    """`writes` are what anybody was asked to change, in order."""

    outside: Any
    castle: Castle
    talos: Talos
    kubernetes: Kubernetes = field(default_factory=Kubernetes)
    writes: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    budget: float | None = None  # seconds for a run

    def __post_init__(self) -> None:
        self.paths = self.outside.paths
        write_kubeconfig(self.paths.kubeconfig, "http://kubernetes.test")
        self.paths.talosconfig.write_text("context: standing\n")
        self.kubernetes.on_write = self.talos.on_write = self.writes.append
        self.programs = Programs(talosctl=self.talos)
        for machine in self.castle.machines.nodes:
            records.sent(self.paths, machine.name, "digest")
            self.node(machine.name, str(machine.address))
        with Journal(self.paths.state) as journal:
            journal.begin(ETCD)
            journal.end(ETCD)

    def node(self, name: str, address: str) -> None:
        status = {"addresses": [{"type": "InternalIP", "address": address}]}
        item = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status}
        self.kubernetes.put(item, by="kubelet")

    def machine(self, name: str) -> Machine:
        return next(machine for machine in self.castle.machines.nodes if machine.name == name)

    def without(self, *names: str) -> None:
        """castle.yaml names them no more."""
        nodes = [machine for machine in self.castle.machines.nodes if machine.name not in names]
        machines = self.castle.machines.model_copy(update={"nodes": nodes})
        self.castle = self.castle.model_copy(update={"machines": machines})

    def lose(self, *names: str) -> None:
        """Their VMs are deleted, by somebody at Proxmox' console."""
        for vm_id, options in list(self.outside.pve.machines.items()):
            if options["name"] in names:
                del self.outside.pve.machines[vm_id], self.outside.pve.conditions[vm_id]
        for name in names:
            if self.talos.machines.pop(str(self.machine(name).address)).etcd:
                self.talos.dead.add(name)

    def wipe(self, name: str) -> None:
        """Its disk is empty: it waits for a configuration."""
        machine = self.talos.machines[str(self.machine(name).address)]
        if machine.etcd:
            self.talos.dead.add(name)
        machine.configuration, machine.etcd = "", False

    def volume(self, claim: str, machine: str, *, namespace: str = "site", pod: str = "") -> None:
        """On that machine's disk, claimed and used."""
        expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": [machine]}
        affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
        self.claimed(f"pv-{claim}", claim, {"local": {"path": "/x"}, "nodeAffinity": affinity}, namespace)
        if pod:
            self.pod(pod, machine, namespace=namespace, claims=[claim])

    def claimed(self, name: str, claim: str, spec: dict[str, Any], namespace: str = "site") -> None:
        put = self.kubernetes.put
        put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        place = {"namespace": namespace, "name": claim}
        put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": place, "spec": {"volumeName": name}})
        put({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {**spec, "claimRef": place}})  # fmt: skip

    def pod(self, name: str, node: str, *, namespace: str = "site", claims: Any = (), kept_by: str = "StatefulSet", **meta: Any) -> None:  # fmt: skip
        owners = [{"kind": kept_by, "name": "x", "controller": True}] if kept_by else []
        volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
        place = {"name": name, "namespace": namespace, "ownerReferences": owners, **meta}
        spec = {"nodeName": node, "volumes": volumes}
        self.kubernetes.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        self.kubernetes.put({"apiVersion": "v1", "kind": "Pod", "metadata": place, "spec": spec}, by="kubelet")

    async def run(self, phase: ModuleType, *, may_run: bool = True, **consent: Any) -> Outcome:
        """The phase, as create runs it."""
        clients = self._clients()
        facts = {type(fact): fact for fact in (OutsideReached("9"), NodesReady(()))}
        world = self._given() | clients | facts | {Consent: Consent(**consent)}
        try:
            with Journal(self.paths.state) as journal:
                engine = Engine(
                    [read(phase)], (), world, journal, Events(self.events.append),
                    goals=[phase.__name__.rpartition(".")[2]], may_run=lambda _: may_run, budget=self.budget,
                )  # fmt: skip
                return await engine.run()
        finally:
            if Cluster in clients:
                await clients[Cluster].close()

    async def plan(self, phase: ModuleType) -> list[Change]:
        """What the phase says that it would change."""
        asked, known = declared(phase.changes), self._given() | self._clients()
        return await phase.changes(**{name: known[kind] for name, kind in asked.takes.items()})

    def _given(self) -> dict[type, Any]:
        found = given(self.castle, self.paths, self.outside.redaction)
        return found | {Proxmox: self.castle.proxmox, Tailscale: self.castle.tailscale}

    def _clients(self) -> dict[type, Any]:
        clients: dict[type, Any] = {
            ClusterAccess: ClusterAccess(self.paths, _Wire(self)),
            ProxmoxApi: self.outside.proxmox,
            TailnetApi: self.outside.tailscale,
            Talosctl: Talosctl(paths=self.paths, commands=self.programs),
        }
        if self.paths.kubeconfig.exists():
            clients[Cluster] = clients[ClusterAccess].open()
        return clients

    async def kill_at(self, number: int, phase: ModuleType, **consent: Any) -> None:
        """Starts a run and ends it at its number-th write: that is done, its answer never read."""
        run = asyncio.ensure_future(self.run(phase, **consent))

        def write(what: str) -> None:
            self.writes.append(what)
            if len(self.writes) == number:
                run.cancel()

        self.kubernetes.on_write = self.talos.on_write = write
        await asyncio.wait([run])
        self.kubernetes.on_write = self.talos.on_write = self.writes.append
        assert run.cancelled(), f"it ended before write {number}"

    @property
    def said(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Noted))

    @property
    def nodes(self) -> set[str]:
        return {node["metadata"]["name"] for node in self.kubernetes.all("v1", "Node")}

    @property
    def vms(self) -> set[str]:
        return {options["name"] for options in self.outside.pve.machines.values()}


@asynccontextmanager
async def standing(outside: Any, serve: Any) -> AsyncIterator[Standing]:
    """With something that speaks TLS where each machine's API is, at addresses that no other process of tests takes."""
    high, low = divmod(os.getpid(), 256)
    first = outside.castle.machines.nodes[0]
    nodes = [
        first.model_copy(
            update={
                "name": name,
                "role": "controlplane" if name in PLANES else "worker",
                "mac": None,
                "address": f"127.{high % 250 + 1}.{low}.{number}",
            }
        )
        for number, name in enumerate((*PLANES, *WORKERS), 101)
    ]
    castle = outside.castle.model_copy(update={"machines": outside.castle.machines.model_copy(update={"nodes": nodes})})
    outside.pve.storage("local").volumes["local:iso/talos.iso"] = Volume("iso", 1 << 20)
    for vm_id, machine in enumerate(nodes, 800):
        await outside.proxmox.create(node="pve", vm_id=vm_id, options=somebodys(machine.name, castle.proxmox.tag))
        await outside.proxmox.start(node="pve", vm_id=vm_id)
        outside.control.add_device(machine.name, tags=(OURS,))
    machines = {
        str(machine.address): TalosMachine("02:00", "configured", machine.role == "controlplane") for machine in nodes
    }
    talos = Talos(machines, hostnames={str(machine.address): machine.name for machine in nodes})
    talos._ready = dict.fromkeys(machines, 0.0)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*serve.keys.authority.issue_into(outside.paths.castle, "talos", ["talos"]))
    async with AsyncExitStack() as stack:
        for address in machines:
            server = await asyncio.start_server(lambda _, writer: writer.close(), address, 50000, ssl=tls)
            await stack.enter_async_context(server)
        outside.faults.writes.clear()
        yield Standing(outside, castle, talos)
