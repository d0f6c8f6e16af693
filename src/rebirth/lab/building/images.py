"""Container images out of real programs, and a real registry's storage filled with them.

An image is one layer with its files, the same every time and cached by content, and one small layer with what only this lab
has: the CA that its containers trust. Layers are not compressed: on one machine packing and unpacking would only cost time.
"""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from rebirth.errors import Broken
from rebirth.store.names import Name
from rebirth.store.store import Store, content_of, is_index, of_platform

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_USERS = "root:x:0:0:root:/root:/\npostgres:x:26:26:postgres:/var/lib/postgresql:/\nnonroot:x:65532:65532:nonroot:/home:/\nnobody:x:65534:65534:nobody:/:/\n"
_CA_PATH = "etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Image:
    """`files` maps paths in the image to sources: binary:NAME (toolchain), host:/PATH, wheel:PATH (Python packages),
    lab:PATH (beside images.toml), or a path.

    `links` are symbolic ones. `libraries`: also the shared libraries that the ELF files among them need.
    """

    reference: str  # its real name, with a tag
    files: Mapping[str, str]
    entrypoint: tuple[str, ...] = ()
    user: str = "65534:65534"
    environment: tuple[str, ...] = ()
    libraries: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, bytes] = field(default_factory=dict)  # files that only this lab has, and its cache does not keep

    @property
    def repository(self) -> str:
        """The name below the host, as a registry knows it."""
        return self.reference.partition("/")[2].rpartition(":")[0]

    @property
    def host(self) -> str:
        return self.reference.partition("/")[0]

    @property
    def tag(self) -> str:
        return self.reference.rpartition(":")[2]


def declared(file: Path) -> list[Image]:
    """The images that a images.toml declares."""
    tables = tomllib.loads(file.read_text())["image"]
    return [
        Image(
            reference=table["reference"],
            files=table["files"],
            entrypoint=tuple(table.get("entrypoint", ())),
            user=table.get("user", "65534:65534"),
            environment=tuple(table.get("environment", ())),
            libraries=table.get("libraries", False),
            links=table.get("links", {}),
        )
        for table in tables
    ]


