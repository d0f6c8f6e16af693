"""How Proxmox answers: data, refusals, and the words in which it refuses."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.proxmox.host import Pve, PveError
from rebirth.lab.systems.faults import REASON

Answer = Callable[[Pve, Request], Awaitable[Any]]

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"


def refused(errors: dict[str, str]) -> PveError:
    """Parameters that Proxmox does not take: 400, with a reason for each."""
    return PveError("Parameter verification failed.", 400, errors)


async def parameters(request: Request, known: frozenset[str] | None = None) -> dict[str, str]:
    """The body's fields as text, JSON or form. With `known`, any other name is refused."""
    if "json" in request.headers.get("content-type", ""):
        body = await request.json()
        given = {name: _text(value) for name, value in body.items()} if isinstance(body, dict) else {}
    else:
        async with request.form() as form:
            given = {name: value for name, value in form.items() if isinstance(value, str)}
    if known is not None and (unknown := given.keys() - known):
        raise refused(dict.fromkeys(sorted(unknown), UNKNOWN))
    return given


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def required(given: dict[str, str], *names: str) -> list[str]:
    """Their values. Raises for all that are missing at once."""
    if missing := [name for name in names if name not in given]:
        raise refused(dict.fromkeys(missing, MISSING))
    return [given[name] for name in names]


def truth(value: str) -> bool:
    """A boolean as Proxmox reads one."""
    return value.lower() in {"1", "on", "yes", "true"}


def failure(error: PveError) -> JSONResponse:
    body: dict[str, Any] = {"data": None, "message": f"{error}\n"}
    reason = " ".join(str(error).split()).encode("latin-1", "replace").decode("latin-1")
    return JSONResponse(body | ({"errors": error.errors} if error.errors else {}), error.status, {REASON: reason})


def refusal_of_token(pve: Pve, given: str) -> str | None:
    """Why this Authorization header opens nothing, in Proxmox' words."""
    if not given.startswith("PVEAPIToken="):
        return "No ticket"
    identity, _, secret = given.removeprefix("PVEAPIToken=").partition("=")
    user, _, name = identity.partition("!")
    if identity != pve.token_identity:
        return f"no such token '{name}' for user '{user}'"
    known = pve.token.partition("=")[2]
    return None if secrets.compare_digest(secret.encode(), known.encode()) else "invalid token value!"


def route(pve: Pve, path: str, answer: Answer, methods: tuple[str, ...] = ("GET",)) -> Route:
    """One endpoint below /api2/json: the token first, then the node, then the answer."""

    async def handle(request: Request) -> Response:
        if reason := refusal_of_token(pve, request.headers.get("authorization", "")):
            return failure(PveError(reason, 401))
        node = request.path_params.get("node", pve.node)
        try:
            if node != pve.node:
                raise PveError(
                    f"hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"
                )
            return JSONResponse({"data": await answer(pve, request)})
        except PveError as error:
            return failure(error)

    return Route(f"/api2/json{path}", handle, methods=list(methods))


async def not_implemented(request: Request, _: Exception) -> Response:
    """Paths and methods that this stand-in, or Proxmox, does not have."""
    path = request.url.path.removeprefix("/api2/json")
    return failure(PveError(f"Method '{request.method} {path}' not implemented", 501))
