"""One life of a castle's cluster, stood in for: the phase under test is run by the engine, as create runs it."""

import asyncio
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from rebirth.castle import Castle, load
from rebirth.commands import Commands
from rebirth.errors import Rebirth
from rebirth.events import Event, Events
from rebirth.paths import Paths
from rebirth.providers.cluster import Cluster
from rebirth.providers.helm import Helm as HelmClient
from rebirth.providers.talos import Talosctl
from rebirth.providers.vault import VaultApi
from rebirth.providers.web import Web
from rebirth.run.create import given
from rebirth.run.engine import Engine, Outcome
from rebirth.run.facts import Fact, SecretsResolved
from rebirth.run.journal import Journal
from rebirth.run.phase import read
from rebirth.secrets import Redaction, Secret
from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.helm import Helm
from standins.kubernetes import Kubernetes
from standins.programs import Programs
from standins.transport import InProcess
from standins.vault import Vault

EXAMPLE = Path(__file__).parents[3] / "examples" / "castle"
_STAMPS = re.compile(r"requestedAt|woken-at|asked-at|force-sync")  # annotations that ask somebody to look again


@cache
def castle() -> Castle:
    return load(EXAMPLE)


def castle_with(**sections: Any) -> Castle:
    """The example with other sections; None: without that one."""
    document = yaml.safe_load((EXAMPLE / "castle.yaml").read_text()) | sections
    return Castle.model_validate_json(json.dumps({key: value for key, value in document.items() if value is not None}))


def with_cilium(**more: Any) -> Castle:
    """The example on Cilium, with no other load balancer."""
    kubernetes = yaml.safe_load((EXAMPLE / "castle.yaml").read_text())["kubernetes"] | {"cni": "cilium"}
    return castle_with(kubernetes=kubernetes, networking={"cilium": {"version": "1.18.4", **more}})


@cache
def resolved() -> SecretsResolved:
    """A value for each secret that the example names."""
    names = re.findall(r"\{secret: ([^}]+)\}", (EXAMPLE / "castle.yaml").read_text())
    return SecretsResolved({name: Secret(secrets.token_hex(16)) for name in names})


