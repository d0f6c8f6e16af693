"""A castle's whole outside in this process, on virtual time, with a line to each system that can be cut."""

import asyncio
import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx as httpx_of_the_lab
from starlette.types import ASGIApp

from faults.carriers import Adapter, Carried, carried
from faults.wrongs import Line
from paper import PaperControl, PaperHypervisor
from phases.cluster.world import castle
from proof.virtual_time import VirtualTime
from rebirth.castle import Castle
from rebirth.commands import Commands
from rebirth.console import Recorder
from rebirth.errors import Rebirth
from rebirth.events import Event, Events
from rebirth.lab.proxmox import Pve, Storage, proxmox_app
from rebirth.lab.systems.factory import factory_app
from rebirth.lab.tailscale import OAuthClient, Tailnet, tailscale_app
from rebirth.paths import Paths
from rebirth.phases import BOOTSTRAP
from rebirth.providers.access import ClusterAccess
from rebirth.providers.cluster import Cluster
from rebirth.providers.factory import ImageFactory
from rebirth.providers.git import GitRemote
from rebirth.providers.git_access import Token
from rebirth.providers.helm import Helm as HelmClient
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.talos import Talosctl
from rebirth.providers.vault import VaultApi
from rebirth.providers.web import Web
from rebirth.run.create import given
from rebirth.run.destroy import Destruction
from rebirth.run.engine import Engine, Outcome
from rebirth.run.facts import Fact, SecretsResolved
from rebirth.run.journal import Journal
from rebirth.run.phase import Phase, read
from rebirth.secrets import Redaction, Secret
from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.git import Git
from standins.helm import Helm
from standins.kubernetes import Kubernetes
from standins.programs import Programs
from standins.talos import Talos, TalosMachine
from standins.transport import InProcess
from standins.vault import Vault, vault_app
from watching import PublishedApi

PATIENCE = 120.0  # seconds at most: what a phase does in an hour it does in two minutes
FLUX = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: source-controller, namespace: flux-system}\nspec: {replicas: 1}\n"


def canaries(spec: Castle) -> SecretsResolved:
    """A value of its own for each secret that the castle names: none of them may show anywhere."""
    names = {reference.secret for _, reference in spec.references()}
    return SecretsResolved({name: Secret(_shaped(name)) for name in sorted(names)})


def _shaped(name: str) -> str:
    return f"root@pam!test={uuid.uuid4()}" if name == "proxmox-api-token" else f"canary-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class Ending:
    """How a run ended. `seconds` are virtual."""

    outcome: Outcome
    seconds: float

    @property
    def failure(self) -> Rebirth:
        """Destroy has one of each thing that it could not look for: the first of them by its words."""
        return min(self.outcome.failures.values(), key=str)


