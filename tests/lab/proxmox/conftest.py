"""A stood-in Proxmox behind a real server, for clients that nobody here wrote."""

import asyncio
from types import SimpleNamespace

import pytest
from proxmoxer import ProxmoxAPI

from paper import PaperHypervisor
from rebirth.lab.proxmox import Pve, Storage, proxmox_app

TOKEN = "castle@pve!rebirth=5f8f3f0e-0000-4000-8000-000000000001"


@pytest.fixture
def hypervisor():
    return PaperHypervisor()


@pytest.fixture
def host(hypervisor):
    storages = {
        "local": Storage(frozenset({"iso", "vztmpl", "import"}), total=1 << 24),
        "local-lvm": Storage(frozenset({"images", "rootdir"})),
        "thick": Storage(frozenset({"images"}), total=100 << 30, thin=False),
    }
    return Pve("pve", TOKEN, hypervisor, storages, bridges=frozenset({"vmbr0"}))


@pytest.fixture
async def proxmox(host, serve, published):
    """`proxmox.api` is proxmoxer; `await proxmox.call(function)` runs it beside the server; `proxmox.ended(upid)` waits for a task."""
    served = await serve(published.around(proxmox_app(host)))
    host.ca = str(served.ca)

    def client(secret: str = TOKEN.partition("=")[2], name: str = "rebirth"):
        return ProxmoxAPI(
            "localhost",
            port=served.port,
            user="castle@pve",
            token_name=name,
            token_value=secret,
            verify_ssl=str(served.ca),
            timeout=5,
        )

    api = client()
    node = api.nodes("pve")

    async def ended(upid: str) -> str:
        """The exit status."""
        for _ in range(500):
            state = await asyncio.to_thread(node.tasks(upid).status.get)
            if state["status"] == "stopped":
                return state["exitstatus"]
            await asyncio.sleep(0.01)
        raise TimeoutError(upid)

    async def done(function, *arguments, **options) -> str:
        return await ended(await asyncio.to_thread(function, *arguments, **options))

    return SimpleNamespace(
        api=api, node=node, call=asyncio.to_thread, ended=ended, done=done, served=served, client=client
    )
