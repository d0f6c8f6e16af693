"""A folder or an archive with whatever somebody brings; docs/fetch.md says what may be in it."""

import asyncio
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rebirth.commands import Commands
from rebirth.errors import Broken, SpecError
from rebirth.fetch.git import GitHost
from rebirth.fetch.imports.layouts import is_docker, is_layout, take_docker, take_layout
from rebirth.fetch.imports.stores import is_store, take_store
from rebirth.fetch.things import AnyThing, Artifact, Chart, File, Git
from rebirth.proof.reading.artifacts import address
from rebirth.store.charts import metadata_of
from rebirth.store.names import OCI, repository_of
from rebirth.store.store import Store
from rebirth.store.versions import newest

_DEEPEST = 12  # folders below the one that is named
_ARCHIVES = (".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class _Loose:
    """A chart's archive without an address."""

    name: str
    version: str
    archive: Path


@dataclass
class Import:
    """What was found; things are matched with it, by name, as the proof comes to want them."""

    store: Store
    commands: Commands
    loose: list[_Loose] = field(default_factory=list)
    repositories: dict[str, Path] = field(default_factory=dict)  # address -> repository
    files: dict[str, Path] = field(default_factory=dict)  # address without its scheme -> file
    _scratch: list[TemporaryDirectory[str]] = field(default_factory=list)

    async def read(self, source: Path) -> None:
        """Takes what has an address, and remembers the rest. Raises SpecError, and Broken where something is damaged."""
        if not source.exists():
            raise SpecError(f"{source}: no such file or folder", hint="--from names a folder or an archive.")
        if source.is_dir():
            await self._folder(source.resolve(), source.resolve())
        elif not await self._archive(source.resolve()):
            raise SpecError(
                f"{source}: neither a folder nor a tar archive", hint="--from takes .tar, .tar.gz and .tgz."
            )

    def close(self) -> None:
        for folder in self._scratch:
            folder.cleanup()

    async def offer(self, thing: AnyThing) -> None:
        """Puts into the store what was remembered and is this thing. Raises Broken."""
        match thing:
            case Chart():
                self._chart(thing)
            case Artifact():
                self._artifact(thing)
            case Git():
                if found := self.repositories.get(address(thing.url)):
                    host = GitHost(str(found), self.commands)
                    self.store.put_git(thing.url, await host.take(self.store.git_folder(thing.url), thing.commit))
            case File():
                if found := self.files.get(thing.url.partition("://")[2]):
                    self.store.put_file(thing.url, found)

    def _chart(self, thing: Chart) -> None:
        if found := self._matching(thing.name, thing.version):
            if thing.url.startswith(OCI):
                repository = repository_of(f"{thing.url.rstrip('/')}/{thing.name}")
                self.store.put_chart_in_registry(repository, found.archive)
            else:
                self.store.put_chart(thing.url, found.archive)

    def _artifact(self, thing: Artifact) -> None:
        """An OCIRepository often holds a chart."""
        wanted = thing.semver or thing.tag
        if not thing.digest and (found := self._matching(thing.repository.rpartition("/")[2], wanted)):
            self.store.put_chart_in_registry(thing.repository, found.archive)

    def _matching(self, name: str, version: str) -> _Loose | None:
        named = {one.version: one for one in self.loose if one.name == name}
        with suppress(ValueError):
            if chosen := newest(named, version):
                return named[chosen]
        return None

    # -- what is there

    async def _folder(self, folder: Path, top: Path, depth: int = 0) -> None:
        if is_store(Store(folder)):
            await asyncio.to_thread(take_store, self.store, Store(folder))
            for _, record in Store(folder).records.below("git"):
                self.repositories[address(record["url"])] = Store(folder).git_folder(str(record["url"]))
        elif is_layout(folder):
            await asyncio.to_thread(take_layout, self.store, folder)
        elif is_docker(folder):
            await asyncio.to_thread(take_docker, self.store, folder)
        elif _is_repository(folder):
            await self._repository(folder, top)
        elif depth < _DEEPEST:
            for entry in sorted(folder.iterdir()):
                if entry.is_dir() and not entry.is_symlink():
                    await self._folder(entry, top, depth + 1)
                elif entry.is_file():
                    await self._file(entry, top)

    async def _file(self, file: Path, top: Path) -> None:
        parts = file.relative_to(top).parts
        if parts[0] == "files" and len(parts) > 2:
            self.files["/".join(parts[1:])] = file
        elif file.name.endswith(_ARCHIVES):
            await self._archive(file, parts)

    async def _repository(self, folder: Path, top: Path) -> None:
        parts = folder.relative_to(top).parts
        if parts and parts[0] == "git" and len(parts) > 2:
            self.repositories[address("https://" + "/".join(parts[1:]))] = folder
        with suppress(Broken):
            argv = ("git", "-C", str(folder), "config", "--get", "remote.origin.url")
            url = await self.commands.run(argv, operation="read its URL")
            self.repositories.setdefault(address(url.strip()), folder)

    async def _archive(self, file: Path, parts: Sequence[str] = ()) -> bool:
        """A chart, or a folder that is packed. False where it is neither."""
        with suppress(Broken):
            metadata = metadata_of(file)
            if parts and parts[0] == "charts" and len(parts) > 2:
                self.store.put_chart("https://" + "/".join(parts[1:-1]), file)
            self.loose.append(_Loose(str(metadata["name"]), str(metadata["version"]), file))
            return True
        if not tarfile.is_tarfile(file):
            return False
        scratch = self.store.scratch()
        self._scratch.append(scratch)
        await asyncio.to_thread(_unpack, file, Path(scratch.name))
        await self._folder(Path(scratch.name), Path(scratch.name))
        return True


def _is_repository(folder: Path) -> bool:
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return bare or (folder / ".git").exists()


def _unpack(file: Path, folder: Path) -> None:
    """Nothing of it lands outside of `folder`."""
    try:
        with tarfile.open(file) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Broken(f"cannot be unpacked: {error}", system=str(file), operation="import") from None
