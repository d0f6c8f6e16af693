"""A registry, by the OCI distribution specification, with the token authentication of Docker's.

A client of our own: what there is for Python (oras, python-dxf) is synchronous, keeps whole layers in memory or cannot go on
with one that was broken off.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx2 as httpx

from rebirth.errors import Broken
from rebirth.fetch.logins import Credential
from rebirth.fetch.web import Count, Web, host_of
from rebirth.store.files import digest_of_bytes
from rebirth.store.names import HUB
from rebirth.store.store import StoredManifest

_HUB_API = "registry-1.docker.io"
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_MOST_PAGES = 200  # of tags


class Registry:
    """One host. `plain`: it is spoken to over HTTP, as an object with `insecure: true` says."""

    def __init__(self, host: str, web: Web, credential: Credential | None = None, *, plain: bool = False) -> None:
        self._host, self._web, self._credential = host, web, credential
        api = _HUB_API if host == HUB else host
        self._base = f"{'http' if plain else 'https'}://{api}/v2/"
        self._headers: dict[str, dict[str, str]] = {}  # repository -> what it is shown

    async def manifest(self, repository: str, reference: str) -> StoredManifest:
        """The manifest or index of a tag or digest, verified. Raises Broken."""
        operation = f"pull {repository}:{reference}" if ":" not in reference else f"pull {repository}@{reference}"
        response = await self._get(repository, f"manifests/{reference}", operation, {"Accept": ", ".join(MANIFESTS)})
        digest = digest_of_bytes(response.content)
        said = reference if reference.startswith("sha256:") else response.headers.get("docker-content-digest", digest)
        if said.startswith("sha256:") and said != digest:
            words = f"wrong digest: it should be {said}, and is {digest}"
            hint = "What is served there is not what it should be, or was damaged on its way. Try again."
            raise Broken(words, system=self._host, operation=operation, hint=hint)
        return StoredManifest(_media_type(response), digest, response.content)

    async def tags(self, repository: str) -> list[str]:
        """Every tag of a repository. Raises Broken."""
        found: list[str] = []
        path = "tags/list"
        for _ in range(_MOST_PAGES):
            response = await self._get(repository, path, f"list tags of {repository}", {})
            try:
                found += [str(tag) for tag in response.json().get("tags") or ()]
            except (ValueError, AttributeError, TypeError):
                raise Broken(
                    "the answer is no list of tags", system=self._host, operation=f"list tags of {repository}"
                ) from None
            following = response.links.get("next", {}).get("url")
            if not following:
                break
            path = urljoin(str(response.request.url), following)
        return found

    async def blob(self, repository: str, digest: str, target: Path, count: Count) -> None:
        """Into `target`, of which what is there already is taken as the beginning. Not verified. Raises Broken."""
        operation = f"pull a layer of {repository}"
        url = f"{self._base}{repository}/blobs/{digest}"
        response = await self._web.download(
            url, target, operation=operation, headers=self._shown(repository), count=count
        )
        if response.status_code == 401:
            await self._log_in(repository, response, operation)
            response = await self._web.download(
                url, target, operation=operation, headers=self._shown(repository), count=count
            )
        self._require(response, operation)

    async def _get(self, repository: str, path: str, operation: str, headers: Mapping[str, str]) -> httpx.Response:
        url = urljoin(f"{self._base}{repository}/", path)
        response = await self._web.ask(url, operation=operation, headers={**headers, **self._shown(repository)})
        if response.status_code == 401:
            await self._log_in(repository, response, operation)
            response = await self._web.ask(url, operation=operation, headers={**headers, **self._shown(repository)})
        self._require(response, operation)
        return response

    def _shown(self, repository: str) -> dict[str, str]:
        return self._headers.get(repository, {})

    async def _log_in(self, repository: str, response: httpx.Response, operation: str) -> None:
        """Does what the registry's answer asks for: a token of its token server, or name and password.

        Raises Broken where those are missing or refused.
        """
        scheme, _, rest = response.headers.get("www-authenticate", "").partition(" ")
        asked = dict(_CHALLENGE.findall(rest))
        if scheme.lower() == "basic" and self._credential:
            self._headers[repository] = self._credential.basic
        elif scheme.lower() == "bearer" and asked.get("realm"):
            token = await self._token(repository, asked, operation)
            self._headers[repository] = {"Authorization": f"Bearer {token}"}
        else:
            raise self._refused(operation, response.status_code)

    async def _token(self, repository: str, asked: Mapping[str, str], operation: str) -> str:
        query = {"scope": asked.get("scope") or f"repository:{repository}:pull"}
        if asked.get("service"):
            query["service"] = asked["service"]
        realm = asked["realm"]
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        if self._credential and not url.startswith("https://") and self._base.startswith("https://"):
            raise Broken("wants the password over plain HTTP", system=self._host, operation=operation)
        headers = self._credential.basic if self._credential else {}
        response = await self._web.ask(url, operation=operation, headers=headers)
        if response.status_code != 200:
            raise self._refused(operation, response.status_code)
        try:
            said = response.json()
            return str(said.get("token") or said["access_token"])
        except (ValueError, KeyError, AttributeError):
            raise Broken("the answer holds no token", system=host_of(url), operation=operation) from None

    def _require(self, response: httpx.Response, operation: str) -> None:
        if response.status_code in {401, 403}:
            raise self._refused(operation, response.status_code)
        if response.status_code == 404:
            hint = "Is the name right, and the tag? Some registries say so of what may not be seen, too."
            raise Broken("there is no such thing", system=self._host, operation=operation, status=404, hint=hint)
        if response.status_code not in {200, 206}:
            status = response.status_code
            raise Broken(f"HTTP {status}", system=self._host, operation=operation, status=status)

    def _refused(self, operation: str, status: int) -> Broken:
        if self._credential:
            words = f"the credentials of {self._credential.username} were rejected"
            hint = f"They are those of {self._credential.where}."
        else:
            words = "it wants credentials"
            hint = f"`docker login {self._host}` keeps them where they are found, or engine.pull_secrets of castle.yaml names them."
        return Broken(words, system=self._host, operation=operation, status=status, hint=hint)


def _media_type(response: httpx.Response) -> str:
    """As the manifest itself says it, else as the registry does."""
    try:
        data: Any = json.loads(response.content)
    except ValueError:
        raise Broken("the answer is no manifest", system=host_of(str(response.request.url)), operation="pull") from None
    said = data.get("mediaType") if isinstance(data, dict) else None
    return str(said or response.headers.get("content-type", "").partition(";")[0] or MANIFESTS[1])
