"""Stand-in for Tailscale's control plane: OAuth clients, keys, devices, tags.

The API at api.tailscale.com follows the published one. How a device registers is Tailscale's own protocol; /lab/* stands in for it.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_CONNECTED = 60.0  # seconds after the last heartbeat in which a device counts as connected


@dataclass(frozen=True)
class OAuthClient:
    identity: str
    secret: str = field(repr=False)
    scopes: frozenset[str] = frozenset({"auth_keys", "devices:core"})
    tags: frozenset[str] = frozenset()


@dataclass
class Key:
    identity: str
    value: str = field(repr=False)
    tags: tuple[str, ...]
    reusable: bool
    ephemeral: bool
    expires: float
    used: bool = False


@dataclass
class Device:
    identity: str
    hostname: str
    name: str  # without the tailnet: a taken hostname gets a number
    address: str
    tags: tuple[str, ...]
    ephemeral: bool
    created: float
    seen: float
    lan_address: str = ""


def _stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


@dataclass
class Tailnet:
    """The state of one tailnet. `now` is the clock in seconds since the epoch."""

    name: str
    clients: list[OAuthClient]
    owners: dict[str, frozenset[str]] = field(default_factory=dict)  # tag -> tags whose holders may assign it, too
    ephemeral_timeout: float = 120.0
    now: Callable[[], float] = time.time
    keys: dict[str, Key] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    on_change: Callable[[], None] = lambda: None
    _tokens: dict[str, tuple[OAuthClient, float]] = field(default_factory=dict)
    _next: int = 0

    def sweep(self) -> None:
        """Ephemeral devices that fell silent go away."""
        silent = [d for d in self.devices.values() if d.ephemeral and self.now() - d.seen > self.ephemeral_timeout]
        for device in silent:
            del self.devices[device.identity]

    def add_device(
        self,
        hostname: str,
        *,
        address: str | None = None,
        tags: tuple[str, ...] = (),
        ephemeral: bool = False,
        seen: float | None = None,
    ) -> Device:
        self.sweep()
        taken, name, number = {device.name for device in self.devices.values()}, hostname, 0
        while name in taken:
            number += 1
            name = f"{hostname}-{number}"
        self._next += 1
        given = address or f"100.64.{1 + self._next // 250}.{1 + self._next % 250}"
        identity = str(10**15 + secrets.randbelow(10**15))
        moment = self.now()
        device = Device(identity, hostname, name, given, tags, ephemeral, moment, moment if seen is None else seen)
        self.devices[identity] = device
        self.on_change()
        return device

    def resolve(self, fqdn: str) -> str | None:
        """The address of a device by its full name."""
        self.sweep()
        name, dot, tailnet = fqdn.rstrip(".").partition(".")
        if not dot or tailnet != self.name:
            return None
        return next((device.address for device in self.devices.values() if device.name == name), None)

    def register(self, value: str, hostname: str, tags: tuple[str, ...]) -> Device | str:
        """A new device by its key, or why not."""
        key = next((key for key in self.keys.values() if secrets.compare_digest(key.value, value)), None)
        if key is None:
            return "invalid key: unable to validate API key"
        if key.expires < self.now():
            return "invalid key: API key expired"
        if key.used and not key.reusable:
            return "invalid key: API key already used"
        if not set(tags) <= set(key.tags):
            return f"requested tags {sorted(tags)} are invalid or not permitted"
        key.used = True
        return self.add_device(hostname, tags=key.tags, ephemeral=key.ephemeral)

    def login(self, identity: str, secret: str) -> str | None:
        client = next(
            (c for c in self.clients if c.identity == identity and secrets.compare_digest(c.secret, secret)), None
        )
        if client is None:
            return None
        token = f"tskey-api-{secrets.token_urlsafe(24)}"
        self._tokens[token] = (client, self.now() + 3600)
        return token

    def client_of(self, request: Request) -> OAuthClient | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        client, until = self._tokens.get(token, (None, 0.0))
        return client if until > self.now() else None

    def may_assign(self, client: OAuthClient, tag: str) -> bool:
        return tag in client.tags or bool(self.owners.get(tag, frozenset()) & client.tags)


def _message(text: str, status: int) -> JSONResponse:
    return JSONResponse({"message": text}, status)


_Handler = Callable[[Tailnet, OAuthClient, Request], Any]


def _guarded(tailnet: Tailnet, scope: str, handler: _Handler) -> Callable[[Request], Any]:
    """401 without a token, 403 without the scope, 404 for another tailnet."""

    async def answer(request: Request) -> Response:
        client = tailnet.client_of(request)
        if client is None:
            return _message("API token invalid", 401)
        reading = request.method == "GET"
        if not client.scopes & ({scope, "all"} | ({f"{scope}:read", "all:read"} if reading else set())):
            return _message("calling actor does not have enough permissions to perform this function", 403)
        if request.path_params.get("tailnet", "-") not in {"-", tailnet.name}:
            return _message("tailnet not found", 404)
        tailnet.sweep()
        result: Response = await handler(tailnet, client, request)
        return result

    return answer


async def _create_key(tailnet: Tailnet, client: OAuthClient, request: Request) -> Response:
    try:
        body = await request.json()
        create = body["capabilities"]["devices"]["create"]
    except (ValueError, KeyError, TypeError):
        return _message("invalid request body", 400)
    tags = tuple(create.get("tags") or ())
    if not tags:
        return _message("tags are required for keys created by an OAuth client", 400)
    if refused := [tag for tag in tags if not tailnet.may_assign(client, tag)]:
        return _message(f"requested tags [{' '.join(refused)}] are invalid or not permitted", 400)
    seconds = body.get("expirySeconds") or 90 * 24 * 3600
    if not 0 < seconds <= 90 * 24 * 3600:
        return _message("expirySeconds is out of range", 400)
    identity = f"k{secrets.token_hex(8)}CNTRL"
    value = f"tskey-auth-{identity}-{secrets.token_hex(16)}"
    reusable, ephemeral = bool(create.get("reusable")), bool(create.get("ephemeral"))
    key = tailnet.keys[identity] = Key(identity, value, tags, reusable, ephemeral, tailnet.now() + seconds)
    return JSONResponse(_shown(key, tailnet) | {"key": value})


def _shown(key: Key, tailnet: Tailnet) -> dict[str, Any]:
    create = {"reusable": key.reusable, "ephemeral": key.ephemeral, "preauthorized": True, "tags": list(key.tags)}
    return {
        "id": key.identity,
        "created": _stamp(tailnet.now()),
        "expires": _stamp(key.expires),
        "capabilities": {"devices": {"create": create}},
    }


async def _list_keys(tailnet: Tailnet, client: OAuthClient, request: Request) -> Response:
    return JSONResponse({"keys": [{"id": key.identity} for key in tailnet.keys.values()]})


async def _one_key(tailnet: Tailnet, client: OAuthClient, request: Request) -> Response:
    key = tailnet.keys.get(request.path_params["key"])
    if key is None:
        return _message("key not found", 404)
    if request.method == "DELETE":
        del tailnet.keys[key.identity]
        return JSONResponse({})
    return JSONResponse(_shown(key, tailnet))


def _device(device: Device, tailnet: Tailnet) -> dict[str, Any]:
    return {
        "id": device.identity,
        "nodeId": f"n{device.identity}CNTRL",
        "name": f"{device.name}.{tailnet.name}",
        "hostname": device.hostname,
        "addresses": [device.address],
        "tags": list(device.tags),
        "created": _stamp(device.created),
        "lastSeen": _stamp(device.seen),
        "connectedToControl": tailnet.now() - device.seen < _CONNECTED,
        "isEphemeral": device.ephemeral,
        "authorized": True,
        "keyExpiryDisabled": True,
        "os": "linux",
    }


async def _devices(tailnet: Tailnet, client: OAuthClient, request: Request) -> Response:
    return JSONResponse({"devices": [_device(device, tailnet) for device in tailnet.devices.values()]})


async def _one_device(tailnet: Tailnet, client: OAuthClient, request: Request) -> Response:
    wanted = request.path_params["device"].removeprefix("n").removesuffix("CNTRL")
    device = tailnet.devices.get(wanted)
    if device is None:
        return _message("no such device", 404)
    if request.method == "DELETE":
        del tailnet.devices[device.identity]
        tailnet.on_change()
        return Response(status_code=200)
    return JSONResponse(_device(device, tailnet))


def tailscale_app(tailnet: Tailnet) -> Starlette:  # noqa: C901 - one small handler a route
    """api.tailscale.com, and what stands in for the registration of devices."""

    async def token(request: Request) -> Response:
        form = await request.form()
        identity, secret = str(form.get("client_id", "")), str(form.get("client_secret", ""))
        if not identity and request.headers.get("authorization", "").startswith("Basic "):
            import base64

            identity, _, secret = base64.b64decode(request.headers["authorization"][6:]).decode().partition(":")
        issued = tailnet.login(identity, secret)
        if issued is None:
            return _message("API token invalid", 401)
        return JSONResponse({"access_token": issued, "token_type": "Bearer", "expires_in": 3600})

    async def register(request: Request) -> Response:
        body = await request.json()
        answer = tailnet.register(str(body.get("auth_key", "")), str(body["hostname"]), tuple(body.get("tags") or ()))
        if isinstance(answer, str):
            return _message(answer, 401)
        answer.lan_address = request.client.host if request.client else ""
        tailnet.on_change()
        return JSONResponse(
            {"id": answer.identity, "name": f"{answer.name}.{tailnet.name}", "addresses": [answer.address]}
        )

    async def heartbeat(request: Request) -> Response:
        device = tailnet.devices.get((await request.json())["id"])
        if device is None:
            return _message("no such device", 404)
        device.seen = tailnet.now()
        return JSONResponse({})

    async def logout(request: Request) -> Response:
        tailnet.devices.pop((await request.json())["id"], None)
        tailnet.on_change()
        return JSONResponse({})

    async def resolve(request: Request) -> Response:
        if request.headers.get("x-device-id") not in tailnet.devices:
            return _message("only devices of the tailnet resolve its names", 403)
        address = tailnet.resolve(request.query_params.get("name", ""))
        return JSONResponse({"address": address}) if address else _message("no such name", 404)

    prefix = "/api/v2/tailnet/{tailnet}"
    return Starlette(
        routes=[
            Route("/api/v2/oauth/token", token, methods=["POST"]),
            Route(f"{prefix}/keys", _guarded(tailnet, "auth_keys", _create_key), methods=["POST"]),
            Route(f"{prefix}/keys", _guarded(tailnet, "auth_keys", _list_keys), methods=["GET"]),
            Route(f"{prefix}/keys/{{key}}", _guarded(tailnet, "auth_keys", _one_key), methods=["GET", "DELETE"]),
            Route(f"{prefix}/devices", _guarded(tailnet, "devices:core", _devices), methods=["GET"]),
            Route("/api/v2/device/{device}", _guarded(tailnet, "devices:core", _one_device), methods=["GET", "DELETE"]),
            Route("/lab/register", register, methods=["POST"]),
            Route("/lab/heartbeat", heartbeat, methods=["POST"]),
            Route("/lab/logout", logout, methods=["POST"]),
            Route("/lab/resolve", resolve, methods=["GET"]),
        ]
    )