@dataclass
class Stage:
    """Phases, the facts that they take, and everything outside that they may ask. `lines` are cut by system."""

    folder: Path
    phases: Sequence[ModuleType]
    facts: tuple[Fact, ...] = ()
    castle: Castle = field(default_factory=castle)
    lines: defaultdict[str, Line] = field(default_factory=lambda: defaultdict(Line))
    events: list[Event] = field(default_factory=list)
    budget: float | None = None
    lift: Callable[[], None] = lambda: None  # what ends a fault that no line has
    during: Callable[[], AbstractContextManager[None]] = nullcontext  # entered for a run
    ingress: ASGIApp | None = None  # what answers at the castle's sites
    listens: Callable[[str], bool] = lambda address: False  # whether anything does at an address
    published: PublishedApi = field(default_factory=PublishedApi)
    _runs: int = 0

    def __post_init__(self) -> None:
        folder = self.folder
        self.paths = Paths(folder, folder / "vault", folder / "produced", folder / "state", folder / "logs")
        folder.mkdir(parents=True, exist_ok=True)
        write_kubeconfig(self.paths.kubeconfig, "http://kubernetes.test")
        self.secrets = canaries(self.castle)
        self.redaction = Redaction(self.secrets.values.values())
        self._lay_platform()
        self._lay_cluster()

    def _lay_platform(self) -> None:
        spec = self.castle
        storages = {"local": Storage(frozenset({"iso"})), "local-lvm": Storage(frozenset({"images"}))}
        token = self.secrets[spec.proxmox.token].reveal()
        factory = Carried(self.lines["image factory"], InProcess(factory_app()))
        self.factory = ImageFactory(url=spec.talos.image_factory, transport=factory)
        fetching = httpx_of_the_lab.ASGITransport(factory_app())
        self.pve = Pve("pve", token, PaperHypervisor(), storages, bridges=frozenset({"vmbr0"}), web=fetching)
        self.control = PaperControl()
        self.tailnet = Tailnet(spec.tailscale.tailnet, self.control, [])
        tailscale = spec.tailscale
        names = tailscale.oauth_client_id, tailscale.oauth_client_secret
        client = OAuthClient(*(self.secrets[name].reveal() for name in names), tags=frozenset(tailscale.node_key.tags))
        self.tailnet.clients.append(client)
        files = {f"{spec.gitops.path}/flux-system/gotk-components.yaml": FLUX}
        self.git = Git(spec.gitops.branch, files)
        nodes = {str(node.address): TalosMachine(node.mac_address(spec.name)) for node in spec.machines.nodes}
        self.talos = Talos(nodes)

    def _lay_cluster(self) -> None:
        self.kubernetes = Kubernetes()
        self.vault = Vault(self.secrets[self.castle.engine.vault.token].reveal())
        self.helm = Helm(self.kubernetes)
        programs = {"git": self.git, "helm": self.helm, "talosctl": self.talos}
        self.programs = Programs(**{name: carried(self.lines[name], program) for name, program in programs.items()})

    def _clients(self) -> dict[type, Any]:
        """New ones for each run, as create has them."""
        spec, secrets_ = self.castle, self.secrets
        tailscale, vault = spec.tailscale, spec.engine.vault
        wire = Carried(self.lines["Kubernetes"], InProcess(kubernetes_app(self.kubernetes)))
        access = ClusterAccess(self.paths, wire)
        cluster = access.open() if self.paths.kubeconfig.exists() else None  # nobody has bootstrapped it yet
        return {
            ClusterAccess: access,
            Cluster: cluster,
            Commands: self.programs,
            Web: Web(transport=Carried(self.lines["site"], InProcess(self.ingress))) if self.ingress else Web(),
            ImageFactory: self.factory,
            Talosctl: Talosctl(paths=self.paths, commands=self.programs),
            HelmClient: HelmClient(paths=self.paths, commands=self.programs, cluster=cluster),
            GitRemote: GitRemote(
                url=spec.gitops.repository,
                branch=spec.gitops.branch,
                access=Token(spec.gitops.username, secrets_[spec.gitops.token]),
                commands=self.programs,
                scratch=self.paths.state / "git",
            ),
            ProxmoxApi: ProxmoxApi(
                endpoint=spec.proxmox.endpoint,
                token=secrets_[spec.proxmox.token],
                transport=Adapter(self.lines["Proxmox"], self.published.around(proxmox_app(self.pve))),
            ),
            TailnetApi: TailnetApi(
                api=tailscale.api,
                tailnet=tailscale.tailnet,
                client_id=secrets_[tailscale.oauth_client_id],
                client_secret=secrets_[tailscale.oauth_client_secret],
                transport=Carried(self.lines["Tailscale"], InProcess(tailscale_app(self.tailnet))),
            ),
            VaultApi: VaultApi(
                address=vault.address,
                mount=vault.mount,
                token=secrets_[vault.token],
                ca=None,
                transport=Adapter(self.lines["Vault"], vault_app(self.vault)),
            ),
        }

    async def run(self) -> Ending:
        """One run of the phases, with the journal, the logs and the clients of its own."""
        loop = asyncio.get_running_loop()
        since, clients = loop.time(), self._clients()
        self._runs += 1
        recorder = Recorder(self.paths.logs / f"run-{self._runs}", self.redaction)
        events = Events(self.events.append, recorder)
        assert isinstance(loop, Standing)
        loop.listens = lambda address: self.listens(address)  # it may change meanwhile
        try:
            with self.during(), Journal(self.paths.state) as journal:
                outcome = await self._work(clients, journal, events)
        except Rebirth as error:
            outcome = Outcome(failures={"": error})
        finally:
            recorder.close()
            for client in clients.values():
                if close := getattr(client, "close", None):
                    await close()
        return Ending(outcome, loop.time() - since)

    async def _work(self, clients: dict[type, Any], journal: Journal, events: Events) -> Outcome:
        known = given(self.castle, self.paths, self.redaction) | clients
        known |= {type(fact): fact for fact in (self.secrets, *self.facts)}
        own = [_eager(read(phase)) for phase in self.phases]
        return await Engine(own, (), known, journal, events, budget=self.budget).run()

    @property
    def volume(self) -> str:
        """The boot image."""
        machines = self.castle.machines
        return f"local:iso/{self.castle.talos.image_name(machines.nodes[0], machines)}"

    def mend(self) -> None:
        """Everything works again."""
        for line in self.lines.values():
            line.mend()
        self.lift()
        self.during = nullcontext

    def scraps(self) -> list[str]:
        """Files that nobody needs any more, or that are there in part."""
        found = [*self.paths.scratch.glob("*"), *self.folder.rglob("*.new"), *self.folder.rglob("*.tmp")]
        found += [file for file in self.paths.produced.glob("*") if file.is_file() and not file.stat().st_size]
        return sorted(str(file.relative_to(self.folder)) for file in found)

    def shown(self) -> bytes:
        """Every byte that a run has written, but for what produced/ is there for."""
        files = [file for part in (self.paths.logs, self.paths.state) for file in part.rglob("*") if file.is_file()]
        return b"\n".join(file.read_bytes() for file in files)


class Destroying(Stage):
    """Its castle is destroyed, as the command does it: looked for, removed, looked for again."""

    async def _work(self, clients: dict[type, Any], journal: Journal, events: Events) -> Outcome:
        made = [replace(one, function=partial(self._client, one.makes), takes={}) for one in BOOTSTRAP.connections]
        bootstrap = replace(BOOTSTRAP, connections=tuple(made), resolve=lambda *_: self.secrets)
        work = Destruction(bootstrap, self.castle, self.paths, journal, events, self.redaction, patience=PATIENCE)
        found = await work.look()
        return (await work.remove(found) if found.outcome.ok else found).outcome

    def _client(self, kind: type) -> Any:
        """One of its own for each look: who looks closes it."""
        return self._clients()[kind]


class Standing(VirtualTime):
    """Virtual time; of a bare socket is only ever asked whether somebody listens there."""

    listens: Callable[[str], bool]

    async def create_connection(self, protocol_factory, host=None, port=None, **options):
        if not self.listens(host):
            raise ConnectionRefusedError(111, f"Connect call failed ('{host}', {port})")
        protocol, transport = protocol_factory(), _Silent()
        protocol.connection_made(transport)
        return transport, protocol


class _Silent(asyncio.Transport):
    def close(self):
        pass

    def abort(self):
        pass

    def is_closing(self):
        return True  # nobody ever says anything over it


def _eager(phase: Phase) -> Phase:
    """Ingredients are made although nobody asks for them; and nobody has more patience than it takes to see how a wait ends."""
    return replace(phase, on_demand=False, patience=min(phase.patience, PATIENCE))
