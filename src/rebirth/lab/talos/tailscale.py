"""The tailscale system extension: registers the node with its key at the lab's control plane, and keeps it alive there."""

import asyncio
import json
import re
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from rebirth.lab.talos.network import LINK, ip
from rebirth.lab.talos.parts import Service

_CONTROL = "https://controlplane.tailscale.com"
_STATE = Path("/var/lib/tailscale/device.json")
_HEARTBEAT = 10.0  # seconds


def registration(environment: dict[str, str], name: str) -> dict[str, object]:
    """What the extension's environment asks the control plane for."""
    tags = re.search(r"--advertise-tags[= ](\S+)", environment.get("TS_EXTRA_ARGS", ""))
    return {
        "auth_key": environment.get("TS_AUTHKEY", ""),
        "hostname": environment.get("TS_HOSTNAME") or name,
        "tags": tags[1].strip("\"'").split(",") if tags else [],
    }


async def run(environment: dict[str, str], name: str, ca: Path, service: Service) -> None:
    """Never returns while the device is alive; a refused key fails the service with the control plane's words."""
    body = registration(environment, name)
    trust = ssl.create_default_context(cafile=str(ca))
    async with httpx.AsyncClient(verify=trust, base_url=_CONTROL, timeout=10, trust_env=False) as client:
        while True:
            try:
                device = await join(client, body, service)
                if device is None:
                    return
                await _up(device)
                service.turn("Running", f"registered as {device['name']}", healthy=True)
                await _stay(client, device)
                service.turn("Failed", "the device was deleted from the tailnet")
                return
            except (httpx.HTTPError, OSError) as error:
                service.turn("Waiting", f"control plane: {type(error).__name__}")
                await asyncio.sleep(2)


async def join(
    client: httpx.AsyncClient, body: dict[str, object], service: Service, state: Path = _STATE
) -> dict[str, Any] | None:
    """The device that this machine was before, as `state` remembers; a new one where the tailnet has dropped that one.

    None where the key is refused. Raises httpx.HTTPError where the control plane is not well: a second device would be
    another name.
    """
    if state.exists():
        answer = await client.post("/lab/heartbeat", json={"id": json.loads(state.read_text())["id"]})
        if answer.status_code != 404:
            known: dict[str, Any] = answer.raise_for_status().json()
            return known
    answer = await client.post("/lab/register", json=body)
    if answer.status_code in {400, 401, 403}:
        service.turn("Failed", f"register: {answer.status_code} {answer.json().get('message', '')}")
        return None
    device: dict[str, Any] = answer.raise_for_status().json()
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps(device))
    return device


async def _up(device: dict[str, Any]) -> None:
    for address in device["addresses"]:
        if ":" not in address:
            await ip("address", "replace", f"{address.partition('/')[0]}/32", "dev", LINK)


async def _stay(client: httpx.AsyncClient, device: dict[str, Any]) -> None:
    """Returns once the tailnet does not know the device any more."""
    while True:
        await asyncio.sleep(_HEARTBEAT)
        with suppress(httpx.TransportError):  # the control plane may be away for a while
            if (await client.post("/lab/heartbeat", json={"id": device["id"]})).status_code == 404:
                return
