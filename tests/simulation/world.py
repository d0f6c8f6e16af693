"""A whole world for one castle: what stands in for every system outside, what is not the castle's, and the product's clients."""

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import httpx2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from paper import PaperControl
from rebirth.castle import Castle, Proxmox, Tailscale, Talos, Vault, load
from rebirth.commands import Commands
from rebirth.lab.ca import Authority
from rebirth.lab.proxmox import Pace, Pve, Storage, proxmox_app
from rebirth.lab.proxmox.host import Condition, Volume
from rebirth.lab.tailscale import OAuthClient, Tailnet, tailscale_app
from rebirth.paths import Paths
from rebirth.phases import BOOTSTRAP
from rebirth.phases import connections as product
from rebirth.providers.access import ClusterAccess
from rebirth.providers.factory import ImageFactory
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.vault import VaultApi
from rebirth.providers.web import Web
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.facts import SecretsResolved
from rebirth.run.phase import declared
from rebirth.secrets import Redaction
from simulation import cluster, machines, tree
from simulation.canaries import canary
from simulation.faults import Plan, Struck
from simulation.host import Host
from simulation.seams import Runner, SyncWire, System, Tool, Wire
from standins.apiserver import answered, kubernetes_app
from standins.helm import Helm
from standins.kubernetes import Kubernetes
from standins.programs import Call, Exit
from standins.vault import Vault as PaperVault
from standins.vault import vault_app
from watching import PublishedApi

HANDED_OVER = "tazlab-k8s/static/monitoring/grafana"
_OURS = "tag:tazlab-k8s"


@cache
def castle() -> Castle:
    return load(tree.EXAMPLE)


@cache
def _authority() -> str:
    return Authority("simulation").pem


@cache
def secrets_of_castle() -> dict[str, str]:
    found = {}
    for _, reference in castle().references():
        found[reference.secret] = canary(reference.secret)
    mark = canary("token")
    uuid = f"{mark[:8]}-{mark[8:12]}-{mark[12:16]}-{mark[16:20]}-{mark[20:32]}"
    return found | {"proxmox-api-token": f"root@pam!simulated={uuid}", "lushycorp-vault/ca.crt": _authority()}


class Control(PaperControl):
    async def mint(self, **wanted: Any) -> str:
        secret = canary("node key", str(len(self.minted)))
        self.minted[secret] = wanted | {"used": False}
        return secret

    def set_connected(self, identity: str, *, connected: bool) -> None:
        self.devices[identity] = replace(self.devices[identity], connected=connected)