@dataclass
class World:
    """A phase, the stood-in systems that it talks to, and the facts that it takes."""

    phase: ModuleType
    folder: Path
    facts: tuple[Fact, ...] = ()
    castle: Castle = field(default_factory=castle)
    secrets: SecretsResolved = field(default_factory=resolved)
    kubernetes: Kubernetes = field(default_factory=Kubernetes)
    web: Web = field(default_factory=Web)
    events: list[Event] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)  # of everybody whom the phase talks to, helm included
    budget: float | None = None  # seconds for a run; without one each phase's own patience
    when_written: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.paths = Paths(
            self.folder, self.folder, self.folder / "produced", self.folder / "state", self.folder / "logs"
        )
        write_kubeconfig(self.paths.kubeconfig, "http://kubernetes.test")
        self.vault = Vault(self.secrets[self.castle.engine.vault.token].reveal())
        self.kubernetes.on_write = self.vault.on_write = self._written
        self.helm = Helm(self.kubernetes)
        self.programs = Programs(helm=self.helm)
        self.transport = InProcess(kubernetes_app(self.kubernetes))
        self.redaction = Redaction()

    def _written(self, what: str) -> None:
        self.writes.append(what)
        self.when_written()

    def _given(self, cluster: Cluster, vault: VaultApi) -> dict[type, Any]:
        clients: dict[type, Any] = {Cluster: cluster, VaultApi: vault, Commands: self.programs, Web: self.web}
        clients[Talosctl] = Talosctl(paths=self.paths, commands=self.programs)
        clients[HelmClient] = HelmClient(paths=self.paths, commands=self.programs, cluster=cluster)
        facts = {type(fact): fact for fact in (self.secrets, *self.facts)}
        return given(self.castle, self.paths, self.redaction) | clients | facts

    async def run(self, *, may_run: bool = True) -> Outcome:
        """One run, with the journal and the clients of its own."""
        cluster = Cluster(paths=self.paths, transport=self.transport)
        spec = self.castle.engine.vault
        vault = VaultApi(
            address=spec.address,
            mount=spec.mount,
            token=self.secrets[spec.token],
            ca=None,
            transport=self.vault.transport(),
        )
        try:
            with Journal(self.paths.state) as journal:
                phases, events = [read(self.phase)], Events(self.events.append)
                world = self._given(cluster, vault)
                return await Engine(
                    phases, (), world, journal, events, may_run=lambda _: may_run, budget=self.budget
                ).run()
        finally:
            await cluster.close()

    async def create(self) -> Fact:
        """The phase's fact, from a run that must end well."""
        outcome = await self.run()
        assert outcome.ok, outcome.failures
        return outcome.facts[self.name]

    async def failure(self) -> Rebirth:
        """How a run fails that must fail."""
        outcome = await self.run()
        assert not outcome.ok, "it did not fail"
        return outcome.failures[self.name]

    async def holds(self) -> bool:
        """Whether the remembered fact is still true; nothing is run."""
        return (await self.run(may_run=False)).ok

    async def kill_at(self, number: int) -> None:
        """Starts a run and ends it at the number-th write from now on: that is done, its answer never read."""
        at = len(self.writes) + number
        run = asyncio.ensure_future(self.run())
        self.when_written = lambda: run.cancel() if len(self.writes) == at else None
        await asyncio.wait([run])
        self.when_written = lambda: None
        assert run.cancelled(), f"it ended before write {number}"

    async def kill_after(self, seconds: float) -> None:
        """Starts a run and ends it while it waits."""
        run = asyncio.ensure_future(self.run())
        await asyncio.sleep(seconds)
        run.cancel()
        await asyncio.wait([run])
        assert run.cancelled(), f"it ended within {seconds} s"

    def forget(self) -> None:
        """The journal is lost."""
        (self.paths.state / "journal.jsonl").unlink()

    @property
    def name(self) -> str:
        return self.phase.__name__.rpartition(".")[2]

    def asked(self) -> set[str]:
        """The methods of the requests to the cluster since the last time."""
        methods = {method for method, _ in self.transport.requests}
        self.transport.requests.clear()
        return methods

    def contents(self) -> dict[str, Any]:
        """What the systems hold, without times and without Helm's records."""
        kept = {
            what: _settled(item)
            for what, item in self.kubernetes.contents().items()
            if item.get("type") != "helm.sh/release.v1"
        }
        return kept | {f"vault {path}": self.vault.held(path) for path in self.vault.secrets}


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        moments = ("lastTransitionTime", "refreshTime", "observedGeneration", "syncedResourceVersion")
        lasting = {
            key: _settled(inner) for key, inner in value.items() if key not in moments and not _STAMPS.search(key)
        }
        return {key: inner for key, inner in lasting.items() if inner != {}}
    return [_settled(inner) for inner in value] if isinstance(value, list) else value


async def again(world: World) -> None:
    """Made once and asked again, the fact holds: nothing is written, nor asked for but to read. Nor is anything without the
    journal, which then only learns again; a release of Helm gets another revision of the same.
    """
    fact = await world.create()
    await asyncio.sleep(60)  # controllers come to rest
    before, contents = list(world.writes), world.contents()
    world.asked()
    assert await world.holds()
    assert await world.create() == fact
    assert world.asked() <= {"GET"}
    assert world.writes == before
    world.forget()
    assert await world.create() == fact
    assert not [what for what in world.writes[len(before) :] if "sh.helm.release" not in what]
    assert world.contents() == contents


async def killed_after_each_write(build: Callable[[], World]) -> None:
    """Whichever write is a run's last, the next one ends where an undisturbed one does."""
    whole = build()
    fact = await whole.create()
    await asyncio.sleep(60)  # controllers come to rest
    assert whole.writes, "it writes nothing"
    for number in range(1, len(whole.writes) + 1):
        world = build()
        await world.kill_at(number)
        assert await world.create() == fact, f"after write {number}, {whole.writes[number - 1]}"
        await asyncio.sleep(60)
        assert world.contents() == whole.contents(), f"after write {number}, {whole.writes[number - 1]}"


async def refused(world: World, *, within: float = 5.0) -> Rebirth:
    """What the operator is told, at once and not when patience is over."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    failure = await world.failure()
    assert loop.time() - since <= within, f"took {loop.time() - since:.0f} s to say {failure}"
    return failure


def lose_a_volume(world: World, namespace: str) -> None:
    """A claim is bound to a volume on a node that does not exist, and a pod waits for it."""
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-9"]}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    place = {"name": "pgdata", "namespace": namespace}
    spec = {"local": {"path": "/x"}, "nodeAffinity": affinity, "claimRef": place}
    uses = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "pgdata"}}]}
    put = world.kubernetes.put
    put({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pvc-1"}, "spec": spec})
    put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": place, "spec": {"volumeName": "pvc-1"}})
    put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "namespace": namespace}, "spec": uses})
