"""Hosts that things are fetched from, for unit tests: a registry by the distribution specification, and a host of files.

`test_real_registry.py` asks the same client to pull from distribution's own program.
"""

import asyncio
import base64
import hashlib
import json
import re
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from rebirth.lab.systems.faults import ABORT

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Host:
    """What every host can be told to do wrong, and what it was asked."""

    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, path, headers
    answers: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)  # served once: path, status, headers
    breaks: dict[str, int] = field(default_factory=dict)  # path -> bytes after which the connection ends, once
    stalls: bool = False  # it does not end, and nothing more comes
    basic: tuple[str, str] | None = None

    def paths(self, method="GET"):
        return [path for asked, path, _ in self.asked if asked == method]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append((request.method, request.url.path, dict(request.headers)))
        response = self._fault(request) or await self.answer(request)
        await response(scope, receive, send)

    def _fault(self, request):
        for fault in self.answers:
            path, status, headers = fault
            if re.search(path, request.url.path):
                self.answers.remove(fault)
                return Response(b"fault", status, headers)
        return None

    async def answer(self, request: Request) -> Response:
        raise NotImplementedError

    def knows(self, request):
        given = request.headers.get("authorization", "")
        wanted = base64.b64encode(":".join(self.basic or ()).encode()).decode()
        return given == f"Basic {wanted}"

    def content(self, request, data, media_type="application/octet-stream", headers=None):
        """Bytes, or the part of them that is asked for; broken off where a test says so."""
        start, status, headers = 0, 200, dict(headers or {})
        if found := re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", "")):
            start = int(found[1])
            if start >= len(data):
                return Response(b"", 416)
            status, headers["content-range"] = 206, f"bytes {start}-{len(data) - 1}/{len(data)}"
        headers["content-length"] = str(len(data) - start)
        if (most := self.breaks.pop(request.url.path, None)) is None:
            return Response(data[start:], status, headers, media_type)

        async def broken_off():
            yield data[start : start + most]
            await asyncio.sleep(300 if self.stalls else 0.05)  # what was sent arrives before the end does
            request.scope["extensions"][ABORT]()

        return StreamingResponse(broken_off(), status, headers, media_type)


@dataclass
class Files(Host):
    """A host of files: a chart repository, remote resources."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def answer(self, request):
        if self.basic and not self.knows(request):
            return Response(b"", 401, {"www-authenticate": "Basic"})
        data = self.files.get(request.url.path)
        return Response(b"", 404) if data is None else self.content(request, data)

    def index(self, *charts, path="", digest=True, url="{file}"):
        """An index.yaml of these archives."""
        entries = {}
        for archive in charts:
            data, name = archive.read_bytes(), archive.name.removesuffix(".tgz")
            name, version = re.fullmatch(r"(.+?)-(\d.*)", name).groups()
            entry = {"name": name, "version": version, "urls": [url.format(file=archive.name)]}
            if digest:
                entry["digest"] = hashlib.sha256(data).hexdigest()
            entries.setdefault(name, []).append(entry)
            self.files[f"{path}/{archive.name}"] = data
        self.files[f"{path}/index.yaml"] = json.dumps({"apiVersion": "v1", "entries": entries}).encode()


@dataclass
class RegistryHost(Host):
    """A registry. With `bearer` it wants a token, which its own /token gives to who has that name and password."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    bearer: tuple[str, str] | None = None
    public: bool = False  # tokens are for everybody
    page: int = 100  # tags on a page

    def push(self, repository, reference, *layers, media_type=MANIFEST, config=b"{}", layer="application/x", said=None):
        """An image or artifact; its digest."""
        parts = [{"mediaType": layer, "digest": self._blob(data), "size": len(data)} for data in layers]
        head = {
            "mediaType": said or "application/vnd.oci.image.config.v1+json",
            "digest": self._blob(config),
            "size": len(config),
        }
        data = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": head, "layers": parts}).encode()
        return self._manifest(repository, reference, media_type, data)

    def push_index(self, repository, reference, platforms, media_type=INDEX):
        listed = []
        for platform, digest in platforms.items():
            system, _, architecture = platform.partition("/")
            entry = {"digest": digest, "size": 1, "mediaType": MANIFEST}
            listed.append(entry | {"platform": {"os": system, "architecture": architecture}})
        data = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": listed}).encode()
        return self._manifest(repository, reference, media_type, data)

    def _blob(self, data):
        self.blobs[digest_of(data)] = data
        return digest_of(data)

    def _manifest(self, repository, reference, media_type, data):
        for name in {reference, digest_of(data)} - {""}:
            self.manifests[repository, name] = (media_type, data)
        return digest_of(data)

    async def answer(self, request):
        path = request.url.path
        if path == "/token":
            return self._token(request)
        if (self.basic and not self.knows(request)) or (self.bearer and not self._has_token(request)):
            realm = f'Bearer realm="{request.base_url}token",service="tests",scope="repository:{path}:pull"'
            return JSONResponse(
                {"errors": []}, 401, {"www-authenticate": realm if self.bearer else 'Basic realm="tests"'}
            )
        repository, kind, reference = re.fullmatch(r"/v2/(.+)/(manifests|blobs|tags)/(.+)", path).groups()
        if kind == "tags":
            return self._tags(request, repository)
        if kind == "manifests":
            if (repository, reference) not in self.manifests:
                return Response(b"", 404)
            media_type, data = self.manifests[repository, reference]
            return Response(data, 200, {"docker-content-digest": digest_of(data)}, media_type)
        data = self.blobs.get(reference)
        return Response(b"", 404) if data is None else self.content(request, data)

    def _token(self, request):
        known = request.headers.get("authorization")
        self.basic, before = self.bearer, self.basic
        right = self.knows(request)
        self.basic = before
        if (known and not right) or not (known or self.public):
            return JSONResponse({"details": "incorrect username or password"}, 401)
        return JSONResponse({"token": "t0ken", "expires_in": 300})

    def _has_token(self, request):
        return request.headers.get("authorization") == "Bearer t0ken"

    def _tags(self, request, repository):
        tags = sorted({ref for name, ref in self.manifests if name == repository and ":" not in ref})
        last = request.query_params.get("last")
        rest = [tag for tag in tags if last is None or tag > last]
        shown, headers = rest[: self.page], {}
        if len(rest) > self.page:
            headers["link"] = f'</v2/{repository}/tags/list?last={shown[-1]}&n={self.page}>; rel="next"'
        return JSONResponse({"name": repository, "tags": shown}, headers=headers)
