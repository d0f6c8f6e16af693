"""A stand-in of Vault's key-value store, version 2: as a transport of requests for code on virtual time, and as an ASGI app."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import BaseAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass
class Version:
    data: dict[str, str] | None  # None: this version was deleted
    number: int


@dataclass
class Vault:
    """One mount, one token. `writes` are the paths that were written to."""

    token: str
    mount: str = "secret"
    sealed: bool = False
    capabilities: frozenset[str] = frozenset({"create", "patch", "read", "update"})
    secrets: dict[str, Version] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    on_write: Callable[[str], None] = lambda what: None
    between: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # path -> what others write just before our next write
    lost: int = 0  # how many answers to writes get lost on the way

    def transport(self) -> BaseAdapter:
        return _Transport(self)

    def held(self, path: str) -> dict[str, str]:
        there = self.secrets.get(path)
        return dict(there.data or {}) if there else {}

    def put(self, path: str, data: dict[str, str] | None) -> int:
        """The next version of a secret, by whomever; None deletes it. Returns its number."""
        number = self.secrets[path].number + 1 if path in self.secrets else 1
        self.secrets[path] = Version(data, number)
        return number

    def answer(self, method: str, path: str, token: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if token != self.token:
            return 403, {"errors": ["permission denied", "invalid token"]}
        kept = f"/v1/{self.mount}/data/"
        if path == "/v1/auth/token/lookup-self":
            return 200, {"data": {"policies": ["castle"]}}
        if path == "/v1/sys/capabilities-self":
            rights = sorted(self.capabilities) or ["deny"]
            found = {asked: rights if asked.startswith(f"{self.mount}/data/") else ["deny"] for asked in body["paths"]}
            return 200, {"data": found, **found}
        if not path.startswith(kept):
            return 404, {"errors": [f'no handler for route "{path.removeprefix("/v1/")}". route entry not found.']}
        return self._kept(method, path.removeprefix(kept), body)

    def _kept(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method == "GET":
            return self._read(path)
        if other := self.between.pop(path, None):
            self.put(path, other)
        there = self.secrets.get(path)
        if not self.capabilities & {"root", "update" if there else "create"}:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        number = there.number if there else 0
        if body.get("options", {}).get("cas", number) != number:
            text = "check-and-set parameter did not match the current version"
            return 400, {"errors": [text]}
        if method == "PATCH":
            if there is None or there.data is None:
                return 404, {"errors": []}
            body = {"data": {**there.data, **body["data"]}}
        number = self.put(path, dict(body["data"]))
        self.writes.append(path)
        self.on_write(f"vault {path}")
        return 200, {"data": {"version": number, "destroyed": False}}

    def _read(self, path: str) -> tuple[int, dict[str, Any]]:
        if (there := self.secrets.get(path)) is None:
            return 404, {"errors": []}
        deleted = there.data is None
        metadata = {
            "version": there.number,
            "destroyed": False,
            "deletion_time": "2026-01-01T00:00:00Z" if deleted else "",
        }
        return 404 if deleted else 200, {"data": {"data": there.data, "metadata": metadata}}


def vault_app(vault: Vault) -> Starlette:
    """The same as an ASGI app."""

    async def answer(request: Request) -> JSONResponse:
        body = json.loads(await request.body() or b"{}")
        path, token = request.url.path, request.headers.get("x-vault-token")
        code, said = vault.answer(request.method, path, token, body)
        return JSONResponse(said, code)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "PATCH"])])


class _Transport(BaseAdapter):
    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self._vault = vault

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        before = len(self._vault.writes)
        body = json.loads(request.body) if request.body else {}
        token = request.headers.get("X-Vault-Token")
        code, said = self._vault.answer(str(request.method), request.path_url, token, body)
        if len(self._vault.writes) > before and self._vault.lost:
            self._vault.lost -= 1
            raise requests.ConnectionError("Connection aborted.", request=request)
        answer = requests.Response()
        answer.status_code, answer.reason = code, HTTPStatus(code).phrase
        answer._content, answer.url, answer.request = json.dumps(said).encode(), str(request.url), request
        answer.headers["Content-Type"] = "application/json"
        return answer

    def close(self) -> None:
        pass
