"""go-proxmox, the client that most Go programs take for Proxmox, through a machine's whole life."""

import asyncio
import os
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from rebirth.lab.proxmox import proxmox_app

pytestmark = pytest.mark.lab
SOURCE = Path(__file__).parent / "go_proxmox"


async def run(*argv, folder=None, **environment):
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=folder, env={**os.environ, **environment}, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_a_machine_from_creation_to_removal(host, serve, published, hypervisor, tmp_path):
    async def image(_):
        return Response(b"an image")

    program = str(tmp_path / "go-proxmox")
    await run("go", "build", "-mod=readonly", "-o", program, ".", folder=SOURCE, CGO_ENABLED="0", GOWORK="off")
    served = await serve(published.around(proxmox_app(host)))
    mirror = await serve(Starlette(routes=[Route("/talos.iso", image)]))
    host.ca = str(served.ca)
    identity, _, secret = host.token.partition("=")
    said = await run(program, served.url, str(served.ca), identity, f"{mirror.url}/talos.iso", TOKEN_SECRET=secret)
    *steps, shown, _, stopped, deleted = said.splitlines()
    assert steps == ["version 9.2", "downloaded", "created", "started", "changed", "resized", "tagged"]
    # The cores that it runs with, and those that it has from its next start on.
    assert re.fullmatch(
        r"running 2 4 local-lvm:vm-800-disk-0,iothread=1,size=30G virtio=BC:24:11:C0:FF:EE,bridge=vmbr0", shown
    )
    assert (stopped, deleted) == ("stopped", "deleted")
    assert hypervisor.destroyed == [800]
