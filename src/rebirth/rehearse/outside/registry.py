"""Registries: the read side of the OCI distribution API, for what is stored, charts on paper, and the tree as an artifact."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from rebirth.paper.charts import PaperChart
from rebirth.rehearse.outside.answers import host_of
from rebirth.rehearse.outside.missing import Missing, Refusals
from rebirth.rehearse.outside.names import Askers, address
from rebirth.store.names import OCI, repository_of
from rebirth.store.store import Store, StoredManifest

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CHART = ("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
_BASE = "/v2/"
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|tags)/(?P<reference>[^/]+)")


@dataclass(frozen=True)
class Artifact:
    """One artifact that is made here: a configuration and one layer."""

    tags: frozenset[str]
    manifest: StoredManifest
    blobs: Mapping[str, bytes]  # by digest

    @classmethod
    def of(
        cls, tags: Iterable[str], *, config: bytes, layer: bytes, types: tuple[str, str],
        annotations: Mapping[str, str] | None = None,
    ) -> "Artifact":  # fmt: skip
        """`types`: the media types of configuration and layer."""
        blobs = {_digest(data): data for data in (config, layer)}
        parts = [
            {"mediaType": kind, "digest": _digest(data), "size": len(data)}
            for kind, data in zip(types, (config, layer), strict=True)
        ]
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": parts[0], "layers": parts[1:]}
        said = json.dumps({**manifest, "annotations": dict(annotations or {})}).encode()
        return cls(frozenset(tags), StoredManifest(_MANIFEST, _digest(said), said), blobs)


def chart_artifact(chart: PaperChart) -> Artifact:
    """A chart as `helm push` writes it."""
    return Artifact.of(chart.tags, config=json.dumps(chart.metadata).encode(), layer=chart.archive, types=_CHART)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Registries:
    """All of them, under their own names."""

    store: Store
    refusals: Refusals
    askers: Askers
    _made: dict[str, list[Artifact]] = field(default_factory=dict)  # by repository

    def add(self, url: str, *artifacts: Artifact) -> None:
        """Serves them at oci://..., in place of what was there with these tags."""
        repository = repository_of(url)
        tags = {tag for artifact in artifacts for tag in artifact.tags}
        kept = [one for one in self._made.get(repository, []) if not one.tags & tags]
        self._made[repository] = [*kept, *artifacts]

    def has(self, url: str, reference: str) -> bool:
        """Whether that tag or digest of oci://... can be had."""
        return self._manifest(repository_of(url), reference) is not None

    async def answer(self, request: Request) -> Response | None:
        path = request.url.path
        if path == _BASE:
            return JSONResponse({})
        if not (found := _PATH.fullmatch(path)):
            return None
        repository, reference = repository_of(f"{host_of(request)}/{found['name']}"), found["reference"]
        if found["kind"] == "tags":
            return self._tags(repository)
        return (
            self._manifests(repository, reference)
            if found["kind"] == "manifests"
            else self._blob(repository, reference)
        )

    def _tags(self, repository: str) -> Response:
        tags = {*self.store.tags(repository), *(tag for one in self._made.get(repository, ()) for tag in one.tags)}
        if not tags:
            return self._refused(repository, "")
        return JSONResponse({"name": repository.partition("/")[2], "tags": sorted(tags)})

    def _manifest(self, repository: str, reference: str) -> StoredManifest | None:
        for artifact in self._made.get(repository, ()):
            if reference in {artifact.manifest.digest, *artifact.tags}:
                return artifact.manifest
        return self.store.manifest(repository, reference)

    def _manifests(self, repository: str, reference: str) -> Response:
        found = self._manifest(repository, reference)
        if found is None:
            return self._refused(repository, reference)
        return Response(found.data, media_type=found.media_type, headers={"Docker-Content-Digest": found.digest})

    def _blob(self, repository: str, digest: str) -> Response:
        for artifact in self._made.get(repository, ()):
            if digest in artifact.blobs:
                return Response(artifact.blobs[digest], media_type="application/octet-stream")
        path = self.store.blob(digest)
        if path is None:
            return self._refused(repository, digest)
        return FileResponse(path, media_type="application/octet-stream")

    def _refused(self, repository: str, reference: str) -> Response:
        name = repository
        if reference:
            name += f"{'@' if reference.startswith('sha256:') else ':'}{reference}"
        missing = self.refusals.add("artifact", name, self.askers.of(address(f"{OCI}{repository}")))
        return registry_error(missing)


def registry_error(missing: Missing) -> Response:
    return JSONResponse({"errors": [{"code": "MANIFEST_UNKNOWN", "message": missing.answer}]}, 404)
