"""The lab's first process: makes the network, starts every outside system, and lives until it is told to end.

`python -m rebirth.lab.world LAB CASTLE` runs in namespaces of its own (rebirth.lab.up makes them).
"""

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

from rebirth.castle import Castle, Tailscale, Vault, host_of, load, port_of
from rebirth.castle.gitops import is_ssh
from rebirth.lab import canaries, git_host, ground, network, proxmox_host
from rebirth.lab.building import charts, images
from rebirth.lab.building.toolchain import Toolchain, sources
from rebirth.lab.building.used import packable, used
from rebirth.lab.building.wheels import wheel_program
from rebirth.lab.ca import Authority
from rebirth.lab.control import Control
from rebirth.lab.namespaces import become_init
from rebirth.lab.outside.filling import fill, site_image
from rebirth.lab.outside.found import Found, find
from rebirth.lab.outside.offered import Offered
from rebirth.lab.paper import stub
from rebirth.lab.paper.admission import NAME as PAPER
from rebirth.lab.paper.standing import Standing
from rebirth.lab.proxmox import Pve
from rebirth.lab.spec import Lab, Seed, load_lab
from rebirth.lab.state import LabState
from rebirth.lab.systems import acme, dns, git, registry, vault
from rebirth.lab.systems.factory import factory_app
from rebirth.lab.systems.faults import Faults
from rebirth.lab.systems.parts import Parts
from rebirth.lab.systems.passing import passing_app
from rebirth.lab.systems.servers import Servers
from rebirth.lab.tailscale import extension, serving
from rebirth.lab.talos import rootfs
from rebirth.lab.talos.dhcp import Dhcp
from rebirth.lab.talos.installing import Installer
from rebirth.lab.talos.machines import Machines
from rebirth.store.cache import cache_directory
from rebirth.store.names import name_of
from rebirth.store.store import Store

_GIT, _REGISTRY, _CHARTS, _TAILSCALE, _FACTORY, _TOKENS = (f"198.18.0.{n}" for n in range(10, 16))
_DISCOVERY, _TAILSCALE_LOG, _ACME, _PAPER = (f"198.18.0.{n}" for n in range(16, 20))
_PROXMOX, _VAULT = "198.18.0.20", "198.18.0.21"
_DISCOVERY_HOST = "discovery.talos.dev"
_LOOPBACK = "127.0.0.1"
_WORKSTATION = "workstation"  # the operator's own device of the tailnet


