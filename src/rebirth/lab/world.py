"""The lab's first process: makes the network, starts every outside system, and lives until it is told to end.

`python -m rebirth.lab.world LAB CASTLE` runs in namespaces of its own (rebirth.lab.up makes them).
"""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rebirth.castle import Castle, host_of, load, port_of
from rebirth.lab import canaries, network
from rebirth.lab.building import charts, images
from rebirth.lab.building.sites import build_site
from rebirth.lab.building.toolchain import Toolchain, cache_directory, sources
from rebirth.lab.building.used import packable, used
from rebirth.lab.building.wheels import wheel_program
from rebirth.lab.ca import Authority
from rebirth.lab.control import Control
from rebirth.lab.hypervisor import Machines, Network
from rebirth.lab.namespaces import PRIVATE, RECURSIVE, become_init, bind, hostname, mount
from rebirth.lab.proxmox import Pve, Storage, proxmox_app
from rebirth.lab.spec import Lab, Seed, load_lab
from rebirth.lab.state import LabState
from rebirth.lab.systems import acme, dns, git, registry, vault
from rebirth.lab.systems.factory import factory_app
from rebirth.lab.systems.faults import Faults
from rebirth.lab.systems.passing import passing_app
from rebirth.lab.systems.servers import Servers
from rebirth.lab.tailscale import OAuthClient, Tailnet, tailscale_app
from rebirth.lab.talos.parts import Parts

_GIT, _REGISTRY, _CHARTS, _TAILSCALE, _FACTORY, _TOKENS = (f"198.18.0.{n}" for n in (10, 11, 12, 13, 14, 15))
_ACME = "198.18.0.16"
_PROXMOX, _VAULT_OUTSIDE, _VAULT_TAILNET = "198.18.0.20", "198.18.0.21", "100.64.0.10"
_TAILSCALE_HOSTS = ("api.tailscale.com", "login.tailscale.com", "controlplane.tailscale.com")
_STALE = 30 * 24 * 3600.0  # seconds since a stale device was seen


