"""Stand-in for Talos' image factory: boot images to download. The lab's machines boot the stand-in, whatever the image holds."""

import re

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


def factory_app() -> Starlette:
    async def image(request: Request) -> Response:
        schematic, version, name = (request.path_params[part] for part in ("schematic", "version", "name"))
        if not _SCHEMATIC.fullmatch(schematic) or not _VERSION.fullmatch(version):
            return Response("schematic or version not found", 404)
        if not _FILE.fullmatch(name):
            return Response("profile not found", 400)
        return Response(_image(schematic, version, name), media_type="application/octet-stream")

    async def versions(_: Request) -> Response:
        return JSONResponse(["v1.11.5", "v1.12.0"])

    return Starlette(
        routes=[
            Route("/image/{schematic}/{version}/{name}", image, methods=["GET", "HEAD"]),
            Route("/versions", versions),
        ]
    )
