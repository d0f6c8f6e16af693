"""Fetches things, several at a time: one that cannot be had does not stop the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rebirth.commands import Commands
from rebirth.errors import Broken, Rebirth
from rebirth.fetch.chart_repository import ChartRepository, Release
from rebirth.fetch.git import GitHost
from rebirth.fetch.images import Puller, TooLarge, chosen_tag, is_exact
from rebirth.fetch.logins import Credential, Logins
from rebirth.fetch.registry import Registry
from rebirth.fetch.things import AnyThing, Artifact, Chart, File, Git, Image, Thing
from rebirth.fetch.web import Web, host_of
from rebirth.run.waiting import together
from rebirth.store.charts import LAYERS, metadata_of
from rebirth.store.names import OCI, Name, name_of, repository_of, tag_of, url_of
from rebirth.store.store import PLATFORM, Store, StoredManifest, layer_of

AT_ONCE = 4
FETCHED, STORED, LARGE, FAILED = "fetched", "stored", "too large", "failed"


class Task(Protocol):
    """Hears how far one thing is."""

    def expect(self, size: int) -> None:
        """Bytes that will come; nobody knows of charts and repositories."""

    def count(self, size: int) -> None:
        """Bytes that have come."""


class Progress(Protocol):
    def begin(self, thing: AnyThing) -> Task: ...

    def end(self, task: Task, outcome: "Outcome") -> None: ...

    def say(self, words: str) -> None:
        """What is waited for."""


@dataclass(frozen=True)
class Outcome:
    thing: AnyThing
    state: str  # fetched; stored: it was there; too large; failed
    size: int = 0  # bytes that came now; of what is too large, all that it has
    error: Rebirth | None = None


@dataclass
class _Counted:
    """A task that remembers how much came."""

    task: Task
    size: int = 0

    def count(self, size: int) -> None:
        self.size += size
        self.task.count(size)


@dataclass
class Fetcher:
    store: Store
    web: Web
    logins: Logins
    commands: Commands
    progress: Progress
    platform: str = PLATFORM
    largest: int | None = None  # bytes that an image may have compressed
    again: bool = False  # also what is stored, and named exactly
    _registries: dict[tuple[str, Credential | None, bool], Registry] = field(default_factory=dict, init=False)
    _repositories: dict[tuple[str, Credential | None], ChartRepository] = field(default_factory=dict, init=False)
    _mirrors: dict[str, asyncio.Lock] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._puller = Puller(self.store, self.platform)
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def fetch(self, things: Sequence[AnyThing]) -> list[Outcome]:
        """What became of each, in their order."""
        return await together(*(self._one(thing) for thing in things))

    async def _one(self, thing: AnyThing) -> Outcome:
        async with self._limit:
            task = self.progress.begin(thing)
            counted = _Counted(task)
            try:
                outcome = await self._attempt(thing, counted)
            except Rebirth as error:
                outcome = Outcome(thing, FAILED, error=error)
            except OSError as error:
                words = error.strerror or "cannot be written"
                outcome = Outcome(thing, FAILED, error=Broken(words, system=str(self.store.folder), operation="write"))
            self.progress.end(task, outcome)
            return outcome

    async def _attempt(self, thing: AnyThing, counted: _Counted) -> Outcome:
        try:
            came = await self._work(thing, counted)
        except TooLarge as found:
            return Outcome(thing, LARGE, found.size)
        return Outcome(thing, FETCHED if came else STORED, counted.size)

    async def _work(self, thing: AnyThing, counted: _Counted) -> bool:
        """Whether something came that was not there."""
        match thing:
            case Chart(url=url) if url.startswith(OCI):
                return await self._chart_of_registry(thing, counted)
            case Chart():
                return await self._chart(thing, counted)
            case Artifact():
                return await self._artifact(thing, counted)
            case Git():
                return await self._git(thing)
            case File():
                return await self._file(thing, counted)
            case Image():
                return await self._image(thing, counted)

    async def _chart(self, thing: Chart, counted: _Counted) -> bool:
        if self._has_chart(thing):
            return False
        credential = self.logins.of(thing, host_of(thing.url))
        key = (url_of(thing.url), credential)
        repository = self._repositories.setdefault(key, ChartRepository(thing.url, self.web, credential))
        release = await repository.find(thing.name, thing.version)
        kept = self.store.stored_chart(thing.url, release.name, release.version)
        if kept and kept.digest == release.digest:
            return False
        with self.store.scratch() as folder:
            if release.url.startswith(OCI):
                archive = await self._archive(release, thing, counted)
            else:
                archive = await repository.download(release, Path(folder), counted.count)
            if (name := str(metadata_of(archive)["name"])) != release.name:
                raise Broken(f"the archive is of a chart {name}", system=thing.url, operation=f"fetch {release.name}")
            self.store.put_chart(thing.url, archive, release.digest, version=release.version)
        return True

    def _has_chart(self, thing: Chart) -> bool:
        exact = is_exact(thing.version) and not self.again
        return exact and self.store.chart(thing.url, thing.name, thing.version) is not None

    async def _archive(self, release: Release, thing: Chart, counted: _Counted) -> Path:
        """Of a chart whose index leads to a registry, as Bitnami's does."""
        name = name_of(release.url.removeprefix(OCI))
        manifest = await self._puller.pull(self._registry(thing, name), name, counted.task.expect, counted.count)
        return self._layer(manifest.data, name)

    def _layer(self, manifest: bytes, name: Name) -> Path:
        digest = layer_of(manifest, LAYERS)
        archive = self.store.blob(digest) if digest else None
        if archive is None:
            raise Broken("is no chart", system=str(name), operation="pull")
        return archive

    async def _chart_of_registry(self, thing: Chart, counted: _Counted) -> bool:
        if self._has_chart(thing):
            return False
        repository = repository_of(f"{thing.url.rstrip('/')}/{thing.name}")
        name = Name(repository, tag_of(thing.version))
        registry = self._registry(thing, name)
        if not is_exact(thing.version):
            name = Name(repository, await chosen_tag(registry, name.path, thing.version, chart=True))
        manifest, came = await self._pulled(registry, name, counted)
        self._layer(manifest.data, name)
        return came

    async def _artifact(self, thing: Artifact, counted: _Counted) -> bool:
        name = Name(thing.repository, thing.tag, thing.digest)
        registry = self._registry(thing, name)
        if thing.semver:
            name = Name(
                thing.repository, await chosen_tag(registry, name.path, thing.semver, thing.only, chart=thing.chart)
            )
        return await self._named(registry, name, counted)

    async def _image(self, thing: Image, counted: _Counted) -> bool:
        return await self._named(self._registry(thing, thing.name), thing.name, counted, self.largest)

    async def _named(self, registry: Registry, name: Name, counted: _Counted, largest: int | None = None) -> bool:
        moves = name.reference == "latest"
        if not self.again and not moves and self.store.has_image(str(name), self.platform):
            return False
        return (await self._pulled(registry, name, counted, largest))[1]

    async def _pulled(
        self, registry: Registry, name: Name, counted: _Counted, largest: int | None = None
    ) -> tuple[StoredManifest, bool]:
        """What the name stands for, and whether it is new: all its layers may have come with another thing that has them."""
        before = self.store.manifest(name.repository, name.reference)
        found = await self._puller.pull(registry, name, counted.task.expect, counted.count, largest=largest)
        return found, counted.size > 0 or before is None or before.digest != found.digest

    async def _git(self, thing: Git) -> bool:
        exact = thing.commit or (thing.tag and f"refs/tags/{thing.tag}")
        if exact and not self.again and exact in self.store.git_references(thing.url):
            return False
        async with self._mirrors.setdefault(url_of(thing.url), asyncio.Lock()):
            mirror = self.store.git_folder(thing.url)
            patience = self.web.patience(host_of(thing.url))
            host = GitHost(thing.url, self.commands, self.logins.of_git(thing, thing.url), patience)
            return self.store.put_git(thing.url, await host.fetch(thing, mirror))

    async def _file(self, thing: File, counted: _Counted) -> bool:
        with self.store.scratch() as folder:
            target = Path(folder) / "file"
            operation = "fetch"
            response = await self.web.download(thing.url, target, operation=operation, count=counted.count)
            if response.status_code not in {200, 206}:
                status = response.status_code
                raise Broken(f"HTTP {status}", system=thing.url, operation=operation, status=status)
            before = self.store.file(thing.url)
            return self.store.put_file(thing.url, target) != (f"sha256:{before.name}" if before else "")

    def _registry(self, thing: Thing, name: Name) -> Registry:
        credential = self.logins.of(thing, name.host)
        key = (name.host, credential, thing.insecure)
        if key not in self._registries:
            self._registries[key] = Registry(name.host, self.web, credential, plain=thing.insecure)
        return self._registries[key]
