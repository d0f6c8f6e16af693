"""Chart repositories under their real host names: upstream's charts out of the pinned modules, and the lab's own stand-ins."""

import gzip
import hashlib
import io
import tarfile
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rebirth.errors import Broken
from rebirth.lab.building.toolchain import Component, Toolchain

_IN_A_REGISTRY = "OCI"  # beside Chart.yaml: the host is a registry, the chart an artifact there


@dataclass(frozen=True)
class Chart:
    """A chart folder, where it is served, and what is changed in it on the way."""

    host: str
    path: str  # below the host, such as /charts
    folder: Path
    version: str | None = None  # where the module's Chart.yaml lags behind its tag
    app_version: str = ""  # where it is not the chart's own
    drop_dependencies: tuple[str, ...] = ()
    extra_files: dict[str, bytes] = field(default_factory=dict)

    @property
    def in_a_registry(self) -> bool:
        return (self.folder / _IN_A_REGISTRY).exists()

    def packed(self) -> tuple[str, dict[str, Any], bytes]:
        """File name, Chart.yaml, and the .tgz."""
        meta = self._meta()
        if self.version:
            meta |= {"version": self.version, "appVersion": self.app_version or f"v{self.version.removeprefix('v')}"}
        meta["dependencies"] = [d for d in meta.get("dependencies", []) if d["name"] not in self.drop_dependencies]
        packed, name, ignored = io.BytesIO(), meta["name"], self._ignored()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            _add(archive, f"{name}/Chart.yaml", yaml.safe_dump(meta).encode())
            for file in sorted(path for path in self.folder.rglob("*") if path.is_file()):
                inside = file.relative_to(self.folder)
                if str(inside) not in {"Chart.yaml", "Chart.lock", _IN_A_REGISTRY} and not _matches(inside, ignored):
                    _add(archive, f"{name}/{inside}", file.read_bytes())
            for added, data in self.extra_files.items():
                _add(archive, f"{name}/{added}", data)
        # No time in it: the same chart has the same digest in every lab.
        return f"{name}-{meta['version']}.tgz", meta, gzip.compress(packed.getvalue(), compresslevel=1, mtime=0)

    def _meta(self) -> dict[str, Any]:
        file = self.folder / "Chart.yaml"
        try:
            return dict(yaml.safe_load(file.read_text()))
        except (yaml.YAMLError, TypeError, ValueError) as error:
            raise Broken(f"{file}: {error}", system="charts", operation="package") from None

    def _ignored(self) -> list[str]:
        """Patterns of what is no part of the package; helm's negations are not understood."""
        file = self.folder / ".helmignore"
        lines = [line.strip() for line in file.read_text().splitlines()] if file.exists() else []
        dropped = [f"charts/{name}{end}" for name in self.drop_dependencies for end in ("/", "-*.tgz")]
        return [*dropped, *(line for line in lines if line and not line.startswith(("#", "!")))]


def _matches(file: PurePath, patterns: list[str]) -> bool:
    """Whether the file, or a folder that it is in, is named by a pattern of a .helmignore."""
    for place in (file, *file.parents[:-1]):
        for pattern in patterns:
            if pattern.endswith("/") and place == file:
                continue  # names folders only
            wanted = pattern.strip("/")
            if fnmatch(str(place) if "/" in wanted else place.name, wanted):
                return True
    return False


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    archive.addfile(entry, io.BytesIO(data))


async def charts(sources: Path, toolchain: Toolchain, parts: Collection[Component]) -> list[Chart]:
    """All charts: lab/charts/<host>/<path>/<chart>/, and those that lab/charts/modules.toml takes out of these components' modules."""
    found, names = [], {component.name for component in parts}
    for file in sorted(sources.glob("*/**/Chart.yaml")):
        host, *path, _ = file.parent.relative_to(sources).parts
        found.append(Chart(host, "/" + "/".join(path), file.parent))
    for table in tomllib.loads((sources / "modules.toml").read_text())["chart"]:
        if table["component"] not in names:
            continue
        module = await toolchain.module_folder(table["component"])
        extra = {inside: (module / path).read_bytes() for inside, path in table.get("files", {}).items()}
        extra |= {inside: text.encode() for inside, text in table.get("texts", {}).items()}
        dropped = tuple(table.get("drop_dependencies", ()))
        place = (table["host"], table.get("path", ""), module / table["folder"])
        found.append(Chart(*place, table.get("version"), table.get("app_version", ""), dropped, extra))
    return found


@dataclass(frozen=True)
class Package:
    """A chart as a repository serves it. `meta` is its Chart.yaml."""

    host: str
    path: str  # below the host, such as /charts
    meta: Mapping[str, Any]
    data: bytes  # the .tgz

    @classmethod
    def of(cls, chart: Chart) -> "Package":
        _, meta, data = chart.packed()
        return cls(chart.host, chart.path.rstrip("/"), meta, data)

    @property
    def name(self) -> tuple[str, str]:
        return str(self.meta["name"]), str(self.meta["version"])


def charts_app(served: Iterable[Package]) -> Starlette:
    """Every repository's index.yaml and packages, told apart by host name."""
    files: dict[tuple[str, str], bytes] = {}
    indexes: dict[tuple[str, str], dict[str, Any]] = {}
    for package in served:
        file = f"{package.path}/{'-'.join(package.name)}.tgz"
        files[package.host, file] = package.data
        entry = {
            **package.meta,
            "urls": [f"https://{package.host}{file}"],
            "digest": hashlib.sha256(package.data).hexdigest(),
            "created": "2026-01-01T00:00:00Z",
        }
        index = indexes.setdefault((package.host, f"{package.path}/index.yaml"), {})
        index.setdefault(package.name[0], []).append(entry)
    for place, entries in indexes.items():
        files[place] = yaml.safe_dump(
            {"apiVersion": "v1", "entries": entries, "generated": "2026-01-01T00:00:00Z"}
        ).encode()

    async def serve(request: Request) -> Response:
        found = files.get((request.url.hostname or "", request.url.path))
        return Response(found, media_type="application/octet-stream") if found else Response("not found", 404)

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "HEAD"])])
