"""The control server of the lab's tailnet: headscale, a real one, behind what Tailscale's own API says.

Its copy is patched (lab/components/headscale): names, ids, keys and tags are as with Tailscale.
"""

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from rebirth.errors import Broken
from rebirth.lab.tailscale.tailnet import Node

HOST, PORT = "127.0.0.1", 18080  # in the world's own namespace: nothing else reaches it
PUBLIC = "controlplane.tailscale.com"
PREFIX = "100.64.0.0/10"
_USER = "owner"
_PATIENCE, _LOOK = 60.0, 0.05  # seconds until it answers, and between two looks whether it does


def configuration(*, folder: Path, tailnet: str, address: str, ephemeral_seconds: float) -> dict[str, Any]:
    """Its configuration. `address` is where clients reach it; it relays for those that do not reach each other (DERP).

    It lets silent ephemeral devices go after `ephemeral_seconds`: more than 65, or it does not start.
    """
    relay = {
        "enabled": True,
        "region_id": 999,
        "region_code": "lab",
        "region_name": "lab",
        "verify_clients": False,
        "stun_listen_addr": f"{address}:3478",
        "private_key_path": str(folder / "derp.key"),
        "automatically_add_embedded_derp_region": True,
        "ipv4": address,
    }
    return {
        "server_url": f"https://{PUBLIC}",
        "listen_addr": f"{HOST}:{PORT}",
        "metrics_listen_addr": f"{HOST}:{PORT + 1}",
        "grpc_listen_addr": f"{HOST}:{PORT + 2}",
        "noise": {"private_key_path": str(folder / "noise.key")},
        "prefixes": {"v4": PREFIX, "v6": "fd7a:115c:a1e0::/48", "allocation": "sequential"},
        "derp": {"server": relay, "urls": [], "paths": [], "auto_update_enabled": False},
        "disable_check_updates": True,
        "ephemeral_node_inactivity_timeout": f"{ephemeral_seconds:.0f}s",
        "database": {"type": "sqlite", "sqlite": {"path": str(folder / "db.sqlite"), "write_ahead_log": True}},
        "log": {"level": "info", "format": "text"},
        "dns": {
            "magic_dns": True,
            "base_domain": tailnet,
            "override_local_dns": False,
            "nameservers": {"global": [], "split": {}},
        },
        "unix_socket": str(folder / "headscale.sock"),
        "unix_socket_permission": "0700",
        "logtail": {"enabled": False},
    }


@dataclass
class Headscale:
    """A control server that runs, through its own API. `program` and `config` are what it was started with."""

    program: str
    config: Path
    _client: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(base_url=f"http://{HOST}:{PORT}/api/v1", timeout=20, trust_env=False)
    )
    _user: str = ""

    async def open(self) -> None:
        """Returns when it answers, and this may use its API. Raises Broken."""
        await self._answering()
        self._client.headers["Authorization"] = f"Bearer {await self._api_key()}"
        self._user = str((await self._ask("POST", "/user", {"name": _USER}))["user"]["id"])

    async def close(self) -> None:
        await self._client.aclose()

    async def _answering(self) -> None:
        for _ in range(int(_PATIENCE / _LOOK)):
            with suppress(httpx.TransportError):
                await self._client.get(f"http://{HOST}:{PORT}/health")
                return
            await asyncio.sleep(_LOOK)
        raise Broken("does not answer", system="headscale", operation="start", hint="See headscale.log.")

    async def _api_key(self) -> str:
        """The first one is made by its own program, which asks it through its socket."""
        argv = (self.program, "--config", str(self.config), "apikeys", "create", "--expiration", "24h")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe)
        said, complained = await process.communicate()
        if process.returncode:
            words = complained.decode(errors="replace").strip().splitlines()[-1:]
            raise Broken(" ".join(words), system="headscale", operation="make an API key", hint="See headscale.log.")
        return said.decode().split()[-1]

    # -- what a tailnet asks of it

    async def mint(self, *, tags: Iterable[str], reusable: bool, ephemeral: bool, expires: float) -> str:
        until = datetime.fromtimestamp(expires, UTC).isoformat()
        wanted = {"user": self._user, "reusable": reusable, "ephemeral": ephemeral, "expiration": until}
        made = await self._ask("POST", "/preauthkey", wanted | {"aclTags": list(tags)})
        return str(made["preAuthKey"]["key"])

    async def expire(self, secret: str) -> None:
        await self._ask("POST", "/preauthkey/expire", {"user": self._user, "key": secret})

    async def used_up(self) -> frozenset[str]:
        found = (await self._ask("GET", f"/preauthkey?user={self._user}"))["preAuthKeys"]
        return frozenset(str(key["key"]) for key in found if key["used"] and not key["reusable"])

    async def nodes(self) -> list[Node]:
        return [_node(entry) for entry in (await self._ask("GET", "/node"))["nodes"]]

    async def remove(self, node: str) -> None:
        await self._ask("DELETE", f"/node/{_number(node)}")

    async def leave_behind(self, hostname: str, tags: Iterable[str]) -> None:
        """A device that joined once and never shows itself again: its name is taken."""
        registration = secrets.token_urlsafe(18)  # 24 characters, which its registration ids have
        await self._ask("POST", "/debug/node", {"user": _USER, "key": registration, "name": hostname, "routes": []})
        made = await self._ask("POST", f"/node/register?user={_USER}&key={registration}")
        await self._ask("POST", f"/node/{made['node']['id']}/tags", {"tags": list(tags)})

    async def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self._client.request(method, path, json=body)
        if answer.is_error:
            raise Broken(
                f"HTTP {answer.status_code}",
                system="headscale",
                operation=f"{method} {path.partition('?')[0]}",
                status=answer.status_code,
                hint="See headscale.log.",
            )
        return dict(answer.json())


def _node(entry: dict[str, Any]) -> Node:
    key = entry.get("preAuthKey") or {}
    return Node(
        identity=f"n{entry['id']}CNTRL",
        hostname=entry["name"],
        name=entry["givenName"],
        addresses=tuple(entry["ipAddresses"]),
        tags=tuple(dict.fromkeys([*entry["forcedTags"], *entry["validTags"]])),
        ephemeral=bool(key.get("ephemeral")),
        created=_moment(entry["createdAt"]),
        seen=_moment(entry["lastSeen"]),
        connected=bool(entry["online"]),
        advertised_routes=tuple(entry["availableRoutes"]),
        enabled_routes=tuple(entry["approvedRoutes"]),
        key=str(key.get("key") or ""),
    )


def _moment(stamp: str | None) -> float:
    """Seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp() if stamp else 0.0


def _number(node: str) -> str:
    """Its own id out of the one that the device knows."""
    return node.removeprefix("n").removesuffix("CNTRL")
