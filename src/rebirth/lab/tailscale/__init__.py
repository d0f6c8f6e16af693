"""Stand-in for Tailscale's control plane: OAuth clients, keys, devices, tags.

The API at api.tailscale.com follows the published one, with the words that it is known to answer. Three differences are known: how a device
registers is Tailscale's own protocol, and POST /lab/* stands in for it; who may see whom is not restricted; a refused key says why.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from rebirth.lab.tailscale import api, registration
from rebirth.lab.tailscale.tailnet import Device, Key, OAuthClient, Refused, Tailnet

__all__ = ["Device", "Key", "OAuthClient", "Refused", "Tailnet", "tailscale_app"]


async def _not_found(_: Request, __: Exception) -> Response:
    return api.refusal(Refused("not found", 404))


def tailscale_app(tailnet: Tailnet) -> Starlette:
    """api.tailscale.com, and what stands in for the registration of devices."""
    routes = [*api.routes(tailnet), *registration.routes(tailnet)]
    return Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found})
