"""One method of the API as Proxmox declares it: path, parameters, the rights that it asks for; and how it is answered."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rebirth.lab.proxmox.errors import PveError, refused
from rebirth.lab.proxmox.host import Pve
from rebirth.lab.proxmox.kinds import TEXT, Kind, Kinds, verify, whole
from rebirth.lab.proxmox.rights import Check
from rebirth.lab.systems.faults import REASON

_BASE = "/api2/json"
VMID = whole(100, 999_999_999, required=True)
_IN_PATHS = {"vmid": VMID}  # the others are text
_FILE = "filename"  # of an upload: the part with the bytes


@dataclass(frozen=True)
class Call:
    """What a method is asked: parameters of path, query and body together, verified."""

    given: Mapping[str, str]
    file: UploadFile | None = None  # of an upload

    @property
    def vmid(self) -> int:
        return int(self.given["vmid"])

    def refuse_skiplock(self) -> None:
        """Raises 400 where a lock is to be passed over."""
        if self.given.get("skiplock") == "1":
            raise refused({"skiplock": "Only root may use this option."})


Answer = Callable[[Pve, Call], Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    """`allowed` None: everybody may call it, and what is inside decides."""

    verb: str
    path: str  # with {parameters}, as Proxmox writes it
    answer: Answer
    parameters: Kinds = field(default_factory=dict)  # of query and body
    allowed: Check | None = None

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """All parameters, those of the path included."""
        named = [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
        return {**{name: _IN_PATHS.get(name, TEXT) for name in named}, **self.parameters}

    def route(self, pve: Pve) -> Route:
        """The token first, then the rights, the node, the parameters: the order in which Proxmox looks."""

        async def handle(request: Request) -> Response:
            try:
                _log_in(pve, request.headers.get("authorization", ""))
                async with request.form() as form:
                    return JSONResponse({"data": await self._answered(pve, await _call(request, dict(form)))})
            except PveError as error:
                return failure(error)

        return Route(_BASE + self.path.replace("{volume}", "{volume:path}"), handle, methods=[self.verb])

    async def _answered(self, pve: Pve, call: Call) -> Any:
        if self.allowed:
            self.allowed.check(pve.rights, call.given)
        host = pve.at(call.given.get("node", pve.node))
        verify(self.kinds, call.given)
        return await self.answer(host, call)


def _log_in(pve: Pve, given: str) -> None:
    """Raises 401, in Proxmox' words, where this Authorization header opens nothing."""
    if not given.startswith("PVEAPIToken="):
        raise PveError("No ticket", 401)
    identity, _, secret = given.removeprefix("PVEAPIToken=").partition("=")
    user, _, name = identity.partition("!")
    if identity != pve.token_identity:
        raise PveError(f"no such token '{name}' for user '{user}'", 401)
    if not secrets.compare_digest(secret.encode(), pve.token.partition("=")[2].encode()):
        raise PveError("invalid token value!", 401)


async def _call(request: Request, form: Mapping[str, Any]) -> Call:
    """What was asked, not yet verified. Raises 400 for what is given twice, differently."""
    body, file = {}, None
    if "json" in request.headers.get("content-type", "") and await request.body():
        said = await request.json()
        body = {name: _text(value) for name, value in said.items()} if isinstance(said, dict) else {}
    for name, value in form.items():
        if isinstance(value, str):
            body[name] = value
        elif name == _FILE:
            body[name], file = value.filename or "", value
    given = {**request.path_params, **request.query_params}
    if twice := [name for name in given.keys() & body.keys() if given[name] != body[name]]:
        raise refused(dict.fromkeys(twice, "duplicate parameter (already defined in URI) with conflicting values!"))
    return Call({**given, **body}, file)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def failure(error: PveError) -> JSONResponse:
    body: dict[str, Any] = {"data": None, "message": f"{error}\n"}
    reason = " ".join(str(error).split()).encode("latin-1", "replace").decode("latin-1")
    return JSONResponse(body | ({"errors": error.errors} if error.errors else {}), error.status, {REASON: reason})


async def not_implemented(request: Request, _: Exception) -> Response:
    """Paths and methods that this stand-in, or Proxmox, does not have."""
    path = request.url.path.removeprefix(_BASE)
    return failure(PveError(f"Method '{request.method} {path}' not implemented", 501))
