"""Stand-in for Talos' image factory: boot images to download, and installers to pull. The lab's machines boot the same Talos,
whatever the image holds.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_SCHEMATIC = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"v\d+\.\d+\.\d+(-[0-9a-z.]+)?")
_FILE = re.compile(r"(metal|nocloud)-(amd64|arm64)(-secureboot)?\.(iso|raw\.xz|raw\.zst|qcow2)")


def _image(schematic: str, version: str, name: str) -> bytes:
    """Starts like an ISO 9660 file system, and says what it is."""
    text = f"stand-in for Talos {version} {schematic} {name}\n".encode()
    return bytes(0x8001) + b"CD001" + text.ljust(0x8000, b"\0")


_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_EMPTY = b"{}"


def _manifest(schematic: str, tag: str) -> bytes:
    """Of an installer without a layer: who pulls it writes no disk with it."""
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": _digest(_EMPTY), "size": len(_EMPTY)}
    notes = {"org.opencontainers.image.title": f"stand-in for Talos' installer {schematic} {tag}"}
    fields = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [], "annotations": notes}
    return json.dumps(fields).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class _Canonical(yaml.SafeDumper):
    """As the factory's own library writes YAML: four columns a level, lists inside of their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _identity(text: bytes) -> str:
    """Of a schematic. Raises ValueError for what is none."""
    try:
        said = yaml.safe_load(text)["customization"] or {}
    except (yaml.YAMLError, TypeError, KeyError):
        raise ValueError from None
    if said.keys() - {"extraKernelArgs", "systemExtensions"}:
        raise ValueError
    kept = {"customization": {key: said[key] for key in ("extraKernelArgs", "systemExtensions") if key in said}}
    written = yaml.dump(kept, Dumper=_Canonical, indent=4, sort_keys=False, width=1 << 20)
    return hashlib.sha256(written.encode()).hexdigest()


@dataclass
class _Schematics:
    """Ids of those that the factory has. None: every one."""

    known: set[str] | None

    def has(self, identity: str) -> bool:
        return bool(_SCHEMATIC.fullmatch(identity)) and (self.known is None or identity in self.known)

    def add(self, identity: str) -> None:
        if self.known is not None:
            self.known.add(identity)


def factory_app(known: Iterable[str] | None = None) -> Starlette:
    """`known`: ids of schematics that it has; more come by being registered. None: it has all."""
    schematics = _Schematics(None if known is None else set(known))

    async def register(request: Request) -> Response:
        try:
            identity = _identity(await request.body())
        except ValueError:
            return Response("invalid schematic", 400)
        schematics.add(identity)
        return JSONResponse({"id": identity}, 201)

    async def installer(request: Request) -> Response:
        schematic, tag = request.path_params["schematic"], request.path_params["tag"]
        if not schematics.has(schematic) or not _VERSION.fullmatch(tag):
            return JSONResponse({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, 404)
        data = _manifest(schematic, tag)
        return Response(data, media_type=_MANIFEST, headers={"docker-content-digest": _digest(data)})

    async def image(request: Request) -> Response:
        schematic, version, name = (request.path_params[part] for part in ("schematic", "version", "name"))
        if not schematics.has(schematic) or not _VERSION.fullmatch(version):
            return Response("schematic or version not found", 404)
        if not _FILE.fullmatch(name):
            return Response("profile not found", 400)
        return Response(_image(schematic, version, name), media_type="application/octet-stream")

    async def versions(_: Request) -> Response:
        return JSONResponse(["v1.11.5", "v1.12.0"])

    return Starlette(
        routes=[
            Route("/image/{schematic}/{version}/{name}", image, methods=["GET", "HEAD"]),
            Route("/schematics", register, methods=["POST"]),
            Route("/versions", versions),
            Route("/v2/{kind}/{schematic}/manifests/{tag}", installer, methods=["GET", "HEAD"]),
        ]
    )
