"""A host that is slow: its tasks can be watched, are listed while they run, and can be ended."""

import asyncio
import time

import pytest
from proxmoxer import ResourceException
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from lab.proxmox.test_storages import named
from rebirth.lab.proxmox import Pace

SIZE = 1 << 20


@pytest.fixture
async def mirror(serve):
    async def image(_):
        return Response(bytes(SIZE), headers={"content-disposition": 'attachment; filename="talos.iso"'})

    return await serve(Starlette(routes=[Route("/image", image)]))


async def test_a_task_takes_its_time(proxmox, host):
    host.pace = Pace(task_seconds=0.4)
    since = time.monotonic()
    upid = await proxmox.call(proxmox.node.qemu.post, vmid=800)
    status = proxmox.node.tasks(upid).status.get
    state = await proxmox.call(status)
    assert (state["status"], "exitstatus" in state) == ("running", False)
    assert [row["upid"] for row in await proxmox.call(proxmox.node.tasks.get, source="active")] == [upid]
    config = await proxmox.call(proxmox.node.qemu(800).config.get)
    assert config["lock"] == "create"
    assert await proxmox.ended(upid) == "OK"
    assert time.monotonic() - since >= 0.4
    assert await proxmox.call(proxmox.node.tasks.get, source="active") == []


async def test_a_download_takes_as_long_as_its_bytes(proxmox, host, mirror):
    host.pace = Pace(bytes_per_second=2 * SIZE)
    since = time.monotonic()
    options = {"content": "iso", "filename": "talos.iso", "url": f"{mirror.url}/image"}
    upid = await proxmox.call(proxmox.node.storage("local")("download-url").post, **options)
    assert await proxmox.call(proxmox.node.storage("local").content.get) == []
    assert await proxmox.ended(upid) == "OK"
    assert time.monotonic() - since >= 0.5
    lines = [line["t"] for line in await proxmox.call(proxmox.node.tasks(upid).log.get)]
    assert lines[0].startswith(f"downloading {mirror.url}/image to /var/lib/vz/template/iso/talos.iso")
    assert lines[-1] == "TASK OK"
    assert await proxmox.call(proxmox.node.tasks(upid).log.get, start=1, limit=1) == [{"n": 2, "t": lines[1]}]


async def test_an_upload_takes_as_long_as_its_bytes(proxmox, host):
    host.pace = Pace(bytes_per_second=2 * SIZE)
    since = time.monotonic()
    local = proxmox.node.storage("local")
    assert await proxmox.done(local.upload.post, filename=named("a.iso", bytes(SIZE)), content="iso") == "OK"
    assert time.monotonic() - since >= 0.5


async def test_a_download_that_is_broken_off(proxmox, host, mirror):
    host.pace = Pace(bytes_per_second=1)
    options = {"content": "iso", "filename": "talos.iso", "url": f"{mirror.url}/image"}
    upid = await proxmox.call(proxmox.node.storage("local")("download-url").post, **options)
    await asyncio.sleep(0.05)
    assert await proxmox.call(proxmox.node.tasks(upid).delete) is None
    assert await proxmox.ended(upid) == "interrupted by signal"
    assert host.storages["local"].volumes == {}
    (row,) = await proxmox.call(proxmox.node.tasks.get, errors=1)
    assert row["status"] == "interrupted by signal"


async def test_what_a_url_would_give(proxmox, mirror):
    ask = proxmox.node("query-url-metadata").get
    assert await proxmox.call(ask, url=f"{mirror.url}/image") == {"filename": "talos.iso", "size": SIZE}
    with pytest.raises(ResourceException, match="invalid server response: '404"):
        await proxmox.call(ask, url=f"{mirror.url}/nothing")
