"""The tailscale system extension: registers the node with its key at the lab's control plane, and keeps it alive there."""

import asyncio
import ssl
from pathlib import Path

import httpx

from rebirth.lab.talos.network import LINK, ip
from rebirth.lab.talos.parts import Service

_CONTROL = "https://controlplane.tailscale.com"
_STATE = Path("/var/lib/tailscale-device")


async def run(environment: dict[str, str], name: str, ca: Path, service: Service) -> None:
    """Never returns while the device is alive; a refused key fails the service with the control plane's words."""
    arguments = environment.get("TS_EXTRA_ARGS", "")
    tags = arguments.partition("--advertise-tags=")[2].split(" ")[0]
    body: dict[str, object] = {
        "auth_key": environment.get("TS_AUTHKEY", ""),
        "hostname": environment.get("TS_HOSTNAME", name),
        "tags": [t for t in tags.split(",") if t],
    }
    async with httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=str(ca)), base_url=_CONTROL, timeout=10
    ) as client:
        while True:
            try:
                identity = await _identity(client, body, service)
                if identity is None:
                    return
                while True:
                    answer = await client.post("/lab/heartbeat", json={"id": identity})
                    if answer.status_code == 404:
                        service.turn("Failed", "the device was deleted from the tailnet")
                        return
                    await asyncio.sleep(10)
            except httpx.HTTPError as error:
                service.turn("Waiting", f"control plane: {type(error).__name__}")
                await asyncio.sleep(2)


async def _identity(client: httpx.AsyncClient, body: dict[str, object], service: Service) -> str | None:
    if _STATE.exists():  # a restarted machine is still the same device
        identity, addresses = _STATE.read_text().split(" ")[0], _STATE.read_text().split(" ")[1:]
    else:
        answer = await client.post("/lab/register", json=body)
        if answer.status_code != 200:
            service.turn("Failed", f"register: {answer.status_code} {answer.json().get('message', '')}")
            return None
        device = answer.json()
        identity, addresses = str(device["id"]), list(device["addresses"])
        _STATE.write_text(" ".join([identity, *addresses]))
    for address in addresses:
        if ":" not in address:
            await ip("address", "replace", f"{address}/32", "dev", LINK)
    service.turn("Running", "registered", healthy=True)
    return identity
