"""The store: charts, images, artifacts, repositories and files under the names that the world knows them by.

Safe for several processes: everything is written beside its place and renamed. Those that add hold `adding()`, and nothing
is removed meanwhile.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rebirth.errors import Broken
from rebirth.store.blobs import Blobs
from rebirth.store.cache import fetched_directory
from rebirth.store.charts import CONFIG, LAYERS, StoredChart, metadata_of
from rebirth.store.files import Records, locked
from rebirth.store.names import OCI, Name, name_of, repository_of, tag_of, url_of, version_of
from rebirth.store.versions import newest

PLATFORM = "linux/amd64"
MARK = "rebirth-store"  # a file by which a store is known
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_IMAGES = {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}


@dataclass(frozen=True)
class StoredManifest:
    """What a registry answers for a tag or a digest: a manifest, or an index of them."""

    media_type: str
    digest: str
    data: bytes


class Store:
    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: by default where `rebirth fetch` puts things."""
        self.folder = folder or fetched_directory()
        self.blobs = Blobs(self.folder)
        self.records = Records(self.folder)

    def adding(self) -> AbstractContextManager[None]:
        """While it is held, nothing is removed. Raises Broken where something is being removed."""
        return self._held(alone=False)

    def removing(self) -> AbstractContextManager[None]:
        """Raises Broken where something is being added."""
        return self._held(alone=True)

    @contextmanager
    def _held(self, *, alone: bool) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARK).touch()
        except OSError as error:
            hint = "REBIRTH_FETCHED names another folder."
            words = error.strerror or "cannot be written"
            raise Broken(words, system=str(self.folder), operation="write", hint=hint) from None
        with locked(self.folder / ".lock", alone=alone) as free:
            if not free:
                hint = "Try again when that has ended."
                raise Broken("another rebirth is using it", system=str(self.folder), operation="lock", hint=hint)
            yield

    def scratch(self) -> TemporaryDirectory[str]:
        """A folder for what is not whole, on the store's own disk; it is gone in the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(prefix=".fetch-", dir=self.folder)

    # -- charts

    def chart(self, url: str, name: str, version: str) -> Path | None:
        """The archive of a chart, from the HTTP repository or the OCI registry (oci://) at `url`, which is what a
        HelmRepository's spec.url says. With no `name` the URL is the chart's own, as an OCIRepository's.

        `version` is exact, or a range as Helm takes it, or "": the newest that is stored. None where there is none, or
        where `version` says neither.
        """
        found = self._chart_in_registry(url, name, version) if url.startswith(OCI) else self._chart(url, name, version)
        return self.blob(found) if found else None

    def _chart(self, url: str, name: str, version: str) -> str | None:
        stored = {str(r["version"]): r for _, r in self.records.below("charts", url_of(url), name)}
        chosen = _newest(list(stored), version)
        record = self.records.read("charts", url_of(url), name, chosen) if chosen else None
        return str(record["digest"]) if record else None

    def _chart_in_registry(self, url: str, name: str, version: str) -> str | None:
        repository = repository_of(f"{url.rstrip('/')}/{name}" if name else url)
        if version.startswith("sha256:"):
            reference: str | None = version
        else:
            chosen = _newest(map(version_of, self.tags(repository)), version)
            reference = tag_of(chosen) if chosen else None
        manifest = self.manifest(repository, reference) if reference else None
        return layer_of(manifest.data, LAYERS) if manifest else None

    def stored_chart(self, url: str, name: str, version: str) -> StoredChart | None:
        """Of the HTTP repository at `url`, that very version."""
        return next((one for one in self.charts(url) if (one.name, one.version) == (name, version)), None)

    def charts(self, url: str) -> list[StoredChart]:
        """Everything stored of the HTTP chart repository at `url`."""
        found = []
        for _, record in self.records.below("charts", url_of(url)):
            if path := self.blob(str(record["digest"])):
                metadata = record["metadata"]
                version, app = str(record["version"]), str(metadata.get("appVersion") or "")
                found.append(StoredChart(str(record["name"]), version, app, str(record["digest"]), path, metadata))
        return found

    def put_chart(self, url: str, archive: Path, digest: str = "", *, version: str = "") -> StoredChart:
        """Keeps a chart's archive as one of the HTTP repository at `url`. `version`: what the repository calls it, where
        that is not what Chart.yaml says. Raises Broken where it is no chart, or has another digest.
        """
        metadata = json.loads(json.dumps(metadata_of(archive), default=str))
        name, version = str(metadata["name"]), version or str(metadata["version"])
        kept = self.blobs.take(archive, digest)
        address = url_of(url)
        self.records.write(
            "charts", address, name, version, url=address, name=name, version=version, digest=kept, metadata=metadata
        )
        path = self.blobs.get(kept) or archive
        return StoredChart(name, version, str(metadata.get("appVersion") or ""), kept, path, metadata)

    # -- what registries serve: images, charts, artifacts

    def manifest(self, repository: str, reference: str) -> StoredManifest | None:
        """What the registry of that name would answer for the tag or digest."""
        record = self.records.read("manifests", repository_of(repository), reference)
        path = self.blob(str(record["digest"])) if record else None
        if record is None or path is None:
            return None
        return StoredManifest(str(record["media_type"]), str(record["digest"]), path.read_bytes())

    def put_manifest(
        self, repository: str, reference: str, media_type: str, data: bytes, digest: str = ""
    ) -> StoredManifest:
        """Keeps a manifest under its tag or digest, and under its digest in any case. Raises Broken where it has another
        digest than `reference` or `digest` says.
        """
        digest = self.blobs.put(data, reference if reference.startswith("sha256:") else digest)
        name = repository_of(repository)
        for key in {reference, digest}:
            self.records.write(
                "manifests", name, key, repository=name, reference=key, media_type=media_type, digest=digest
            )
        return StoredManifest(media_type, digest, data)

    def put_chart_in_registry(self, repository: str, archive: Path) -> StoredManifest:
        """Keeps a chart's archive as a registry would have it, were it pushed there. Raises Broken where it is no chart."""
        metadata = metadata_of(archive)
        said = json.dumps(metadata, default=str, sort_keys=True).encode()
        layer = self.blobs.take(archive)
        config = {"mediaType": CONFIG, "digest": self.blobs.put(said), "size": len(said)}
        layers = [{"mediaType": LAYERS[0], "digest": layer, "size": archive.stat().st_size}]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        data = json.dumps(manifest, sort_keys=True).encode()
        return self.put_manifest(repository, tag_of(str(metadata["version"])), MANIFEST, data)

    def tags(self, repository: str) -> list[str]:
        found = [str(record["reference"]) for _, record in self.records.below("manifests", repository_of(repository))]
        return sorted(reference for reference in found if not reference.startswith("sha256:"))

    def blob(self, digest: str) -> Path | None:
        return self.blobs.get(digest)

    def has_image(self, reference: str, platform: str = PLATFORM) -> bool:
        """Whether all of the image is there, for that platform."""
        name = name_of(reference)
        manifest = self.manifest_for(name, platform)
        return manifest is not None and all(self.blob(digest) for digest in content_of(manifest))

    def manifest_for(self, name: Name, platform: str = PLATFORM) -> StoredManifest | None:
        """The manifest itself, where the name is an index's the one of that platform. None where it is not there."""
        found = self.manifest(name.repository, name.reference)
        if found is None or not is_index(found):
            return found
        digest = of_platform(found, platform)
        return self.manifest(name.repository, digest) if digest else None

    # -- repositories, and files of the web

    def file(self, url: str) -> Path | None:
        """A file of the web, such as a remote resource of a kustomization."""
        record = self.records.read("files", url)
        return self.blob(str(record["digest"])) if record else None

    def put_file(self, url: str, source: Path) -> str:
        """Keeps a file of the web, and returns its digest."""
        digest = self.blobs.take(source)
        self.records.write("files", url, url=url, digest=digest)
        return digest

    def git(self, url: str) -> Path | None:
        """A bare repository, with the references that were fetched."""
        record = self.records.read("git", url_of(url))
        folder = self.git_folder(url)
        return folder if record and (folder / "HEAD").is_file() else None

    def git_folder(self, url: str) -> Path:
        """Where the bare repository of that URL is, or will be."""
        return self.folder / "repositories" / f"{sha256(url_of(url).encode()).hexdigest()[:32]}.git"

    def git_references(self, url: str) -> dict[str, str]:
        """What was fetched of that repository: reference, or commit, and the object that it stands for."""
        record = self.records.read("git", url_of(url))
        return dict(record["references"]) if record else {}

    def put_git(self, url: str, references: Mapping[str, str]) -> bool:
        """What git_folder(url) holds is whole: these references, with their objects. Returns whether any is new."""
        before = self.git_references(url)
        self.records.write("git", url_of(url), url=url, references={**before, **references})
        return any(before.get(name) != found for name, found in references.items())


def _newest(versions: Iterable[str], constraint: str) -> str | None:
    try:
        return newest(versions, constraint)
    except ValueError:
        return None


def _parsed(manifest: bytes) -> dict[str, Any]:
    try:
        data = json.loads(manifest)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def layer_of(manifest: bytes, media_types: Sequence[str]) -> str | None:
    """The digest of the first layer of one of these types."""
    layers = _parsed(manifest).get("layers") or ()
    return next((str(layer.get("digest")) for layer in layers if layer.get("mediaType") in media_types), None)


def is_index(manifest: StoredManifest) -> bool:
    return "manifests" in _parsed(manifest.data)


def children_of(manifest: StoredManifest) -> list[str]:
    """The digests of the manifests in an index; none of another manifest."""
    listed = _parsed(manifest.data).get("manifests") or ()
    return [str(entry["digest"]) for entry in listed if isinstance(entry, Mapping) and entry.get("digest")]


def kind_of(manifest: StoredManifest) -> str:
    """image, chart or artifact; "" of an index, which is what its manifests are."""
    data = _parsed(manifest.data)
    if "manifests" in data:
        return ""
    said = str((data.get("config") or {}).get("mediaType") or "")
    return "image" if said in _IMAGES else "chart" if said == CONFIG else "artifact"


def of_platform(index: StoredManifest, platform: str = PLATFORM) -> str | None:
    """The digest of the manifest in an index that is for that platform (os/architecture)."""
    for entry in _parsed(index.data).get("manifests") or ():
        said = entry.get("platform") or {}
        if f"{said.get('os')}/{said.get('architecture')}" == platform:
            return str(entry.get("digest"))
    return None


def content_of(manifest: StoredManifest) -> list[str]:
    """The digests of the blobs that a manifest is made of."""
    return list(sizes_of(manifest))


def sizes_of(manifest: StoredManifest) -> dict[str, int]:
    """The digests of the blobs that a manifest is made of, and how many bytes each has."""
    data = _parsed(manifest.data)
    parts = [data.get("config"), *(data.get("layers") or ())]
    return {str(part["digest"]): int(part.get("size") or 0) for part in parts if part and part.get("digest")}
