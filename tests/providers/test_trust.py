"""An authority of the castle's own: trusted alone, and without a file."""

import asyncio
import tempfile
from pathlib import Path

import pytest
import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rebirth.errors import Broken
from rebirth.lab.ca import Authority
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.proxmox_rights import Needs
from rebirth.providers.trust import trust_only
from rebirth.providers.vault import VaultApi
from rebirth.secrets import Secret


@pytest.fixture
async def url(serve):
    return (await serve(Starlette(routes=[Route("/", lambda _: PlainTextResponse("hello"))]))).url


async def get(session: requests.Session, url: str) -> str:
    with session:
        return (await asyncio.to_thread(session.get, url, timeout=5)).text


async def test_who_it_signed_is_trusted(serve, url):
    session = requests.Session()
    trust_only(session, serve.ca.read_text())
    assert await get(session, url) == "hello"


async def test_nobody_else_is_whatever_the_environment_says(serve, url, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(serve.ca))
    session = requests.Session()
    trust_only(session, Authority("another").pem)
    with pytest.raises(requests.exceptions.SSLError):
        await get(session, url)


async def test_clients_leave_no_file(serve, url, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    ca, token = Secret(serve.ca.read_text()), Secret("root@pam!x=y")
    vault = VaultApi(address=url, mount="secret", token=token, ca=ca)
    proxmox = ProxmoxApi(endpoint=url, token=token, ca=ca)
    with pytest.raises(Broken, match="no such path"):
        await vault.read(path="x")
    with pytest.raises(Broken, match="Not Found"):
        await proxmox.reach(Needs({}, 800))
    assert sorted(tmp_path.rglob("*")) == before
    await vault.close()
    await proxmox.close()
