"""A stand-in of what Vault's API says of its seal and of Raft snapshots, around that of its key-value store.

What it says is held against OpenBao itself by tests/phases/test_restore_vault.py.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_hex
from typing import Any

import requests
from requests.adapters import BaseAdapter

from standins.vault import Vault


@dataclass
class Raft(BaseAdapter):
    """One Vault; `other_mounts` are there besides the key-value store's, which is there where it is `mounted`."""

    vault: Vault
    key: str = field(default_factory=lambda: token_hex(16))  # that unseals what it holds now
    root: str = field(default_factory=lambda: token_hex(16))
    mounted: bool = True
    raft: bool = True
    other_mounts: list[str] = field(default_factory=list)
    taken: int = 0
    restored: int = 0
    dies: Callable[[], None] = lambda: None  # called when a snapshot has been put in place, before that is answered

    def transport(self) -> BaseAdapter:
        return self

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        path = request.path_url.partition("?")[0].removeprefix("/v1/")
        code, said = self._answer(str(request.method), path, request.headers.get("X-Vault-Token"), request.body)
        answer = requests.Response()
        answer.status_code, answer.reason = code, HTTPStatus(code).phrase
        answer._content = said if isinstance(said, bytes) else json.dumps(said).encode()
        answer.url, answer.request = str(request.url), request
        answer.headers["Content-Type"] = "application/gzip" if isinstance(said, bytes) else "application/json"
        return answer

    def close(self) -> None:
        pass

    def _answer(self, method: str, path: str, token: str | None, body: Any) -> tuple[int, Any]:
        sealed = {"initialized": True, "sealed": self.vault.sealed}
        if path == "sys/seal-status":
            return 200, sealed
        if path == "sys/unseal":
            self.vault.sealed = self.vault.sealed and json.loads(body)["key"] != self.key
            return 200, {**sealed, "sealed": self.vault.sealed}
        if self.vault.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if token not in {self.vault.token, self.root}:
            return 403, {"errors": ["permission denied", "invalid token"]}
        if path.startswith("sys/storage/raft/"):
            return self._of_raft(method, path, body)
        if path == "sys/mounts":
            mounts = {"sys": "system", "cubbyhole": "cubbyhole", "identity": "identity"}
            mounts |= dict.fromkeys(self.other_mounts, "kv") | ({self.vault.mount: "kv"} if self.mounted else {})
            return 200, {"data": {f"{name}/": {"type": kind} for name, kind in mounts.items()}}
        if method == "LIST":
            found = sorted(self.vault.secrets)
            absent = [] if self.mounted else [f'no handler for route "{path}". route entry not found.']
            return (200, {"data": {"keys": found}}) if found and self.mounted else (404, {"errors": absent})
        return self.vault.answer(method, f"/v1/{path}", self.vault.token, json.loads(body) if body else {})

    def _of_raft(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if not self.raft:
            return 404, {"errors": ["unsupported path"]}
        if method == "GET":
            self.taken += 1
            held = {path: version.data for path, version in self.vault.secrets.items()}
            return 200, gzip.compress(json.dumps([self.key, self.vault.token, held]).encode())
        key, token, held = json.loads(gzip.decompress(body))
        if key != self.key and not path.endswith("-force"):
            return 400, {"errors": ["could not verify hash file, possibly the snapshot is using a different set"]}
        self.restored += 1
        self.vault.sealed, self.key, self.root, self.mounted = key != self.key, key, token_hex(16), True
        self.vault.token = token
        self.vault.secrets.clear()
        for name, data in held.items():
            self.vault.put(name, data)
        self.dies()
        return 204, {}
