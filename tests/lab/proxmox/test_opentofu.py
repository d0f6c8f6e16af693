"""OpenTofu with the provider that most of its users take for Proxmox: it creates, changes and destroys two machines of the stand-in."""

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from rebirth.lab.building.toolchain import Toolchain, components
from rebirth.lab.proxmox import proxmox_app
from rebirth.lab.proxmox.hypervisor import CloudInit

pytestmark = pytest.mark.lab
CONFIGURATION = Path(__file__).parent / "opentofu" / "main.tf"
NEEDED = ("opentofu", "bpg-proxmox")
MAC = "BC:24:11:C0:FF:EE"
UNCHANGED, CHANGED = 0, 2  # exit codes of `plan -detailed-exitcode`


@pytest.fixture
async def programs() -> dict[str, str]:
    toolchain = Toolchain()
    for component in components():
        if component.name in NEEDED:
            await toolchain.build(component)
    return await toolchain.programs()


@dataclass
class Tofu:
    program: str
    folder: Path
    environment: dict[str, str]

    async def __call__(self, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            self.program, f"-chdir={self.folder}", *arguments, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    async def plan(self) -> int:
        code, said = await self("plan", "-input=false", "-no-color", "-detailed-exitcode")
        assert code in {UNCHANGED, CHANGED}, said
        return code

    async def apply(self, *options: str) -> None:
        code, said = await self("apply", "-input=false", "-no-color", "-auto-approve", *options)
        assert code == 0, said

    def set(self, **values) -> None:
        """Variables; those of before stay."""
        file = self.folder / "terraform.tfvars.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(before | values))


@pytest.fixture
async def tofu(programs, host, serve, published, tmp_path):
    async def image(_):
        return Response(b"an image")

    served = await serve(published.around(proxmox_app(host)))
    mirror = await serve(Starlette(routes=[Route("/talos.iso", image)]))
    host.ca = str(served.ca)
    settings = tmp_path / "tofu.rc"
    folder = Path(programs["terraform-provider-proxmox"]).parent
    settings.write_text(
        f'provider_installation {{\n  dev_overrides {{ "bpg/proxmox" = "{folder}" }}\n  direct {{}}\n}}\n'
    )
    work = tmp_path / "work"
    work.mkdir()
    (work / "main.tf").write_text(CONFIGURATION.read_text())
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "SSL_CERT_FILE": str(served.ca),
        "TF_CLI_CONFIG_FILE": str(settings),
        "PROXMOX_VE_API_TOKEN": host.token,
    }
    found = Tofu(programs["tofu"], work, environment)
    machines = {
        "control-plane": {"vm_id": 800, "address": "192.0.2.10/24", "mac": MAC},
        "worker": {"vm_id": 801, "address": "192.0.2.11/24"},
    }
    found.set(
        endpoint=served.url, image=f"{mirror.url}/talos.iso", memory=4096, cores=2, tags=["talos"], machines=machines
    )
    return found


async def test_two_machines_from_plan_to_destroy(tofu, host, hypervisor, published):
    assert await tofu.plan() == CHANGED
    assert host.machines == {}
    await tofu.apply()
    assert sorted(hypervisor.started) == [800, 801]
    first, second = hypervisor.started[800], hypervisor.started[801]
    assert (first.name, first.cores, first.memory_mib, first.disk_gib) == ("control-plane", 2, 4096, 20)
    assert first.boot_image == "local:iso/talos-nocloud-amd64.iso"
    assert first.mac == MAC.lower()
    assert second.mac.startswith("bc:24:11:")
    addresses = ({"ip": "192.0.2.10/24", "gw": "192.0.2.1"},)
    assert first.cloud_init == CloudInit("control-plane", addresses, nameservers=("192.0.2.53",))
    assert await tofu.plan() == UNCHANGED

    tofu.set(memory=6144, cores=4, tags=["castle", "talos"])
    assert await tofu.plan() == CHANGED
    await tofu.apply()
    assert {(m.cores, m.memory_mib, m.mac) for m in hypervisor.started.values()} == {
        (4, 6144, first.mac),
        (4, 6144, second.mac),
    }
    assert host.machines[800]["tags"] == "castle;talos"
    assert await tofu.plan() == UNCHANGED

    await tofu.apply("-destroy")
    assert (host.machines, hypervisor.started) == ({}, {})
    assert not any(storage.volumes for storage in host.storages.values())
    assert published.seen > Counter({"POST /nodes/{node}/qemu": 1, "DELETE /nodes/{node}/qemu/{vmid}": 1})
