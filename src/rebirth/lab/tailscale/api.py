"""api.tailscale.com: OAuth, keys, devices, the policy file. Words and scopes are as published."""

import base64
import binascii
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.tailscale.tailnet import Device, Grant, Key, Refused, Tailnet

_LONGEST = 90 * 24 * 3600  # seconds: how long a key may live, and does where nothing is said
_NEVER = "0001-01-01T00:00:00Z"
_FLAGS = ("reusable", "ephemeral", "preauthorized")

_Handler = Callable[[Tailnet, Grant, Request], Awaitable[Response]]


def refusal(error: Refused) -> JSONResponse:
    return JSONResponse({"message": str(error)}, error.status)


def _stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _bearer(request: Request) -> str:
    """The token: as a bearer, or as the user of basic authentication."""
    given = request.headers.get("authorization", "")
    return _basic(given)[0] if given.startswith("Basic ") else given.removeprefix("Bearer ")


def _basic(header: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(user), unquote_plus(password)


def _guarded(tailnet: Tailnet, scope: str, handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    """401 without a token, 403 without the scope, 404 for another tailnet."""

    async def answer(request: Request) -> Response:
        try:
            grant = tailnet.granted(_bearer(request))
            if not grant.allows(scope, reading=request.method in {"GET", "HEAD"}):
                raise Refused("calling actor does not have enough permissions to perform this function", 403)
            if request.path_params.get("tailnet", "-") not in {"-", tailnet.name}:
                raise Refused("tailnet not found", 404)
            return await handler(tailnet, grant, request)
        except Refused as error:
            return refusal(error)

    return answer


async def body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises Refused."""
    try:
        sent = json.loads(await request.body())
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise Refused("invalid request body: not a JSON object", 400)
    return sent


def _login(tailnet: Tailnet) -> Callable[[Request], Awaitable[Response]]:
    async def token(request: Request) -> Response:
        async with request.form() as sent:
            form = {name: value for name, value in sent.items() if isinstance(value, str)}
        header = request.headers.get("authorization", "")
        identity, secret = _basic(header) if header.startswith("Basic ") else ("", "")
        try:
            issued, grant = tailnet.login(
                form.get("client_id", identity),
                form.get("client_secret", secret),
                _words(form.get("scope")),
                _words(form.get("tags")),
            )
        except Refused as error:
            return refusal(error)
        granted = {"scope": " ".join(sorted(grant.scopes)), "tags": " ".join(sorted(grant.tags))}
        return JSONResponse({"access_token": issued, "token_type": "Bearer", "expires_in": 3600} | granted)

    return token


def _words(text: str | None) -> list[str]:
    return (text or "").replace(",", " ").split()


async def _create_key(tailnet: Tailnet, grant: Grant, request: Request) -> Response:
    sent = await body(request)
    try:
        create = sent["capabilities"]["devices"]["create"]
        tags = tuple(map(str, create.get("tags") or ()))
        flags = {name: bool(create.get(name, False)) for name in _FLAGS}
        seconds = int(sent.get("expirySeconds") or _LONGEST)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("invalid request body: capabilities.devices.create is needed", 400) from None
    if not 0 < seconds <= _LONGEST:
        raise Refused(f"expirySeconds must be between 1 and {_LONGEST}", 400)
    key = await tailnet.mint(grant, tags=tags, seconds=seconds, description=str(sent.get("description") or ""), **flags)
    return JSONResponse(_key(key, valid=True) | {"key": key.value})  # the only time that the value is shown


def _key(key: Key, *, valid: bool) -> dict[str, Any]:
    create: dict[str, Any] = {name: getattr(key, name) for name in _FLAGS} | {"tags": list(key.tags)}
    shown = {
        "id": key.identity,
        "keyType": "auth",
        "description": key.description,
        "created": _stamp(key.created),
        "expires": _stamp(key.expires),
        "expirySeconds": int(key.expires - key.created),
        "capabilities": {"devices": {"create": create}},
    }
    if key.revoked is not None:
        shown["revoked"] = _stamp(key.revoked)
    return shown if valid else shown | {"invalid": True}


async def _list_keys(tailnet: Tailnet, _: Grant, __: Request) -> Response:
    valid = await tailnet.valid_keys()
    return JSONResponse({"keys": [{"id": key.identity, "description": key.description} for key in valid]})


async def _show_key(tailnet: Tailnet, _: Grant, request: Request) -> Response:
    key = tailnet.keys.get(request.path_params["key"])
    if key is None:
        raise Refused("key not found", 404)
    return JSONResponse(_key(key, valid=key in await tailnet.valid_keys()))


async def _delete_key(tailnet: Tailnet, _: Grant, request: Request) -> Response:
    await tailnet.revoke(request.path_params["key"])
    return Response(status_code=200)


def _device(tailnet: Tailnet, device: Device, *, everything: bool) -> dict[str, Any]:
    node = device.node
    shown: dict[str, Any] = {
        "id": device.identity,
        "nodeId": node.identity,
        "name": f"{node.name}.{tailnet.name}",
        "hostname": node.hostname,
        "addresses": list(node.addresses),
        "user": "tagged-devices" if node.tags else "owner@example.com",
        "created": _stamp(node.created),
        "connectedToControl": node.connected,
        "isEphemeral": node.ephemeral,
        "isExternal": False,
        "authorized": device.authorized,
        "keyExpiryDisabled": bool(node.tags),
        "expires": _NEVER,
        "blocksIncomingConnections": False,
        "updateAvailable": False,
        "os": "linux",
    }
    if node.tags:
        shown["tags"] = list(node.tags)
    if not node.connected:
        shown["lastSeen"] = _stamp(node.seen)
    if everything:
        shown |= {
            "advertisedRoutes": list(node.advertised_routes),
            "enabledRoutes": list(node.enabled_routes),
            "clientConnectivity": {"endpoints": []},
            "sshEnabled": False,
        }
    return shown


def _everything(request: Request) -> bool:
    asked = request.query_params.get("fields", "default")
    if asked not in {"all", "default"}:
        raise Refused(f'invalid fields "{asked}": only "all" and "default" are known', 400)
    return asked == "all"


async def _list_devices(tailnet: Tailnet, _: Grant, request: Request) -> Response:
    everything = _everything(request)
    return JSONResponse(
        {"devices": [_device(tailnet, device, everything=everything) for device in await tailnet.devices()]}
    )


async def _show_device(tailnet: Tailnet, _: Grant, request: Request) -> Response:
    device = await tailnet.device(request.path_params["device"])
    return JSONResponse(_device(tailnet, device, everything=_everything(request)))


async def _delete_device(tailnet: Tailnet, _: Grant, request: Request) -> Response:
    await tailnet.remove(request.path_params["device"])
    return Response(status_code=200)


async def _policy(tailnet: Tailnet, _: Grant, __: Request) -> Response:
    held = frozenset().union(*(client.tags for client in tailnet.clients))
    owners = {
        tag: ["autogroup:admin", *sorted(tailnet.owners.get(tag, ()))] for tag in sorted(held | tailnet.owners.keys())
    }
    return JSONResponse({"tagOwners": owners, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]})


def routes(tailnet: Tailnet) -> list[Route]:
    keys, devices = "/api/v2/tailnet/{tailnet}/keys", "/api/v2/tailnet/{tailnet}/devices"
    one_key, one_device = f"{keys}/{{key}}", "/api/v2/device/{device}"
    guarded: list[tuple[str, str, str, _Handler]] = [
        (keys, "POST", "auth_keys", _create_key),
        (keys, "GET", "auth_keys", _list_keys),
        (one_key, "GET", "auth_keys", _show_key),
        (one_key, "DELETE", "auth_keys", _delete_key),
        (devices, "GET", "devices:core", _list_devices),
        (one_device, "GET", "devices:core", _show_device),
        (one_device, "DELETE", "devices:core", _delete_device),
        ("/api/v2/tailnet/{tailnet}/acl", "GET", "policy_file", _policy),
    ]
    return [
        Route("/api/v2/oauth/token", _login(tailnet), methods=["POST"]),
        *(Route(path, _guarded(tailnet, scope, handler), methods=[method]) for path, method, scope, handler in guarded),
    ]
