"""A chart repository over HTTP: index.yaml, and the archives that it lists. What is taken of it is what source-controller takes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import yaml

from rebirth.errors import Broken
from rebirth.fetch.logins import Credential
from rebirth.fetch.web import Count, Web, host_of
from rebirth.store.versions import newest

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Release:
    """One version of a chart, as the index lists it."""

    name: str
    version: str
    digest: str  # of the archive; "" where the index has none
    url: str  # absolute; a registry's with oci://


class ChartRepository:
    def __init__(self, url: str, web: Web, credential: Credential | None = None) -> None:
        self._url, self._web, self._credential = url.rstrip("/"), web, credential
        self._index: Mapping[str, Any] | Broken | None = None  # or why there is none: it is asked for once
        self._turn = asyncio.Lock()

    async def find(self, name: str, version: str) -> Release:
        """The release of the chart that satisfies `version`. Raises Broken where there is none."""
        entries = (await self._entries()).get(name)
        if not isinstance(entries, list) or not entries:
            raise self._broken(f"there is no chart {name}")
        offered = {str(entry.get("version")): entry for entry in reversed(entries) if isinstance(entry, Mapping)}
        try:
            chosen = newest(offered, version)
        except ValueError as error:
            raise self._broken(str(error)) from None
        if chosen is None:
            latest = newest(offered) or next(iter(offered), "")
            raise self._broken(f"there is no version {version or '(newest)'} of {name}; the newest is {latest}")
        return self._release(name, chosen, offered[chosen])

    def _release(self, name: str, version: str, entry: Mapping[str, Any]) -> Release:
        urls = entry.get("urls")
        if not isinstance(urls, list) or not urls:
            raise self._broken(f"the index has no URL for {name} {version}")
        digest = str(entry.get("digest") or "").removeprefix("sha256:")
        return Release(name, version, f"sha256:{digest}" if digest else "", urljoin(f"{self._url}/", str(urls[0])))

    async def download(self, release: Release, folder: Path, count: Count) -> Path:
        """The archive, in `folder`; not verified. Raises Broken."""
        target = folder / f"{release.name}-{release.version}.tgz".replace("/", "_")
        operation = f"fetch {release.name} {release.version}"
        response = await self._web.download(
            release.url, target, operation=operation, headers=self._shown(release.url), count=count
        )
        self._require(response.status_code, release.url, operation)
        return target

    async def _entries(self) -> Mapping[str, Any]:
        async with self._turn:
            if self._index is None:
                try:
                    self._index = await self._read()
                except Broken as error:
                    self._index = error
        if isinstance(self._index, Broken):
            raise self._index
        return self._index

    async def _read(self) -> Mapping[str, Any]:
        url = f"{self._url}/index.yaml"
        response = await self._web.ask(url, operation="read index.yaml", headers=self._shown(url))
        self._require(response.status_code, url, "read index.yaml")
        entries = await asyncio.to_thread(_parsed, response.content)
        if not entries:
            raise self._broken("what answers there has no index of charts")
        return entries

    def _shown(self, url: str) -> dict[str, str]:
        """Credentials go to the repository's own host alone: helm's rule without --pass-credentials."""
        same = urlsplit(url)[:2] == urlsplit(self._url)[:2]
        return self._credential.basic if self._credential and same else {}

    def _require(self, status: int, url: str, operation: str) -> None:
        if status in {200, 206}:
            return
        hint = ""
        if status in {401, 403}:
            words, hint = (
                "it wants credentials",
                f"`helm registry login {host_of(url)}` keeps them where they are found.",
            )
            if self._credential:
                words = f"the credentials of {self._credential.username} were rejected"
                hint = f"They are those of {self._credential.where}."
        else:
            words = "there is no such thing" if status == 404 else f"HTTP {status}"
            hint = f"It was asked for {url}."
        raise Broken(words, system=host_of(url), operation=operation, status=status, hint=hint)

    def _broken(self, words: str) -> Broken:
        return Broken(words, system=self._url, operation="read index.yaml")


def _parsed(content: bytes) -> Mapping[str, Any]:
    """The entries of an index; none where it is none."""
    try:
        data = yaml.load(content, Loader=_LOADER)  # noqa: S506 - a safe one, in C
    except yaml.YAMLError:
        return {}
    entries = data.get("entries") if isinstance(data, Mapping) else None
    return entries if isinstance(entries, Mapping) else {}
