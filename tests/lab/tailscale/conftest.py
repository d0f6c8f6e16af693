"""A tailnet's API behind a real server, before a control server on paper; its clock, and clients that nobody here wrote."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import SimpleNamespace

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client

from paper import PaperControl
from rebirth.lab.tailscale import OAuthClient, Tailnet, tailscale_app

NAME = "magellanic-gondola.ts.net"


@dataclass
class Clock:
    now: float = 1_780_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def passwords():
    return {name: secrets.token_hex(16) for name in ("castle", "operator", "reader", "two")}


@pytest.fixture
def control(clock):
    return PaperControl(clock)


@pytest.fixture
def tailnet(control, clock, passwords):
    def client(name, tags, scopes=("auth_keys", "devices:core")):
        return OAuthClient(name, passwords[name], frozenset(scopes), frozenset(tags))

    clients = [
        client("castle", ["tag:castle"]),
        client("operator", ["tag:operator"]),
        client("reader", [], ["devices:core:read"]),
        client("two", ["tag:one", "tag:two"]),
    ]
    return Tailnet(NAME, control, clients, {"tag:service": frozenset({"tag:operator"})}, clock)


@pytest.fixture
async def world(tailnet, passwords, serve):
    """`await world.client(name)`: authlib, logged in. `world.lab`: without a login. `await world.key(...)`: a key of the castle's client."""
    served = await serve(tailscale_app(tailnet))
    async with AsyncExitStack() as stack:
        options = {"verify": served.trust, "trust_env": False}

        async def client(name, secret=None, method="client_secret_post", **wanted):
            made = AsyncOAuth2Client(
                client_id=name,
                client_secret=secret or passwords[name],
                token_endpoint=f"{served.url}/api/v2/oauth/token",
                token_endpoint_auth_method=method,
                base_url=f"{served.url}/api/v2",
                **options,
            )
            await stack.enter_async_context(made)
            await made.fetch_token(grant_type="client_credentials", **wanted)
            return made

        lab = await stack.enter_async_context(httpx.AsyncClient(base_url=served.url, **options))
        castle = await client("castle")

        async def mint(by=castle, tags=("tag:castle",), reusable=False, ephemeral=False, preauthorized=True, **body):
            create = {"reusable": reusable, "ephemeral": ephemeral, "preauthorized": preauthorized, "tags": list(tags)}
            return await by.post("/tailnet/-/keys", json={"capabilities": {"devices": {"create": create}}, **body})

        async def key(**options):
            answer = await mint(**options)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield SimpleNamespace(client=client, lab=lab, castle=castle, mint=mint, key=key)