@dataclass
class ImageStore:
    """Makes layers in the cache and puts images into the registry's storage."""

    cache: Path
    storage: Path  # the registry's root directory
    programs: Mapping[str, str]
    ca: str  # PEM
    declarations: Path = Path()  # the folder of images.toml
    _base: tuple[str, int] | None = field(default=None)

    def add(self, image: Image) -> None:
        """Puts `image` into the registry, under its name."""
        layers = [self._files_layer(image), self._lab_layer(), *([self._own_layer(image)] if image.own else [])]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": list(image.entrypoint),
                "User": image.user,
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin:/", *image.environment],
            },
            "rootfs": {"type": "layers", "diff_ids": [digest for digest, _ in layers]},
        }
        described = [{"mediaType": _LAYER, "digest": digest, "size": size} for digest, size in layers]
        self._put(image.repository, image.tag, _CONFIG, json.dumps(config).encode(), described)

    def add_chart(self, repository: str, tag: str, meta: Mapping[str, Any], package: bytes) -> None:
        """Puts a Helm chart into the registry; `meta` is what its Chart.yaml says."""
        digest, size = self._blob(package)
        layer = {"mediaType": _CHART_LAYER, "digest": digest, "size": size}
        self._put(repository, tag, _CHART_CONFIG, json.dumps(meta).encode(), [layer])

    def add_stored(self, store: Store, name: Name) -> None:
        """Puts what was fetched under that name into the registry: a manifest or an index, and all of it that is there."""
        if (found := store.manifest(name.repository, name.reference)) is None:
            return
        blobs = [digest for digest in content_of(found) if self._stored(store, digest)]
        self._stored(store, found.digest)
        self._link(name.path, "" if name.digest else name.reference, found.digest, blobs)
        if digest := of_platform(found) if is_index(found) else None:
            self.add_stored(store, Name(name.repository, digest=digest))

    def _stored(self, store: Store, digest: str) -> bool:
        """Whether the store has it; then the registry has, too."""
        source, place = store.blob(digest), self._place(digest)
        if source and not place.exists():
            _linked(source, place)
        return source is not None

    def _put(self, repository: str, tag: str, kind: str, config: bytes, layers: list[dict[str, Any]]) -> None:
        digest, size = self._blob(config)
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": kind, "digest": digest, "size": size},
            "layers": layers,
        }
        manifest_digest, _ = self._blob(json.dumps(manifest).encode())
        self._link(repository, tag, manifest_digest, [digest, *(str(layer["digest"]) for layer in layers)])

    def _link(self, name: str, tag: str, manifest: str, blobs: list[str]) -> None:
        """The storage layout of distribution's registry: small files that say which digests a repository has."""
        repository = self.storage / "docker/registry/v2/repositories" / name
        links = [f"_layers/{blob.replace(':', '/')}/link" for blob in blobs]
        _write_all(repository, links, blobs)
        digest, tagged = manifest.replace(":", "/"), f"_manifests/tags/{tag}"
        tags = [f"{tagged}/current/link", f"{tagged}/index/{digest}/link"] if tag else []
        names = [f"_manifests/revisions/{digest}/link", *tags]
        _write_all(repository, names, [manifest] * len(names))

    def _place(self, digest: str) -> Path:
        value = digest.partition(":")[2]
        return self.storage / "docker/registry/v2/blobs/sha256" / value[:2] / value / "data"

    def _blob(self, data: bytes) -> tuple[str, int]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        place = self._place(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return digest, len(data)

    def _lab_layer(self) -> tuple[str, int]:
        if self._base is None:
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w") as archive:
                for name in ("etc", "etc/ssl", "etc/ssl/certs"):
                    _folder(archive, name)
                _folder(archive, "tmp", 0o1777)
                _entry(archive, "etc/passwd", _USERS.encode())
                _entry(archive, "etc/group", re.sub(r"(\w+):x:\d+:(\d+):.*", r"\1:x:\2:", _USERS).encode())
                _entry(archive, _CA_PATH, self.ca.encode())
            self._base = self._blob(packed.getvalue())
        return self._base

    def _own_layer(self, image: Image) -> tuple[str, int]:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path, data in image.own.items():
                _entry(archive, path.strip("/"), data)
        return self._blob(packed.getvalue())

    def _files_layer(self, image: Image) -> tuple[str, int]:
        """The layer with the image's files: made once for these contents, then hard-linked."""
        files = sorted(self._sources(image).items())
        key = hashlib.sha256()
        for path, source in files:
            key.update(f"{path}\0{_executable(source)}\0{self._content(source)}\n".encode())
        for link, target in image.links.items():
            key.update(f"{link}\0->\0{target}\n".encode())
        layer = self.cache / "layers" / f"{key.hexdigest()}.tar"
        if not layer.exists():
            layer.parent.mkdir(parents=True, exist_ok=True)
            descriptor, unfinished = mkstemp(dir=layer.parent, prefix=".")
            with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
                _pack(archive, files, image.links)
            layer.with_suffix(".digest").write_text(_digest(Path(unfinished)))
            Path(unfinished).rename(layer)
        digest = layer.with_suffix(".digest").read_text()
        if not (place := self._place(digest)).exists():
            _linked(layer, place)
        return digest, layer.stat().st_size

    def _content(self, source: Path) -> str:
        if source.is_relative_to(self.cache):
            return str(source.relative_to(self.cache))  # a binary's path there changes with its content
        return _digest(source)

    def _sources(self, image: Image) -> dict[str, Path]:
        """Path in the image -> file on this machine; folders are walked."""
        found: dict[str, Path] = {}
        for target, source in image.files.items():
            found |= dict(_walk(target.strip("/"), self._locate(source)))
        if image.libraries:
            found |= {str(library).strip("/"): library for library in shared_libraries(list(found.values()))}
        return found

    def _locate(self, source: str) -> Path:
        kind, colon, rest = source.partition(":")
        if kind == "binary":
            if rest not in self.programs:
                raise Broken(f"no component has a binary {rest}", system="images", operation=source)
            return Path(self.programs[rest])
        if kind == "lab":
            return self.declarations / rest
        if kind == "wheel":
            return Path(sysconfig.get_path("purelib")) / rest
        return Path(rest if colon and kind == "host" else source)


def _linked(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.hardlink_to(source)
    except OSError:  # the cache is on another file system
        shutil.copyfile(source, place)


def _walk(target: str, source: Path) -> Iterator[tuple[str, Path]]:
    if source.is_dir():
        for file in sorted(source.rglob("*")):
            if file.is_file():
                yield f"{target}/{file.relative_to(source)}", file
    else:
        yield target, source


def shared_libraries(files: Iterable[Path]) -> Iterator[Path]:
    """The shared libraries that the ELF files among them need, as the host has them."""
    for file in files:
        yield from _libraries(file)


def _libraries(file: Path) -> list[Path]:
    """The shared libraries that ldd(1) names, outside the file's own package."""
    with file.open("rb") as handle:
        if handle.read(4) != b"\x7fELF":
            return []
    said = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False).stdout
    paths = [Path(path) for path in re.findall(r"(/\S+) \(0x", said)]
    return [path for path in paths if str(path).startswith(("/lib", "/usr/lib"))]


def _executable(file: Path) -> bool:
    return bool(file.stat().st_mode & 0o111)


def _pack(archive: tarfile.TarFile, files: list[tuple[str, Path]], links: Mapping[str, str]) -> None:
    known: set[str] = set()
    for path, source in files:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in known:
                known.add(folder)
                _folder(archive, folder)
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = source.stat().st_size, 0o755 if _executable(source) else 0o644
        with source.open("rb") as handle:
            archive.addfile(entry, handle)
    for link, target in links.items():
        entry = tarfile.TarInfo(link.strip("/"))
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        archive.addfile(entry)


def _folder(archive: tarfile.TarFile, name: str, mode: int = 0o755) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    archive.addfile(entry)


def _entry(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    archive.addfile(entry, io.BytesIO(data))


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return f"sha256:{hashlib.file_digest(handle, 'sha256').hexdigest()}"


def _write_all(folder: Path, names: list[str], texts: list[Any]) -> None:
    for name, text in zip(names, texts, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
