"""How devices join and stay. In reality that is Tailscale's own protocol; POST /lab/* stands in for it."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.tailscale.api import body, refusal
from rebirth.lab.tailscale.tailnet import Device, Refused, Tailnet

_Handler = Callable[[Tailnet, Request], Awaitable[Response]]


async def _text(request: Request, name: str) -> str:
    value = (await body(request)).get(name)
    if not isinstance(value, str):
        raise Refused(f"{name} is missing", 400)
    return value


async def _register(tailnet: Tailnet, request: Request) -> Response:
    """{"auth_key", "hostname", "tags"?} -> {"id", "name", "addresses"}; a device knows its newer id alone."""
    key, hostname = await _text(request, "auth_key"), await _text(request, "hostname")
    tags = (await body(request)).get("tags") or ()
    device = tailnet.register(key, hostname, tuple(map(str, tags)), request.client.host if request.client else "")
    return _itself(tailnet, device)


def _itself(tailnet: Tailnet, device: Device) -> Response:
    name = f"{device.name}.{tailnet.name}"
    return JSONResponse({"id": device.node_identity, "name": name, "addresses": [device.address]})


async def _heartbeat(tailnet: Tailnet, request: Request) -> Response:
    """{"id"} -> the same as from register; 404 once the tailnet has dropped the device."""
    device = tailnet.device(await _text(request, "id"))
    device.seen = tailnet.now()
    return _itself(tailnet, device)


async def _resolve(tailnet: Tailnet, request: Request) -> Response:
    """?name=FQDN -> {"address"}, for devices of the tailnet: X-Device-Id says which one asks."""
    tailnet.sweep()
    if request.headers.get("x-device-id") not in {device.node_identity for device in tailnet.devices.values()}:
        raise Refused("only devices of the tailnet resolve its names", 403)
    address = tailnet.resolve(request.query_params.get("name", ""))
    if address is None:
        raise Refused("no such name", 404)
    return JSONResponse({"address": address})


def _answering(tailnet: Tailnet, handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handler(tailnet, request)
        except Refused as error:
            return refusal(error)

    return answer


def routes(tailnet: Tailnet) -> list[Route]:
    return [
        Route("/lab/register", _answering(tailnet, _register), methods=["POST"]),
        Route("/lab/heartbeat", _answering(tailnet, _heartbeat), methods=["POST"]),
        Route("/lab/resolve", _answering(tailnet, _resolve), methods=["GET"]),
    ]
