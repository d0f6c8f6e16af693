"""Buckets that hold the repository itself: the part of Amazon's S3 API with which Flux reads one."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree as ET

from starlette.requests import Request
from starlette.responses import Response

from rebirth.rehearse.outside.answers import host_of

_SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MADE = "Thu, 01 Jan 2026 00:00:00 GMT"  # what it holds is told apart by its ETag
_MADE_ISO = "2026-01-01T00:00:00.000Z"


class Held(Protocol):
    """A folder that may be filled anew."""

    @property
    def copy(self) -> Path: ...


class Buckets:
    """`names`: endpoint (host, with its port) -> names of buckets there; all hold the same files."""

    def __init__(self, names: Mapping[str, frozenset[str]], tree: Held) -> None:
        self._names, self._tree = names, tree

    async def answer(self, request: Request) -> Response | None:
        key = self._key(request)
        if key is None:
            return None
        if not key:
            return (
                self._listed(request)
                if "location" not in request.query_params
                else _xml(ET.Element("LocationConstraint"))
            )
        file = self._tree.copy / key
        if not file.is_file() or not file.resolve().is_relative_to(self._tree.copy.resolve()):
            error = ET.Element("Error")
            ET.SubElement(error, "Code").text = "NoSuchKey"
            return _xml(error, 404)
        data = file.read_bytes()
        return Response(data, headers={"ETag": f'"{_tag(data)}"', "Last-Modified": _MADE})

    def _key(self, request: Request) -> str | None:
        """What of a bucket is asked for, "" for the bucket itself; its name stands in the path or before the host."""
        host, path = host_of(request), request.url.path.lstrip("/")
        for endpoint, names in self._names.items():
            for name in names:
                if host == endpoint and (path == name or path.startswith(f"{name}/")):
                    return path[len(name) + 1 :]
                if host == f"{name}.{endpoint}":
                    return path
        return None

    def _listed(self, request: Request) -> Response:
        """All at once: no client asks for a second page of what is not truncated."""
        prefix = request.query_params.get("prefix", "")
        listed = ET.Element("ListBucketResult", xmlns=_SPACE)
        ET.SubElement(listed, "IsTruncated").text = "false"
        for file in sorted(self._tree.copy.rglob("*")):
            name = str(file.relative_to(self._tree.copy))
            if file.is_file() and not file.is_symlink() and name.startswith(prefix):
                data, entry = file.read_bytes(), ET.SubElement(listed, "Contents")
                said = {"Key": name, "LastModified": _MADE_ISO, "ETag": f'"{_tag(data)}"', "Size": str(len(data))}
                for field, text in said.items():
                    ET.SubElement(entry, field).text = text
        return _xml(listed)


def _xml(element: ET.Element, status: int = 200) -> Response:
    return Response(ET.tostring(element), status, media_type="application/xml")


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
