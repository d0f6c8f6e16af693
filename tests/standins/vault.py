"""A stand-in of Vault's key-value store, version 2, as a transport of requests: for code on virtual time."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import BaseAdapter


@dataclass
class Version:
    data: dict[str, str]
    number: int


@dataclass
class Vault:
    """One mount, one token. `writes` are the paths that were written to."""

    token: str
    mount: str = "secret"
    sealed: bool = False
    may_write: bool = True
    secrets: dict[str, Version] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    on_write: Callable[[str], None] = lambda what: None
    lost: int = 0  # how many answers to writes get lost on the way

    def transport(self) -> BaseAdapter:
        return _Transport(self)

    def held(self, path: str) -> dict[str, str]:
        return dict(self.secrets[path].data) if path in self.secrets else {}

    def answer(self, method: str, path: str, token: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if token != self.token:
            return 403, {"errors": ["permission denied", "invalid token"]}
        kept = f"/v1/{self.mount}/data/"
        if path == "/v1/auth/token/lookup-self":
            return 200, {"data": {"policies": ["castle"]}}
        if path == "/v1/sys/capabilities-self":
            rights = ["read", "create", "update", "patch"] if self.may_write else ["read"]
            found = {asked: rights if asked.startswith(f"{self.mount}/data/") else ["deny"] for asked in body["paths"]}
            return 200, {"data": found, **found}
        if not path.startswith(kept):
            return 404, {"errors": [f'no handler for route "{path.removeprefix("/v1/")}". route entry not found.']}
        return self._kept(method, path.removeprefix(kept), body)

    def _kept(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        there = self.secrets.get(path)
        if method == "GET":
            if there is None:
                return 404, {"errors": []}
            return 200, {"data": {"data": there.data, "metadata": {"version": there.number, "destroyed": False}}}
        if not self.may_write:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        number = there.number if there else 0
        if body.get("options", {}).get("cas", number) != number:
            text = "check-and-set parameter did not match the current version"
            return 400, {"errors": [text]}
        if method == "PATCH":
            if there is None:
                return 404, {"errors": []}
            body = {"data": {**there.data, **body["data"]}}
        self.secrets[path] = Version(dict(body["data"]), number + 1)
        self.writes.append(path)
        self.on_write(f"vault {path}")
        return 200, {"data": {"version": number + 1, "destroyed": False}}


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