class World:
    """Everything outside the cluster."""

    def __init__(self, state: LabState, folder: Path, castle: Castle, lab: Lab) -> None:
        self.state, self.folder, self.castle, self.lab = state, folder, castle, lab
        self.ca = Authority("Rebirth lab")
        vault = castle.engine.vault
        self.vault_ca = Authority("Rebirth lab, Vault") if vault and vault.ca else self.ca
        self.trust = (state.ca, state.folder / "etc/certs/ca-certificates.crt")
        self.faults = Faults()
        self.servers = Servers(self.ca, state.folder / "tls", state.log, self.faults)
        self.parts = Parts(state.log)
        self.secrets = canaries.make(castle, lab, ca=self.ca, vault_ca=self.vault_ca)
        self.names: dict[str, str] = {}  # host name -> address
        self.repositories: dict[str, git.Repository] = {}  # by URL
        self._awaited: set[str] = set()

    async def start(self) -> None:
        """Returns when every system answers."""
        self._tell("reading charts and images")
        toolchain, parts = Toolchain(), used(self.folder)
        self.programs = await toolchain.programs(parts) | {"kubectl": wheel_program("kubectl")}
        self.images = packable(images.declared(sources() / "images" / "images.toml"), parts)
        self.images.append(stub.image(self.ca))
        self.charts = await charts.charts(sources() / "charts", toolchain, parts)
        self.found = await self._find()
        for file in self.trust:
            file.write_text(self.ca.pem)
        self._name_everything()
        self._tell("setting up the network")
        await asyncio.to_thread(network.lay, self.castle.machines, set(self._addresses()))
        self._tell("laying the root file system of the machines")
        await rootfs.make(self._root, toolchain, self.ca.pem)
        if self.castle.tailscale:  # an extension service without its configuration keeps a boot from ever ending
            extension.lay(self._root, self.programs)
        self.tailnet = self._make_tailnet(self.castle.tailscale) if self.castle.tailscale else None
        self.pve = self._make_pve()
        self.standing = Standing(self.castle, self.lab, self.state.folder, self.ca, self.pve, _PAPER)
        names = self.names | {host: str(address) for host, address in self.lab.names.items()}
        self.name_servers = [await dns.serve(network.RESOLVER, names, self.tailnet.resolve if self.tailnet else None)]
        self.name_servers += [await dns.serve(str(address), names) for address in self.castle.machines.nameservers]
        if "pebble" in self.programs:
            await self._start_acme()
        systems: dict[str, Awaitable[None]] = {
            "the registry": self._start_registry(),
            "the Git host": self._start_git(),
            "what stands in for images": self.standing.serve(
                self.servers, [*self._references(), *map(str, self.found.stored)]
            ),
            "Proxmox and charts": self._start_others(),
        }
        serves = asyncio.create_task(self._start_tailnet(self.tailnet)) if self.tailnet else None
        if self.tailnet and serves:
            systems["Tailscale"] = serves
            systems["the operator's device"] = self._bring_workstation(self.tailnet, serves)
        if vault := self.castle.engine.vault:
            systems["Vault"] = self._start_vault(vault, serves)
        self._awaited = set(systems)
        self._tell_awaited()
        await asyncio.gather(*(self._await(name, starting) for name, starting in systems.items()))
        if vault and self._on_tailnet(vault):
            self._tell("waiting for the operator's device to meet Vault's")
            await self._workstation.meet(host_of(vault.address).partition(".")[0])
        canaries.write(self.secrets, self.state.secrets)
        headscale = self.tailnet.headscale if self.tailnet else None
        control = Control(self._describe, self._take, self.standing.report, self.faults, self.pve, headscale).app()
        await self.servers.start_local(control, self.state.socket)

    # -- names and addresses

    def _name_everything(self) -> None:
        hosts = {reference.partition("/")[0] for reference in self._references()} | self.found.registries
        hosts |= {chart.host for chart in self.charts if chart.in_a_registry}
        for host in hosts:
            self.names["registry-1.docker.io" if host == "docker.io" else host] = _REGISTRY
        self.names |= dict.fromkeys((package.host for package in self.found.packages), _CHARTS)
        for host in {*map(host_of, (self.castle.gitops.repository, *self.lab.repositories)), *self.found.git_hosts}:
            self.names[host] = _GIT
        if tailscale := self.castle.tailscale:
            self.names |= dict.fromkeys((*serving.HOSTS, host_of(tailscale.api)), _TAILSCALE)
            self.names[serving.LOG_HOST] = _TAILSCALE_LOG
        self.names[host_of(self.castle.talos.image_factory)] = _FACTORY
        self.names[registry.TOKEN_HOST] = _TOKENS
        self.names |= {_DISCOVERY_HOST: _DISCOVERY, PAPER: _PAPER}
        self.names[host_of(proxmox_host.section(self.castle).endpoint)] = _PROXMOX
        if "pebble" in self.programs:
            self.names |= dict.fromkeys(acme.HOSTS, _ACME)
        if (vault := self.castle.engine.vault) and not self._on_tailnet(vault):
            self.names[host_of(vault.address)] = _VAULT

    def _references(self) -> list[str]:
        """The images that the lab makes itself."""
        return [image.reference for image in self.images] + [site.reference for site in self.lab.images]

    def _on_tailnet(self, vault: Vault) -> bool:
        tailscale = self.castle.tailscale
        return tailscale is not None and host_of(vault.address).endswith(f".{tailscale.tailnet}")

    def _address(self, host: str) -> str:
        """Where the system behind `host` listens: the address itself, where the castle names one."""
        return host if network.is_address(host) else self.names[host]

    def _addresses(self) -> Iterator[str]:
        yield network.RESOLVER
        yield from self.names.values()
        yield from filter(network.is_address, self.names)

    # -- systems

    def _make_tailnet(self, tailscale: Tailscale) -> serving.TailnetServer:
        places = {"folder": self.state.folder / "tailnet", "address": _TAILSCALE, "log_address": _TAILSCALE_LOG}
        return serving.TailnetServer.of(
            tailscale, self.lab, self.secrets, programs=self.programs, run=self.parts.run, **places
        )

    async def _start_tailnet(self, tailnet: serving.TailnetServer) -> None:
        await tailnet.start(self.servers, [host_of(tailnet.api)])
        for device in self.lab.tailnet.devices:
            await tailnet.headscale.leave_behind(device.hostname, device.tags)

    async def _bring_workstation(self, tailnet: serving.TailnetServer, serves: Awaitable[None]) -> None:
        await serves
        self._workstation = await tailnet.bring(_WORKSTATION, network.OPERATOR_NAMESPACE)

    def _make_pve(self) -> Pve:
        dhcp = Dhcp.of(self.castle, self.lab.machines.dhcp, frozenset(self._addresses()))
        settings = self.lab.machines
        installer = Installer(self.state.ca, settings.install_seconds, frozenset(settings.disks_never_written))
        hypervisor = Machines(self.state.name, self.state.folder, network.LAN, self._root, dhcp, installer)
        token = self.secrets[proxmox_host.section(self.castle).token.secret]
        return proxmox_host.host(self.castle, self.lab.proxmox, token=token, hypervisor=hypervisor, ca=self.state.ca)

    @property
    def _root(self) -> Path:
        return self.state.folder / "machine-root"

    async def _start_acme(self) -> None:
        root = await acme.start(self.parts, self.programs["pebble"], self.ca, self.state.folder)
        for file in self.trust:  # as everybody trusts Let's Encrypt
            file.write_text(self.ca.pem + root)
        app = passing_app(acme.SERVER, paths=acme.PATHS, trusted=acme.trusted(self.ca))
        await self.servers.start("acme", app, address=_ACME, port=443, hosts=acme.HOSTS)

    async def _start_vault(self, spec: Vault, tailnet_serves: Awaitable[None] | None) -> None:
        host, port = host_of(spec.address), port_of(spec.address)
        config = self.state.folder / "openbao.json"
        anchor = self.castle.anchors.vault if self.castle.anchors else None
        config.write_text(vault.configuration(self.state.folder / "openbao" if anchor else None))
        self.parts.run("openbao", [self.programs["bao"], "server", f"-config={config}"])
        seeds = {seed.path: self._seed(seed) for seed in self.lab.vault}
        self.secrets |= await vault.prepare(spec, anchor, seeds=seeds)
        app, on_tailnet = passing_app(vault.SERVER), self._on_tailnet(spec)
        address = _LOOPBACK if on_tailnet else self._address(host)
        await self.servers.start("vault", app, address=address, port=port, hosts=[host], ca=self.vault_ca)
        if on_tailnet and self.tailnet and tailnet_serves:
            await tailnet_serves
            await self.tailnet.bring(host.partition(".")[0])

    def _seed(self, seed: Seed) -> dict[str, str]:
        made = canaries.kinds(self.castle, self.ca)
        values = {name: made.make(name, seed.path, seed.path) for name in seed.random} | seed.text
        if seed.tls:
            values["tls.crt"], values["tls.key"] = self.ca.issue(seed.tls)
        return values

    async def _find(self) -> Found:
        own = {str(name_of(reference)) for reference in self._references()}
        return await find(self.folder, self.lab, Offered(self.charts, own, Store()), self.ca.pem)

    async def _start_registry(self) -> None:
        folder = self.state.folder / "registry"
        store = images.ImageStore(cache_directory(), folder, self.programs, self.ca.pem, sources() / "images")
        await asyncio.to_thread(self._fill, store)
        hosts = [name for name, address in self.names.items() if address == _REGISTRY]
        certificate, key = self.ca.issue_into(folder, "tls", [*hosts, _REGISTRY])
        private = [prefix.partition("/")[2] for prefix in self.lab.private_images]
        pullers = (self.castle.gitops.token, *(pull.password for pull in self.castle.engine.pull_secrets))
        passwords = {self.secrets[reference.secret] for reference in pullers if reference}
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
        sites = [site_image(site, self.folder, self.state.folder / "sites") for site in self.lab.images]
        fill(store, [*self.images, *sites], self.charts, self.found, self._tell)
        self._tell_awaited()

    async def _start_git(self) -> None:
        root = self.state.folder / "git"
        change = git_host.encrypting(self.castle, self.secrets, self.ca, self.programs.get("sops"))
        self.repositories = await git_host.repositories(self.castle, self.lab, self.folder, root, change)
        self.state.record_repositories({url: repository.source for url, repository in self.repositories.items()})
        public = self.state.folder / "git-public"
        for url, bare in self.found.git.items():
            await git.copy(bare, git_host.place(public, url))
        gitops = self.castle.gitops
        if gitops.ssh:
            folder = self.state.folder / "git-ssh"
            self.secrets |= await git_host.serve_ssh(gitops, self.secrets, self.parts, folder, root, _GIT)
        urls = (gitops.repository, *self.lab.repositories, *self.found.git)
        if hosts := sorted({host_of(url) for url in urls if not is_ssh(url)} | self.found.git_hosts):
            app = git.git_app(root, self.secrets[gitops.token.secret] if gitops.token else None, public)
            port = 443 if gitops.ssh else port_of(gitops.repository)
            await self.servers.start("git", app, address=_GIT, port=port, hosts=hosts)

    async def _start_others(self) -> None:
        start, castle = self.servers.start, self.castle
        served = self.found.packages
        hosts, app = sorted({package.host for package in served}), await asyncio.to_thread(charts.charts_app, served)
        await start("charts", app, address=_CHARTS, port=443, hosts=hosts)
        url = castle.talos.image_factory
        ids = [one for one in castle.talos.schematics(castle.machines) if isinstance(one, str)]  # that somebody made
        app = factory_app(ids)
        await start("image-factory", app, address=_FACTORY, port=port_of(url), hosts=[host_of(url)])
        self._start_discovery()
        url = proxmox_host.section(castle).endpoint
        address = self._address(host_of(url))
        await start("proxmox", proxmox_host.app(self.pve), address=address, port=port_of(url), hosts=[host_of(url)])

    def _start_discovery(self) -> None:
        folder = self.state.folder / "discovery"
        folder.mkdir()
        certificate, key = self.ca.issue_into(folder, "tls", [_DISCOVERY_HOST])
        argv = [self.programs["talos-discovery"], "-address", f"{_DISCOVERY}:443"]
        self.parts.run("discovery", [*argv, "-certificate", str(certificate), "-key", str(key)])

    # -- living

    async def _await(self, system: str, starting: Awaitable[None]) -> None:
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

    async def _describe(self) -> dict[str, Any]:
        running = {
            options["name"]: await self.pve.hypervisor.running(vmid) for vmid, options in self.pve.machines.items()
        }
        return {
            "castle": str(self.folder),
            "systems": {service.id: service.state for service in self.parts.services.values()},
            "machines": running,
            "devices": sorted(node.name for node in await self.tailnet.headscale.nodes()) if self.tailnet else [],
        }


async def _live(state: LabState, folder: Path) -> None:
    world = World(state, folder, load(folder), load_lab(folder))
    try:
        await world.start()
    except Exception as error:
        state.fail(error)  # at once: what was starting beside it may take its time to end
        raise
    # What serves lives to the end. Left out of sight, it does not put off the looking for what is garbage (Python waits until a quarter is new).
    gc.collect()
    gc.freeze()
    await world.standing.keeper.run()


def main() -> None:
    state, folder = LabState(sys.argv[1]), Path(sys.argv[2])
    os.umask(0o022)
    os.chdir("/")
    ground.lay(state)
    become_init()
    try:
        asyncio.run(_live(state, folder))
    except Exception as error:
        state.fail(error)
        raise


if __name__ == "__main__":
    main()