class World:
    """`folder` is empty. Whoever runs it opens `host.process()` first."""

    def __init__(self, folder: Path, seed: int | str, plan: Plan) -> None:
        self.host, self.plan = Host(folder / "castle", seed), plan
        self.draw, self.struck = self.host.draw, Struck(plan, self.host.draw)
        self.castle, place = castle(), folder / "castle"
        self.paths = Paths(place, place / "vault", place / "vault" / "produced", place / "state", folder / "logs")
        self.wrote: list[Callable[[str], None]] = []  # are told of every write outside
        self.looks: list[Callable[[str, str], None]] = []  # are shown what may not hold a secret, and where
        self.cluster: Kubernetes | None = None
        self.cluster_up, self.clusters = False, 0
        self._seat: machines.Machine | None = None  # of its etcd
        with self.host.process():
            self._outside()
            self._foreign()
            self._secrets()
        self._systems()
        self.host.listens = self.yard.listens
        self.host.when_killed = self._killed

    # -- building

    def _outside(self) -> None:
        named, spec = secrets_of_castle(), self.castle
        self.yard = machines.Yard(self)
        storages = {"local": Storage(frozenset({"iso"})), "local-lvm": Storage(frozenset({"images"}))}
        self.pve = Pve("pve", named["proxmox-api-token"], self.yard, storages, bridges=frozenset({"vmbr0"}))
        self.pve.pace = Pace(task_seconds=self.draw.uniform(0.1, 2.0))
        self.pve.web = httpx.MockTransport(lambda request: httpx.Response(200, content=b"an image"))
        self.control = Control(now=self.host.outside)
        client = OAuthClient(
            named[spec.tailscale.oauth_client_id.secret],
            named[spec.tailscale.oauth_client_secret.secret],
            tags=frozenset({_OURS}),
        )
        self.tailnet = Tailnet(spec.tailscale.tailnet, self.control, [client], now=self.host.outside)
        self.vault = PaperVault(named[spec.engine.vault.token.secret])

    def _foreign(self) -> None:
        """What is there already, and is somebody else's."""
        self.pve.storage("local").volumes["local:iso/debian.iso"] = Volume("iso", 1 << 20, made=0.0)
        for vmid, name, tag in ((801, "elsewhere", "castle-other"), (804, "nas", "")):
            self.pve.machines[vmid] = {"name": name, "cores": "1", "memory": "1024", **({"tags": tag} if tag else {})}
            self.pve.conditions[vmid] = Condition("pve")
        self.control.add_device("nas", tags=())
        self.control.add_device("other-k8s", tags=("tag:other",))
        self.control.add_device("somebodys-proxy", tags=("tag:k8s",))
        self.control.add_device("lushycorp-k8s", tags=(_OURS,), connected=False)  # a stale one of an earlier life
        self.vault.put("somebody/else", {"theirs": "untouched"})

    def _secrets(self) -> None:
        for name, value in secrets_of_castle().items():
            file = self.paths.vault / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(value)

    def _systems(self) -> None:
        self.published = PublishedApi()

        def system(name: str, app: Any, gone: Callable[[], bool] = lambda: False) -> System:
            return System(self.host, name, app, self.struck, gone, self._written)

        async def kubernetes(scope: Any, receive: Any, send: Any) -> None:
            await kubernetes_app(self.cluster)(scope, receive, send)

        self.proxmox = system("proxmox", self.published.around(proxmox_app(self.pve)))
        self.tailscale = system("tailscale", tailscale_app(self.tailnet))
        self.vaults = system("vault", vault_app(self.vault))
        self.api = system("kubernetes", kubernetes, lambda: not self.api_answers)
        self.api.watch = self._watch
        self.sites = system("web", self._site, lambda: not self._entrance())
        self.factory = system("factory", _factory)
        self.helm: Helm | None = None

    # -- the product's side

    def bootstrap(self) -> Bootstrap:
        """The product's own, with clients whose requests go to this world."""
        runner = self.runner = self._runner()
        castle_api = "https://tailscale.test"

        def commands(redaction: Redaction) -> Commands:
            runner._redaction = redaction
            return runner

        def proxmox_api(proxmox: Proxmox, secrets: SecretsResolved) -> ProxmoxApi:
            wire = SyncWire(self.host, self.proxmox)
            return ProxmoxApi(endpoint=proxmox.endpoint, token=secrets[proxmox.token], transport=wire)

        def tailnet_api(tailscale: Tailscale, secrets: SecretsResolved) -> TailnetApi:
            client = secrets[tailscale.oauth_client_id], secrets[tailscale.oauth_client_secret]
            return TailnetApi(
                api=castle_api,
                tailnet=tailscale.tailnet,
                client_id=client[0],
                client_secret=client[1],
                transport=Wire(self.host, self.tailscale),
            )

        def vault_api(vault: Vault, secrets: SecretsResolved) -> VaultApi:
            wire = SyncWire(self.host, self.vaults)
            return VaultApi(
                address=vault.address, mount=vault.mount, token=secrets[vault.token], ca=None, transport=wire
            )

        def cluster_access(paths: Paths) -> ClusterAccess:
            return ClusterAccess(paths, Wire(self.host, self.api))

        def image_factory(talos: Talos) -> ImageFactory:
            return ImageFactory(url=talos.image_factory, transport=Wire(self.host, self.factory))

        def web() -> Web:
            return _web(_SITES.at(Wire(self.host, self.sites)))

        own = (commands, proxmox_api, tailnet_api, vault_api, cluster_access, image_factory, web)
        mine = {function.__name__: declared(function) for function in own}
        kept = tuple(mine.get(one.__name__) or declared(one) for one in product.CONNECTIONS)
        return replace(BOOTSTRAP, connections=kept)

    def _runner(self) -> Runner:
        tools = {
            "talosctl": Tool(self.yard.talosctl, "talos", machines.changes, machines.named),
            "helm": Tool(self._run_helm, "helm", lambda argv: "upgrade" in argv, _named_helm),
            "git": Tool(self._git, "git", lambda argv: "clone" in argv, lambda argv: f"git {argv[1]}"),
        }
        return Runner(self.host, self.struck, tools, self.show, Redaction())

    async def _git(self, call: Call) -> str:
        await self.takes(0.1, 1.0)
        if "clone" in call.argv:
            tree.clone(Path(call.argv[-1]), self.castle.gitops.path)
        return "0" * 40 + "\n"

    async def _run_helm(self, call: Call) -> str:
        await self.takes(0.1, 1.0)
        if not self.api_answers or self.helm is None:
            raise Exit(1, "Error: Kubernetes cluster unreachable: connection refused")
        return await self.helm(call)

    # -- the world's side

    def later(self, seconds: float, act: Callable[[], Any]) -> None:
        with self.host.world():
            self.host.loop.call_later(seconds, act)

    async def takes(self, least: float, most: float) -> None:
        await asyncio.sleep(self.draw.uniform(least, most))

    def show(self, place: str, text: str) -> None:
        for look in self.looks:
            look(place, text)

    def _written(self, what: str) -> None:
        for told in self.wrote:
            told(what)

    def _in_cluster(self, what: str) -> None:
        """A write of whoever is a client of the cluster; what the product writes itself is counted at the seam."""
        if any(task for task in self.runner.running):
            self._written(f"helm {what}")
            if not self.host.dead and self.host.kills(len(self.host.points), f"in helm {what}"):
                self.host.kill(f"in helm {what}")
            self.host.points.append(f"in helm {what}")

    def _killed(self) -> None:
        self.runner.die()
        if self.cluster:
            self.cluster.changes.watches.clear()

    # -- the cluster

    @property
    def api_answers(self) -> bool:
        seat = self._seat
        return self.cluster_up and seat is not None and self.yard.runs(seat)

    def cluster_born(self, on: machines.Machine) -> None:
        if self.yard.machines.get(on.vm.vmid) is not on:
            return
        self.cluster, self.cluster_up, self.clusters = cluster.born(self), True, self.clusters + 1
        self._seat = on
        self.cluster.on_write = self._in_cluster
        self.helm = Helm(self.cluster, charts=dict(cluster.HELM))
        self.kubelets()

    def kubelets(self) -> None:
        """Machines that run register with the API server, and become Ready."""
        if self.cluster is None or not self.api_answers:
            return
        for machine in self.yard.up():
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": machine.name}}
            self.later(self.draw.uniform(0.5, 3), lambda node=node: self._ready(node))

    def _ready(self, node: dict[str, Any]) -> None:
        if self.cluster and self.api_answers:
            self.cluster.put(node, by="kubelet")
            self.cluster.condition(node, "Ready", "True")

    def restart_api(self, seconds: float) -> None:
        self.cluster_up = False
        if self.cluster:
            self.cluster.changes.end()
        self.later(seconds, self._api_back)

    def _api_back(self) -> None:
        self.cluster_up = True
        self.kubelets()

    async def _watch(self, request: Request) -> Response:
        assert self.cluster
        return await answered(self.cluster, request)

    # -- the site

    def _entrance(self) -> bool:
        if not self.api_answers or self.cluster is None:
            return False
        service = self.cluster.get("v1", "Service", "traefik", "traefik")
        return bool((service or {}).get("status", {}).get("loadBalancer"))

    async def _site(self, scope: Any, receive: Any, send: Any) -> None:
        made = self.cluster and self.cluster.get("apps/v1", "Deployment", "blog", "blog")
        routed = self.cluster and self.cluster.get("networking.k8s.io/v1", "Ingress", "blog", "blog")
        ready = made and routed and made.get("status", {}).get("availableReplicas")
        page: Response = HTMLResponse("<h1>Ephemeral Castle</h1>") if ready else HTMLResponse("404", 404)
        await page(scope, receive, send)

    def close(self) -> None:
        self.host.close()
        shutil.rmtree(self.host.folder.parent, ignore_errors=True)


async def _factory(scope: Any, receive: Any, send: Any) -> None:
    await Response(json.dumps({"id": castle().talos.schematic}), media_type="application/json")(scope, receive, send)


def _named_helm(argv: Any) -> str:
    words = list(argv)
    return f"helm upgrade {words[words.index('--install') + 1]}" if "upgrade" in words else "helm list"


class _Sites(httpx2.AsyncBaseTransport):
    """To whichever world there is now: a Web reads the public CAs once, which takes longer than a whole life."""

    def __init__(self) -> None:
        self._now: httpx2.AsyncBaseTransport | None = None

    def at(self, wire: httpx2.AsyncBaseTransport) -> "_Sites":
        self._now = wire
        return self

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert self._now
        return await self._now.handle_async_request(request)


_SITES = _Sites()


@cache
def _web(sites: _Sites) -> Web:
    return Web(transport=sites)
