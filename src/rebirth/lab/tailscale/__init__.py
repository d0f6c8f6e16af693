"""Tailscale's public side, before a real control server.

The API at api.tailscale.com follows the published one, with the words that it is known to answer; keys and devices are the control
server's. Everything else on these hosts, how devices register among it, is the control server's own. Known differences: who may
see whom is not restricted; a device whose key authorizes nobody is shown as such, and let in all the same; no VIP services.
"""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from rebirth.lab.tailscale import api
from rebirth.lab.tailscale.tailnet import Device, Key, Node, OAuthClient, Refused, Tailnet

__all__ = ["Device", "Key", "Node", "OAuthClient", "Refused", "Tailnet", "log_app", "tailscale_app"]


async def _not_found(_: Request, __: Exception) -> Response:
    return api.refusal(Refused("not found", 404))


def log_app() -> Starlette:
    """log.tailscale.com: what clients tell of themselves is thrown away."""

    async def taken(_: Request) -> Response:
        return Response()

    return Starlette(routes=[Route("/{path:path}", taken, methods=["GET", "POST"])])


def tailscale_app(tailnet: Tailnet, control: ASGIApp | None = None) -> Starlette:
    """api.tailscale.com; what is no API goes to `control`, the control server, where there is one."""
    routes = [*api.routes(tailnet), *_control(control)]
    return Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found})


def _control(control: ASGIApp | None) -> Sequence[BaseRoute]:
    if control is None:
        return ()
    hidden = Mount(
        "/api", Starlette(exception_handlers={404: _not_found})
    )  # the control server's own is not Tailscale's
    return (hidden, Mount("/", control))
