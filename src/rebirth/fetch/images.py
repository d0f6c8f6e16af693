"""Images and artifacts of registries, into the store: layers first, and names last, so that what has a name is whole."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from rebirth.errors import Broken, NotYet
from rebirth.fetch.registry import Registry
from rebirth.fetch.web import Count
from rebirth.run.waiting import until
from rebirth.store.names import Name, tag_of, version_of
from rebirth.store.store import PLATFORM, Store, StoredManifest, is_index, of_platform, sizes_of
from rebirth.store.versions import newest

Expect = Callable[[int], None]  # is told how many bytes will come


class TooLarge(Exception):  # noqa: N818 - nothing is wrong with it
    """The image is larger than asked for; `size` is what it has compressed."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size >> 20} MiB")
        self.size = size


class Puller:
    """Several things may want the same layer at once: it is loaded once."""

    def __init__(self, store: Store, platform: str = PLATFORM) -> None:
        self._store, self._platform = store, platform
        self._turns: dict[str, asyncio.Lock] = {}

    async def pull(
        self, registry: Registry, name: Name, expect: Expect, count: Count, *, largest: int | None = None
    ) -> StoredManifest:
        """Raises Broken, and TooLarge where the compressed layers are more than `largest` bytes together."""
        found = await registry.manifest(name.path, name.reference)
        manifest = found
        if is_index(found):
            digest = of_platform(found, self._platform)
            if digest is None:
                words = f"is not there for {self._platform}"
                raise Broken(words, system=str(name), operation="pull")
            manifest = await registry.manifest(name.path, digest)
        sizes = sizes_of(manifest)
        if not sizes:
            words = f"has a format that is not known: {manifest.media_type}"
            raise Broken(words, system=str(name), operation="pull")
        if largest is not None and sum(sizes.values()) > largest:
            raise TooLarge(sum(sizes.values()))
        missing = {digest: size for digest, size in sizes.items() if self._store.blob(digest) is None}
        expect(sum(missing.values()))
        for digest in missing:
            await self._blob(registry, name.path, digest, count)
        self._keep(name, found, manifest)
        return found

    def _keep(self, name: Name, found: StoredManifest, manifest: StoredManifest) -> None:
        if manifest is not found:
            self._store.put_manifest(name.repository, manifest.digest, manifest.media_type, manifest.data)
        for reference in filter(None, (name.digest, name.tag if name.digest else name.reference)):
            self._store.put_manifest(name.repository, reference, found.media_type, found.data)

    async def _blob(self, registry: Registry, repository: str, digest: str, count: Count) -> None:
        """Goes on with what an earlier run has left; where that turns out to be wrong, once more from its beginning."""
        async with self._turn(digest):
            if self._store.blob(digest) is not None:
                return
            partial = self._store.blobs.partial(digest)
            begun = partial.stat().st_size if partial.exists() else 0
            count(begun)
            for again in (True, False) if begun else (False,):
                await registry.blob(repository, digest, partial, count)
                size = partial.stat().st_size
                try:
                    await asyncio.to_thread(self._take, partial, digest)
                except Broken as error:
                    if not again:
                        raise Broken(error.message, system=repository, operation="pull", hint=error.hint) from None
                    count(-size)
                else:
                    return

    @asynccontextmanager
    async def _turn(self, digest: str) -> AsyncIterator[None]:
        """One at a time loads a blob, of this process and of all others."""

        async def take() -> None:
            if not stack.enter_context(self._store.blobs.loading(digest)):
                raise NotYet("another rebirth loads it")

        async with self._turns.setdefault(digest, asyncio.Lock()):
            with ExitStack() as stack:
                await until(take, what=f"{digest} may be loaded")
                yield

    def _take(self, partial: Path, digest: str) -> None:
        self._store.blobs.take(partial, digest, move=True)


async def chosen_tag(registry: Registry, path: str, constraint: str, only: str = "", *, chart: bool = False) -> str:
    """The tag that a range of versions stands for: the newest of it. Raises Broken where there is none."""
    tags = await registry.tags(path)
    try:
        found = tag_in(tags, constraint, only, chart=chart)
    except (ValueError, re.error) as error:
        raise Broken(str(error), system=path, operation="choose a version") from None
    if found is None:
        words = f"none of its {len(tags)} tags is in the range {constraint or '(newest)'}"
        raise Broken(words, system=path, operation="choose a version")
    return found


def tag_in(tags: Sequence[str], constraint: str, only: str = "", *, chart: bool = False) -> str | None:
    """The newest of the tags in that range that the regular expression `only` matches; None where there is none.

    Raises ValueError and re.error.
    """
    allowed = [tag for tag in tags if re.search(only, tag)]
    found = newest(map(version_of, allowed) if chart else allowed, constraint)
    return tag_of(found) if found and chart else found


def is_exact(version: str) -> bool:
    """Whether it names one version, and not a range."""
    return bool(re.fullmatch(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?", version))
