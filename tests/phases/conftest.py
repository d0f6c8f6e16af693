"""The example castle's outside, stood in for on loopback: Proxmox and the tailnet, with faults, and the product's clients."""

import asyncio
import re
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paper import PaperControl, PaperHypervisor
from phases.ruins import Ruin, ruined
from proof.virtual_time import Hurried
from rebirth.castle import Castle, load
from rebirth.commands import Commands
from rebirth.errors import NotYet
from rebirth.lab.proxmox import Pve, Storage, proxmox_app
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.lab.tailscale import OAuthClient, Tailnet, tailscale_app
from rebirth.paths import Paths, paths_of
from rebirth.phases.connections import proxmox_api, tailnet_api
from rebirth.phases.resolve_secrets import resolve_secrets
from rebirth.providers.access import ClusterAccess
from rebirth.providers.proxmox import ProxmoxApi
from rebirth.providers.tailnet import TailnetApi
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import LossesSettled, OutsideReached, SecretsResolved
from rebirth.secrets import Redaction

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle" / "castle.yaml"
REACHED, SETTLED = OutsideReached("8.4.1"), LossesSettled(())


def pytest_asyncio_loop_factories(config, item):
    return {"hurried": Hurried} if "serve" in item.fixturenames else {"real": asyncio.new_event_loop}


@dataclass
class Outside:
    castle: Castle
    paths: Paths
    secrets: SecretsResolved
    redaction: Redaction
    pve: Pve
    tailnet: Tailnet
    control: PaperControl
    faults: Faults
    proxmox: ProxmoxApi
    tailscale: TailnetApi

    @property
    def image(self) -> str:
        """The file of the boot image."""
        machines = self.castle.machines
        return self.castle.talos.image_name(machines.nodes[0], machines)

    @property
    def inside(self) -> tuple[Talosctl, ClusterAccess]:
        """Whom a phase asks about machines that are configured, and the cluster: there are none."""
        commands = Commands(self.redaction)
        return Talosctl(paths=self.paths, commands=commands), ClusterAccess(self.paths)

    @property
    def writes(self) -> dict[str, int]:
        return dict(self.faults.writes)

    async def killed_after_each_write(self, system: str, run) -> None:
        """Runs until a run gets through, each one cut off by the loss of the answer to its first write."""
        for _ in range(20):
            self.faults.set(system, Fault(lose=True, times=1, method="POST"))
            try:
                return await run()
            except NotYet:
                continue
        raise AssertionError("no run gets through")


def write_castle(folder: Path, *, proxmox: str, tailscale: str, ca: str) -> None:
    """The example castle against these endpoints, and a vault directory with values for everything it names."""
    text = EXAMPLE.read_text()
    for old, new in (
        ("directory: ~/secrets ", "directory: vault "),
        ("https://pve.castle.lan:8006", proxmox),
        ("  # ca: {secret: proxmox-ca}", "  ca: {secret: proxmox-ca.crt}"),
        ("  tailnet: magellanic", f"  api: {tailscale}\n  tailnet: magellanic"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "castle.yaml").write_text(text)
    for name in re.findall(r"\{secret: ([^}]+)\}", text):
        value = f"root@pam!test={uuid.uuid4()}" if name == "proxmox-api-token" else secrets.token_hex(16)
        file = folder / "vault" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(ca if name.endswith(".crt") else value)


@pytest.fixture
async def outside(tmp_path, serve, monkeypatch, published) -> AsyncIterator[Outside]:
    monkeypatch.setenv("SSL_CERT_FILE", str(serve.ca))
    faults = Faults()
    storages = {"local": Storage(frozenset({"iso"})), "local-lvm": Storage(frozenset({"images"}))}
    pve = Pve("pve", "", PaperHypervisor(), storages, bridges=frozenset({"vmbr0"}))
    control = PaperControl()
    tailnet = Tailnet("magellanic-gondola.ts.net", control, [])
    served = [await serve(faults.around("proxmox", published.around(proxmox_app(pve))))]
    served += [await serve(faults.around("tailscale", tailscale_app(tailnet)))]
    folder = tmp_path / "castle"
    folder.mkdir()
    write_castle(folder, proxmox=served[0].url, tailscale=served[1].url, ca=serve.ca.read_text())
    castle, redaction = load(folder), Redaction()
    paths = paths_of(folder, castle.secrets, {})
    found = await resolve_secrets(castle, paths, redaction)
    pve.token = found[castle.proxmox.token].reveal()
    spec = castle.tailscale
    client = OAuthClient(found[spec.oauth_client_id].reveal(), found[spec.oauth_client_secret].reveal())
    tailnet.clients.append(OAuthClient(client.identity, client.secret, tags=frozenset(spec.node_key.tags)))
    proxmox, tailscale = proxmox_api(castle.proxmox, found), tailnet_api(spec, found)
    yield Outside(castle, paths, found, redaction, pve, tailnet, control, faults, proxmox, tailscale)
    await proxmox.close()
    await tailscale.close()


@pytest.fixture
async def ruin(outside) -> Ruin:
    """A castle that was created in that outside."""
    return await ruined(outside)