class World:
    """Everything outside the cluster."""

    def __init__(self, state: LabState, folder: Path, castle: Castle, lab: Lab) -> None:
        self.state, self.folder, self.castle, self.lab = state, folder, castle, lab
        self.ca = Authority("Rebirth lab")
        self.vault_ca = Authority("Rebirth lab, Vault") if castle.engine.vault.ca else self.ca
        self.trust = (state.ca, state.folder / "etc/certs/ca-certificates.crt")
        self.faults = Faults()
        self.servers = Servers(self.ca, state.folder / "tls", state.log, self.faults)
        self.parts = Parts(state.log)
        self.secrets = canaries.make(castle, lab, ca=self.ca, vault_ca=self.vault_ca)
        self.names: dict[str, str] = {}  # host name -> address
        self.repositories: dict[str, git.Repository] = {}  # by URL
        self._awaited: set[str] = set()
        self._routes, self._routing = network.TailnetRoutes(), asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Returns when every system answers."""
        self._tell("reading charts and images")
        toolchain, parts = Toolchain(), used(self.folder)
        self.programs = await toolchain.programs(parts) | {"kubectl": wheel_program("kubectl")}
        self.images = packable(images.declared(sources() / "images" / "images.toml"), parts)
        found = await charts.charts(sources() / "charts", toolchain, parts)
        self.charts = [chart for chart in found if not chart.in_a_registry]
        self.registry_charts = [chart for chart in found if chart.in_a_registry]
        for file in self.trust:
            file.write_text(self.ca.pem)
        self._name_everything()
        self._tell("setting up the network")
        await asyncio.to_thread(network.lay, self.castle.machines, set(self._addresses()))
        self.tailnet = self._make_tailnet()
        self.pve = self._make_pve()
        names = self.names | {host: str(address) for host, address in self.lab.names.items()}
        self.name_servers = [await dns.serve(network.RESOLVER, names, self.tailnet.resolve)]
        self.name_servers += [await dns.serve(str(address), names) for address in self.castle.machines.nameservers]
        if "pebble" in self.programs:
            await self._start_acme()
        systems = {
            "Vault": self._start_vault(),
            "the registry": self._start_registry(),
            "the Git host": self._start_git(),
            "Proxmox, Tailscale and charts": self._start_others(),
        }
        self._awaited = set(systems)
        self._tell_awaited()
        await asyncio.gather(*(self._await(name, starting) for name, starting in systems.items()))
        canaries.write(self.secrets, self.state.secrets)
        control = Control(self._describe, self._take, self.faults, self.pve, self.tailnet).app()
        await self.servers.start_local(control, self.state.socket)

    # -- names and addresses

    def _name_everything(self) -> None:
        for repository in {self.castle.gitops.repository, *self.lab.repositories}:
            self.names[host_of(repository)] = _GIT
        references = [image.reference for image in self.images] + [image.reference for image in self.lab.images]
        hosts = {reference.partition("/")[0] for reference in references} | {
            chart.host for chart in self.registry_charts
        }
        for host in hosts:
            self.names["registry-1.docker.io" if host == "docker.io" else host] = _REGISTRY
        self.names |= dict.fromkeys((chart.host for chart in self.charts), _CHARTS)
        self.names |= dict.fromkeys((*_TAILSCALE_HOSTS, host_of(self.castle.tailscale.api)), _TAILSCALE)
        self.names[host_of(self.castle.talos.image_factory)] = _FACTORY
        self.names[registry.TOKEN_HOST] = _TOKENS
        self.names[host_of(self.castle.proxmox.endpoint)] = _PROXMOX
        if "pebble" in self.programs:
            self.names |= dict.fromkeys(acme.HOSTS, _ACME)
        if not self._vault_on_tailnet:
            self.names[host_of(self.castle.engine.vault.address)] = _VAULT_OUTSIDE

    @property
    def _vault_on_tailnet(self) -> bool:
        return host_of(self.castle.engine.vault.address).endswith(f".{self.castle.tailscale.tailnet}")

    def _address(self, host: str) -> str:
        """Where the system behind `host` listens: the address itself, where the castle names one."""
        return host if _is_address(host) else self.names.get(host, _VAULT_TAILNET)

    def _addresses(self) -> Iterator[str]:
        yield from (network.RESOLVER, _VAULT_TAILNET)
        yield from self.names.values()
        yield from filter(_is_address, self.names)

    # -- systems

    def _make_tailnet(self) -> Tailnet:
        spec, declared = self.castle.tailscale, self.lab.tailnet
        references = [(spec.oauth_client_id.secret, spec.oauth_client_secret.secret, spec.node_key.tags)]
        references += [(client.id, client.secret, client.tags) for client in declared.clients]
        clients = [OAuthClient(self.secrets[i], self.secrets[s], tags=frozenset(tags)) for i, s, tags in references]
        owners = {tag: frozenset(by) for tag, by in declared.owners.items()}
        tailnet = Tailnet(spec.tailnet, clients, owners, declared.ephemeral_seconds)
        if self._vault_on_tailnet:
            tailnet.add_device(host_of(self.castle.engine.vault.address).partition(".")[0], address=_VAULT_TAILNET)
        for device in declared.devices:
            tailnet.add_device(device.hostname, tags=tuple(device.tags), seen=tailnet.now() - _STALE)
        tailnet.on_change = lambda: self._go(self._route_devices())
        return tailnet

    async def _route_devices(self) -> None:
        """Machines answer at their tailnet address, too."""
        machines = {(node.name, str(node.address)) for node in self.castle.machines.nodes}
        async with self._routing:
            devices = [d for d in self.tailnet.devices.values() if (d.hostname, d.lan_address) in machines]
            await asyncio.to_thread(self._routes.show, {device.address: device.lan_address for device in devices})

    def _make_pve(self) -> Pve:
        spec, machines = self.castle.proxmox, self.castle.machines
        reservations = {node.name: str(node.address) for node in machines.nodes}
        nameservers = tuple(map(str, machines.nameservers))
        lan = Network(network.LAN, machines.network.prefixlen, str(machines.gateway), nameservers, reservations)
        version = self.castle.talos.version
        hypervisor = Machines(self.state.name, self.state.folder, lan, self.state.ca, self.programs, version)
        contents = {spec.image_storage: {"iso", "vztmpl", "import"}}
        contents.setdefault(spec.disk_storage, set()).update({"images", "rootdir"})
        storages = {name: Storage(frozenset(content)) for name, content in contents.items()}
        token, bridges = self.secrets[spec.token.secret], frozenset({spec.bridge})
        return Pve(spec.node, token, hypervisor, storages, str(self.state.ca), bridges)

    async def _start_acme(self) -> None:
        root = await acme.start(self.parts, self.programs["pebble"], self.ca, self.state.folder)
        for file in self.trust:  # as everybody trusts Let's Encrypt
            file.write_text(self.ca.pem + root)
        app = passing_app(acme.SERVER, paths=acme.PATHS, trusted=acme.trusted(self.ca))
        await self.servers.start("acme", app, address=_ACME, port=443, hosts=acme.HOSTS)

    async def _start_vault(self) -> None:
        url = self.castle.engine.vault.address
        host, port = host_of(url), port_of(url)
        address = _VAULT_TAILNET if self._vault_on_tailnet else self._address(host)
        config = self.state.folder / "openbao.json"
        config.write_text(vault.configuration())
        self.parts.run("openbao", [self.programs["bao"], "server", f"-config={config}"])
        seeds = {seed.path: self._seed(seed) for seed in self.lab.vault}
        token = await vault.prepare(mount=self.castle.engine.vault.mount, seeds=seeds)
        self.secrets[self.castle.engine.vault.token.secret] = token
        app = passing_app(vault.SERVER)
        await self.servers.start("vault", app, address=address, port=port, hosts=[host], ca=self.vault_ca)

    def _seed(self, seed: Seed) -> dict[str, str]:
        made = canaries.kinds(self.castle, self.ca)
        values = {name: made.make(name, seed.path, seed.path) for name in seed.random} | seed.text
        if seed.tls:
            values["tls.crt"], values["tls.key"] = self.ca.issue(seed.tls)
        return values

    async def _start_registry(self) -> None:
        folder = self.state.folder / "registry"
        store = images.ImageStore(cache_directory(), folder, self.programs, self.ca.pem)
        await asyncio.to_thread(self._fill, store)
        hosts = [name for name, address in self.names.items() if address == _REGISTRY]
        certificate, key = self.ca.issue_into(folder, "tls", [*hosts, _REGISTRY])
        private = [prefix.partition("/")[2] for prefix in self.lab.private_images]
        pullers = (self.castle.gitops.token, *(pull.password for pull in self.castle.engine.pull_secrets))
        passwords = {self.secrets[reference.secret] for reference in pullers}
        tokens = registry.TokenServer(passwords, private)
        keys = folder / "keys.json"
        tokens.write_keys(keys)
        config = folder / "config.yml"
        config.write_text(
            registry.configuration(storage=folder, address=_REGISTRY, certificate=certificate, key=key, keys=keys)
        )
        self.parts.run("registry", [self.programs["registry"], "serve", str(config)], {"OTEL_TRACES_EXPORTER": "none"})
        app = registry.token_app(tokens)
        await self.servers.start("registry-tokens", app, address=_TOKENS, port=443, hosts=[registry.TOKEN_HOST])
        await registry.answering(_REGISTRY)

    def _fill(self, store: images.ImageStore) -> None:
        for number, image in enumerate(self.images, 1):
            self._tell(f"packing images: {number} of {len(self.images)}, {image.reference}")
            store.add(image)
        for chart in self.registry_charts:
            _, meta, package = chart.packed()
            store.add_chart(f"{chart.path.strip('/')}/{meta['name']}".lstrip("/"), meta["version"], meta, package)
        for site in self.lab.images:
            pages = self.state.folder / "sites" / site.reference.replace("/", "-").replace(":", "-")
            build_site(self.folder / site.hugo, pages)
            files = {"/site": str(pages), "/usr/local/bin/webserver": "binary:webserver"}
            store.add(images.Image(site.reference, files, ("/usr/local/bin/webserver",), "65532:65532"))
        self._tell_awaited()

    async def _start_git(self) -> None:
        root = self.state.folder / "git"
        for url, source in self.lab.repositories.items():
            bare = root / host_of(url) / urlsplit(url).path.lstrip("/")
            repository = git.Repository(bare, (self.folder / source).resolve(), self.castle.gitops.branch)
            await repository.make()
            self.repositories[url] = repository
        self.state.record_repositories({url: repository.source for url, repository in self.repositories.items()})
        hosts = sorted({host_of(url) for url in (self.castle.gitops.repository, *self.lab.repositories)})
        app = git.git_app(root, self.secrets[self.castle.gitops.token.secret])
        port = port_of(self.castle.gitops.repository)
        await self.servers.start("git", app, address=_GIT, port=port, hosts=hosts)

    async def _start_others(self) -> None:
        start, castle = self.servers.start, self.castle
        hosts = sorted({chart.host for chart in self.charts})
        await start(
            "charts", await asyncio.to_thread(charts.charts_app, self.charts), address=_CHARTS, port=443, hosts=hosts
        )
        hosts = sorted({*_TAILSCALE_HOSTS, host_of(castle.tailscale.api)})
        await start("tailscale", tailscale_app(self.tailnet), address=_TAILSCALE, port=443, hosts=hosts)
        url = castle.talos.image_factory
        await start("image-factory", factory_app(), address=_FACTORY, port=port_of(url), hosts=[host_of(url)])
        url = castle.proxmox.endpoint
        address = self._address(host_of(url))
        await start("proxmox", proxmox_app(self.pve), address=address, port=port_of(url), hosts=[host_of(url)])

    # -- living

    async def _await(self, system: str, starting: Coroutine[Any, Any, None]) -> None:
        await starting
        self._awaited.discard(system)
        self._tell_awaited()

    def _tell_awaited(self) -> None:
        if self._awaited:
            self._tell(f"waiting for {', '.join(sorted(self._awaited))}")

    def _tell(self, doing: str) -> None:
        """For whoever waits for this lab to come up."""
        self.state.tell(doing)

    async def _take(self) -> dict[str, str]:
        """Every repository takes what its folder holds now; URL -> commit of those that changed."""
        taken = {url: await repository.take() for url, repository in self.repositories.items()}
        return {url: commit for url, commit in taken.items() if commit}

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _describe(self) -> dict[str, Any]:
        running = {
            options["name"]: await self.pve.hypervisor.running(vmid) for vmid, options in self.pve.machines.items()
        }
        return {
            "castle": str(self.folder),
            "systems": {service.id: service.state for service in self.parts.services.values()},
            "machines": running,
            "devices": sorted(device.name for device in self.tailnet.devices.values()),
        }


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _live(state: LabState, folder: Path) -> None:
    world = World(state, folder, load(folder), load_lab(folder))
    await world.start()
    await asyncio.Event().wait()


def _lay_ground(state: LabState) -> None:
    """From now on this process and all its children see the lab's resolver and nothing of the host's name services."""
    hostname(f"rebirth-{state.name}")
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    mount("tmpfs", "/run", "tmpfs")
    etc = {
        "resolv.conf": f"nameserver {network.RESOLVER}\noptions timeout:2 attempts:2\n",
        "hosts": "127.0.0.1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
    }
    for name, text in etc.items():
        own = state.folder / "etc" / name
        own.parent.mkdir(exist_ok=True)
        own.write_text(text)
        if Path("/etc", name).is_file():
            bind(own, f"/etc/{name}")
    trusted = state.folder / "etc" / "certs"
    trusted.mkdir()
    if Path("/etc/ssl/certs").is_dir():
        bind(trusted, "/etc/ssl/certs")


def main() -> None:
    state, folder = LabState(sys.argv[1]), Path(sys.argv[2])
    os.umask(0o022)
    os.chdir("/")
    _lay_ground(state)
    become_init()
    try:
        asyncio.run(_live(state, folder))
    except Exception as error:
        (state.folder / "failure.json").write_text(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        raise


if __name__ == "__main__":
    main()
