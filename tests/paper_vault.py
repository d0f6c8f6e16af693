"""A Vault on paper: one KV v2 mount, one token, and what it may do."""

from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MOUNT = "secret"


@dataclass
class PaperVault:
    token: str
    capabilities: frozenset[str] = frozenset({"create", "read", "update"})
    versions: dict[str, list[dict[str, str] | None]] = field(default_factory=dict)  # None: that version was deleted
    between: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # path -> what somebody writes before our next write

    def data(self, path: str) -> dict[str, str] | None:
        return self.versions[path][-1] if path in self.versions else None


def _errors(status: int, *words: str) -> JSONResponse:
    return JSONResponse({"errors": list(words)}, status)


def vault_app(vault: PaperVault) -> Starlette:
    def refused(request: Request) -> bool:
        return request.headers.get("x-vault-token") != vault.token

    async def lookup(request: Request) -> Response:
        return (
            _errors(403, "permission denied") if refused(request) else JSONResponse({"data": {"policies": ["castle"]}})
        )

    async def capabilities(request: Request) -> Response:
        paths = (await request.json())["paths"]
        held = {path: sorted(vault.capabilities) or ["deny"] for path in paths}
        return _errors(403, "permission denied") if refused(request) else JSONResponse({"data": held, **held})

    async def data(request: Request) -> Response:
        path = request.path_params["path"]
        if refused(request):
            return _errors(403, "permission denied")
        if request.method == "GET":
            if path not in vault.versions:
                return _errors(404)
            metadata = {"version": len(vault.versions[path]), "deletion_time": ""}
            if (found := vault.data(path)) is None:
                metadata["deletion_time"] = "2026-01-01T00:00:00Z"
                return JSONResponse({"data": {"data": None, "metadata": metadata}}, 404)
            return JSONResponse({"data": {"data": found, "metadata": metadata}})
        if other := vault.between.pop(path, None):
            vault.versions.setdefault(path, []).append(other)
        sent = await request.json()
        if sent["options"].get("cas") != len(vault.versions.get(path, [])):
            return _errors(400, "check-and-set parameter did not match the current version")
        vault.versions.setdefault(path, []).append(sent["data"])
        return JSONResponse({"data": {"version": len(vault.versions[path])}})

    async def nothing(request: Request, _: Exception) -> Response:
        return _errors(404, f"no handler for route {request.url.path}")

    return Starlette(
        routes=[
            Route("/v1/auth/token/lookup-self", lookup),
            Route("/v1/sys/capabilities-self", capabilities, methods=["POST"]),
            Route(f"/v1/{MOUNT}/data/{{path:path}}", data, methods=["GET", "POST", "PUT"]),
        ],
        exception_handlers={404: nothing},
    )
