"""Builds the lab's real programs from pinned Go modules, once, into a cache.

A component is a folder under lab/components/: go.mod and go.sum pin it, component.toml names its binaries. What is in the
cache under a component's key was built from exactly these files with exactly these flags.

Components with `optional = true` are built for the castles that use them alone. `python -m rebirth.lab.building.toolchain
[NAME ...]` builds those named, or all that are not optional.
"""

import asyncio
import fcntl
import hashlib
import inspect
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from rebirth.errors import Broken
from rebirth.lab.building import flux, modules
from rebirth.lab.building.copied import Addition, Changes, copied
from rebirth.lab.building.running import run
from rebirth.store.cache import cache_directory

_RELEASES: dict[str, Addition] = {"flux": flux.manifests}  # component -> what a release adds to its sources
# Nothing here is debugged: debugging information costs an eighth of the time to compile, and is cut off by the linker.
_FLAGS = ("-trimpath", "-mod=readonly", "-gcflags=all=-dwarf=false")
# The order in which a lab needs them; what is not named comes last.
_ORDER = ("etcd", "kubernetes", "talosctl", "openbao", "registry", "coredns", "helm", "standins")


def sources() -> Path:
    """The folder `lab/` of the checkout, where components, charts and images are declared. Raises Broken."""
    folder = Path(__file__).resolve().parents[4] / "lab"
    if not (folder / "components").is_dir():
        raise Broken(
            "the folder lab/ of the source tree is missing",
            operation="lab",
            hint="Install rebirth from a checkout: make demo.",
        )
    return folder


@dataclass(frozen=True)
class Component:
    name: str
    folder: Path
    module: str
    binaries: dict[str, str]  # package of the module -> binary
    ldflags: tuple[str, ...]
    no_sum_database: tuple[str, ...]
    version: str = ""
    optional: bool = False  # built only for castles that use it, see used.py
    tags: tuple[str, ...] = ()  # Go's build tags
    patched: dict[str, str] = field(default_factory=dict)  # module -> patch file of the folder
    added: dict[str, str] = field(default_factory=dict)  # folder of the module -> folder here, whose files are added
    not_used_by: tuple[str, ...] = ()  # words: a castle whose files have none of them uses it
    mentioned_as: tuple[str, ...] = ()  # what in a castle's files says that it is used, besides its images and charts

    @classmethod
    def read(cls, folder: Path) -> "Component":
        data = tomllib.loads((folder / "component.toml").read_text())
        return cls(
            folder.name,
            folder,
            data["module"],
            data["binaries"],
            tuple(data.get("ldflags", ())),
            tuple(data.get("no_sum_database", ())),
            data.get("version", ""),
            data.get("optional", False),
            tuple(data.get("tags", ())),
            data.get("patched", {}),
            data.get("added", {}),
            tuple(data.get("not_used_by", ())),
            tuple(data.get("mentioned_as", ())),
        )

    def package(self, path: str) -> str:
        return self.module if path == "." else f"{self.module}/{path}"

    def key(self, go_version: str) -> str:
        """Changes with everything that can change a binary."""
        digest = hashlib.sha256(" ".join((go_version, *_FLAGS, *self.ldflags, *self.tags)).encode())
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(self.folder)}\0".encode() + file.read_bytes())
        if release := _RELEASES.get(self.name):
            digest.update(inspect.getsource(inspect.getmodule(release) or release).encode())
        return digest.hexdigest()[:12]


def components() -> tuple[Component, ...]:
    """Every component, in the order in which a lab needs them."""
    folders = [*(sources() / "components").iterdir(), sources() / "standins"]
    found = [Component.read(folder) for folder in folders if (folder / "component.toml").exists()]
    return tuple(sorted(found, key=lambda c: (_ORDER.index(c.name) if c.name in _ORDER else len(_ORDER), c.name)))


def chosen(names: Iterable[str] = ()) -> list[Component]:
    """The components of these names, or all that are not optional. Raises Broken."""
    asked = set(names)
    found = [c for c in components() if (c.name in asked if asked else not c.optional)]
    if unknown := asked - {component.name for component in found}:
        raise Broken(f"there is no component {', '.join(sorted(unknown))}", system="lab", operation="build")
    return found


@dataclass(frozen=True)
class Built:
    component: str
    seconds: float
    cached: bool


