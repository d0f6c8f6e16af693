"""The tailnet of a lab: its control server, its API, and the devices that are on it before a castle is."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from rebirth.castle import Tailscale
from rebirth.errors import Broken
from rebirth.lab.spec import Lab
from rebirth.lab.systems.passing import passing_app
from rebirth.lab.systems.servers import Servers
from rebirth.lab.tailscale import OAuthClient, Tailnet, log_app, tailscale_app
from rebirth.lab.tailscale.agents import Agent
from rebirth.lab.tailscale.headscale import HOST, PORT, PUBLIC, Headscale, configuration
from rebirth.lab.tailscale.upgrades import passing_upgrades

HOSTS, LOG_HOST = (PUBLIC, "api.tailscale.com", "login.tailscale.com"), "log.tailscale.com"
_LOOK_EVERY = 0.5  # seconds between two looks at which names there are
_KEY = 600.0  # seconds for which a device of the lab's own may join

Run = Callable[[str, Sequence[str]], None]  # keeps a program running, under a name


@dataclass
class TailnetServer:
    """`address` is where it is reached, `log_address` where clients' logs go, `folder` its own, `programs` the lab's; `run`
    starts what is to go on running.
    """

    name: str  # of the tailnet
    api: str  # its URL
    folder: Path
    address: str
    log_address: str
    programs: Mapping[str, str]
    run: Run
    clients: list[OAuthClient]
    owners: dict[str, frozenset[str]] = field(default_factory=dict)
    ephemeral_seconds: float = 120.0
    _addresses: dict[str, str] = field(default_factory=dict)  # of devices by their names, a moment ago
    _looking: "asyncio.Task[None] | None" = None

    @classmethod
    def of(cls, spec: Tailscale, lab: Lab, secrets: Mapping[str, str], **places: Any) -> "TailnetServer":
        """The castle's tailnet, as lab.yaml completes it. `secrets` are the lab's own, by what names them."""
        declared = lab.tailnet
        references = [(spec.oauth_client_id.secret, spec.oauth_client_secret.secret, spec.node_key.tags)]
        references += [(client.id, client.secret, client.tags) for client in declared.clients]
        clients = [OAuthClient(secrets[i], secrets[s], tags=frozenset(tags)) for i, s, tags in references]
        owners = {tag: frozenset(by) for tag, by in declared.owners.items()}
        return cls(
            spec.tailnet,
            spec.api,
            clients=clients,
            owners=owners,
            ephemeral_seconds=declared.ephemeral_seconds,
            **places,
        )

    def __post_init__(self) -> None:
        self.headscale = Headscale(self.programs["headscale"], self.folder / "headscale.json")
        self.tailnet = Tailnet(self.name, self.headscale, self.clients, self.owners)

    async def start(self, servers: Servers, hosts: Sequence[str]) -> None:
        """Returns when devices can join. `hosts`: further names of the API."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = configuration(
            folder=self.folder, tailnet=self.name, address=self.address, ephemeral_seconds=self.ephemeral_seconds
        )
        self.headscale.config.write_text(json.dumps(settings))
        self.run("headscale", [self.programs["headscale"], "serve", "--config", str(self.headscale.config)])
        await self.headscale.open()
        app = tailscale_app(self.tailnet, passing_app(f"http://{HOST}:{PORT}"))
        names = sorted({*HOSTS, *hosts})
        http = passing_upgrades(HOST, PORT)
        await servers.start("tailscale", app, address=self.address, port=443, hosts=names, http=http)
        await servers.start("tailscale-log", log_app(), address=self.log_address, port=443, hosts=[LOG_HOST])
        self._looking = asyncio.create_task(self._look())

    async def bring(self, hostname: str, namespace: Path | None = None) -> Agent:
        """A device of somebody's own, which is there before the castle and stays. Raises Broken."""
        agent = Agent(hostname, self.folder / hostname, self.programs, namespace)
        secret = await self.headscale.mint(tags=(), reusable=False, ephemeral=False, expires=self.tailnet.now() + _KEY)
        self.run(f"tailscaled-{hostname}", agent.daemon)
        await agent.join(secret)
        await self._refresh()
        return agent

    def resolve(self, fqdn: str) -> str | None:
        """The address of a device by its full name, as it was a moment ago."""
        name, _, tailnet = fqdn.lower().rstrip(".").partition(".")
        return self._addresses.get(name) if tailnet == self.name.lower() else None

    async def _refresh(self) -> None:
        self._addresses = {node.name: node.addresses[0] for node in await self.headscale.nodes()}

    async def _look(self) -> None:
        while True:
            with suppress(Broken, httpx.HTTPError):
                await self._refresh()
            await asyncio.sleep(_LOOK_EVERY)