class Toolchain:
    """The cache of built components."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = (cache or cache_directory()) / "bin"
        self._go_version = ""

    async def go_version(self) -> str:
        if not self._go_version:
            self._go_version = (await run("go", "env", "GOVERSION", "GOARCH")).replace("\n", " ").strip()
        return self._go_version

    async def folder(self, component: Component) -> Path:
        """Where the component's binaries are, or will be."""
        return self._cache / f"{component.name}-{component.key(await self.go_version())}"

    def entries(self) -> list[Path]:
        """Every component that was built, of this version or an earlier one; what is being built is none."""
        if not self._cache.is_dir():
            return []
        return sorted(path for path in self._cache.iterdir() if path.is_dir() and not path.name.startswith("."))

    async def programs(self, among: Iterable[Component] = ()) -> dict[str, str]:
        """Every binary that has been built, with its path; `among`: of these components only."""
        found: dict[str, str] = {}
        for component in among or components():
            folder = await self.folder(component)
            if folder.is_dir():
                found |= {binary: str(folder / binary) for binary in component.binaries.values()}
        return found

    async def build(self, component: Component) -> Built:
        """Builds the component unless it is in the cache. Raises Broken with the compiler's last lines."""
        target, since = await self.folder(component), time.monotonic()
        if target.is_dir():
            return Built(component.name, 0.0, cached=True)
        self._cache.mkdir(parents=True, exist_ok=True)
        with _lock(self._cache / f".{component.name}.lock"):
            if target.is_dir():  # built by another process meanwhile
                return Built(component.name, 0.0, cached=True)
            # Built beside its place and renamed: half a build is never taken for a whole one.
            unfinished = Path(mkdtemp(prefix=f".{component.name}-", dir=self._cache))
            try:
                with TemporaryDirectory() as changed:
                    flags = await self.flags(component, Path(changed))
                    await self._compile(component, flags, unfinished)
                unfinished.chmod(0o755)
                unfinished.rename(target)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        return Built(component.name, time.monotonic() - since, cached=False)

    async def flags(self, component: Component, folder: Path) -> tuple[str, ...]:
        """Go's flags for every binary of the component; copies of modules with changes are made in `folder`."""
        ldflags, tags = " ".join(("-s", "-w", *component.ldflags)), ",".join(component.tags)
        changes = Changes(component.patched, component.added, _RELEASES.get(component.name))
        changed = await copied(component.folder, component.module, changes, folder)
        return (*_FLAGS, f"-ldflags={ldflags}", *([f"-tags={tags}"] if tags else ()), *changed)

    async def _compile(self, component: Component, flags: tuple[str, ...], folder: Path) -> None:
        """All binaries at once: one is linked while others are compiled."""
        packages = [component.package(path) for path in component.binaries]
        # Go names a binary after its package; one alone may be given its name.
        output = str(folder / next(iter(component.binaries.values()))) if len(packages) == 1 else f"{folder}/"
        await self._go(component, "build", *flags, "-o", output, *packages)

    async def _go(self, component: Component, *argv: str) -> None:
        environment = {"CGO_ENABLED": "0", "GOWORK": "off"}
        if component.no_sum_database:
            environment["GONOSUMDB"] = ",".join(component.no_sum_database)
        await run("go", *argv, cwd=component.folder, env=environment)

    async def build_all(
        self,
        report: Callable[[Built], None] = lambda _: None,
        names: Iterable[str] = (),
        begin: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Builds what is missing of those named, else of all that are not optional; one after the other: a Go build
        uses every core by itself. What later ones need is downloaded meanwhile. Raises Broken.

        `begin` is told what is built next, and how far that is.
        """
        wanted = chosen(names)
        missing = [component for component in wanted if not (await self.folder(component)).is_dir()]
        fetching = asyncio.create_task(self._fetch(missing[1:]))
        try:
            for component in wanted:
                if component in missing:
                    begin(f"building {component.name} ({missing.index(component) + 1} of {len(missing)})")
                report(await self.build(component))
        finally:
            fetching.cancel()

    async def _fetch(self, later: Iterable[Component]) -> None:
        """Downloads the modules of components that are built later. Whatever fails is said by the build."""
        for component in later:
            with suppress(Broken, OSError), TemporaryDirectory() as changed:
                flags = await self.flags(component, Path(changed))
                packages = map(component.package, component.binaries)
                await self._go(component, "list", *flags, "-deps", *packages)

    async def module_folder(self, component_name: str, module: str = "") -> Path:
        """The source of a component's module, or of one that it needs: CRDs and charts come from where the binary comes from."""
        component = next(c for c in components() if c.name == component_name)
        return await modules.module_folder(component.folder, module or component.module)


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main(names: Iterable[str] = ()) -> None:
    """Builds the components named, or all that are not optional."""

    def line(built: Built) -> None:
        print(
            f"{built.component:22} {'in the cache' if built.cached else f'built in {built.seconds:.0f} s'}", flush=True
        )

    try:
        asyncio.run(Toolchain().build_all(line, names, lambda words: print(f"{words} ...", flush=True)))
    except Broken as error:
        sys.exit(f"error: {error}\nhint: {error.hint}" if error.hint else f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
