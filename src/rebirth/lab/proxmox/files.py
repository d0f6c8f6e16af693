"""Files that come into a storage: uploads, and downloads by the host (PVE/API2/Storage/Status.pm of pve-storage)."""

import hashlib
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.datastructures import UploadFile

from rebirth.lab.proxmox.errors import PveError, refused
from rebirth.lab.proxmox.host import Log, Pve, Storage, Volume
from rebirth.lab.proxmox.kinds import FLAG, Kind, Kinds, one_of
from rebirth.lab.proxmox.method import Call
from rebirth.lab.proxmox.rights import All, Either, perm

_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_EXTENSIONS = {
    "iso": r"\.(iso|img)",
    "vztmpl": r"\.(tar|tar\.(gz|xz|zst|bz2))",
    "import": r"\.(ova|qcow2|raw|vmdk)",
}
_FOLDERS = {"iso": "template/iso", "vztmpl": "template/cache", "import": "import"}
_URL = Kind(pattern="https?://.*", required=True)
_FILE: Kinds = {
    "content": one_of("iso vztmpl import", required=True),
    "filename": Kind(longest=255, required=True),
    "checksum": Kind(needs="checksum-algorithm"),
    "checksum-algorithm": Kind(choices=_ALGORITHMS, needs="checksum"),
}
UPLOAD: Kinds = {**_FILE, "tmpfilename": Kind(pattern="/var/tmp/pveupload-[0-9a-f]+")}  # noqa: S108 - Proxmox' own name
DOWNLOAD: Kinds = {**_FILE, "url": _URL, "compression": Kind(), "verify-certificates": FLAG}
LOOKED_AT: Kinds = {"url": _URL, "verify-certificates": FLAG}
MAY_UPLOAD = perm("/storage/{storage}", "Datastore.AllocateTemplate")
MAY_REACH_OUT = Either((perm("/", "Sys.Audit", "Sys.Modify"), perm("/nodes/{node}", "Sys.AccessNetwork")))
MAY_DOWNLOAD = All((MAY_UPLOAD, MAY_REACH_OUT))
_CHUNK = 1 << 20  # bytes


class _FullError(Exception):
    """No space left in the storage."""


def _receiving(pve: Pve, call: Call, *, download: bool) -> tuple[str, str, Storage]:
    """Volume id and path that a file will have. Raises where the storage does not take it."""
    name, kind = call.given["storage"], call.given["content"]
    storage = pve.storage(name)
    if storage.kind != "dir":
        said = ", not a file based storage!" if download else ""
        raise PveError(f"can't upload to storage type '{storage.kind}'{said}")
    if download and kind not in storage.content:
        raise PveError(f"storage '{name}' is not configured for content-type '{kind}'")
    filename = re.sub(r"[^-a-zA-Z0-9_.]", "_", call.given["filename"].rpartition("/")[2])
    if not re.fullmatch(rf"[^/]+{_EXTENSIONS[kind]}", filename, re.IGNORECASE):
        raise refused({"filename": "wrong file extension"})
    if kind not in storage.content:
        raise PveError(f"storage '{name}' does not support '{kind}' content")
    return f"{name}:{kind}/{filename}", f"/var/lib/vz/{_FOLDERS[kind]}/{filename}", storage


async def _measured(pve: Pve, storage: Storage, kind: str, chunks: AsyncIterator[bytes]) -> Volume:
    """What a file would be in this storage, as fast as the host's network is. The bytes are not kept: nothing reads them."""
    sums = [hashlib.new(name, usedforsecurity=False) for name in _ALGORITHMS]
    size, room = 0, storage.total - storage.used
    async for chunk in chunks:
        size += len(chunk)
        if size > room:
            raise _FullError
        for each in sums:
            each.update(chunk)
        await pve.pace.transfer(len(chunk))
    return Volume(kind, size, digests={each.name: each.hexdigest() for each in sums})


def _compare(found: Volume, call: Call, end: str = "") -> None:
    if algorithm := call.given.get("checksum-algorithm"):
        got, wanted = found.digests[algorithm], call.given["checksum"].lower()
        if got != wanted:
            raise PveError(f"checksum mismatch: got '{got}' != expect '{wanted}'{end}")


async def upload(pve: Pve, call: Call) -> str:
    if call.file is None:
        raise PveError("missing temporary file name")
    identity, path, storage = _receiving(pve, call, download=False)
    found: Volume | None = None
    with suppress(_FullError):  # before the answer: the upload's temporary file ends with the request
        found = await _measured(pve, storage, call.given["content"], _chunks(call.file))

    async def work(log: Log) -> None:
        if found is None:
            raise PveError(f"import failed: cp: error writing '{path}': No space left on device")
        _compare(found, call)
        log(f"target node: {pve.node}")
        log(f"target file: {path}")
        log(f"file size is: {found.size}")
        storage.volumes[identity] = found
        log("finished file import successfully")

    return pve.task("imgcopy", "", work)


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


async def download(pve: Pve, call: Call) -> str:
    identity, path, storage = _receiving(pve, call, download=True)
    url = call.given["url"]

    async def work(log: Log) -> None:
        log(f"downloading {url} to {path}")
        if (old := storage.volumes.get(identity)) is not None:
            if "checksum" not in call.given:
                raise PveError(f"refusing to override existing file '{path}'")
            _compare(old, call, ", aborting")
            log("calculating checksum of existing file...OK, got correct file already, no need to download")
            return
        try:
            found = await _fetched(pve, call, storage)
        except _FullError:
            raise PveError(f"download failed: Cannot write to '{path}.tmp_dwnl' (No space left on device).") from None
        _compare(found, call)
        storage.volumes[identity] = found
        log(f"download of '{url}' to '{path}' finished")

    return pve.task("download", identity.rpartition("/")[2], work)


def _client(pve: Pve, call: Call) -> httpx.AsyncClient:
    verified = call.given.get("verify-certificates", "1") == "1" and pve.web is None
    trust = ssl.create_default_context(cafile=pve.ca) if verified else False
    return httpx.AsyncClient(verify=trust, follow_redirects=True, trust_env=False, timeout=60, transport=pve.web)


async def _fetched(pve: Pve, call: Call, storage: Storage) -> Volume:
    try:
        async with _client(pve, call) as client, client.stream("GET", call.given["url"]) as answer:
            if answer.status_code != 200:
                raise PveError(f"download failed: ERROR {answer.status_code}: {answer.reason_phrase}.")
            return await _measured(pve, storage, call.given["content"], answer.aiter_bytes())
    except httpx.HTTPError as error:
        raise PveError(f"download failed: {error or type(error).__name__}") from None


async def look_at(pve: Pve, call: Call) -> dict[str, Any]:
    """What a URL would give."""
    url = call.given["url"]
    try:
        async with _client(pve, call) as client:
            answer = await client.head(url)
    except httpx.HTTPError as error:
        raise PveError(f"invalid server response: '500 Can't connect to {urlsplit(url).netloc} ({error})'") from None
    if answer.status_code != 200:
        raise PveError(f"invalid server response: '{answer.status_code} {answer.reason_phrase}'")
    named = re.search(r'filename="([^"]*)"|filename=([^;]*)', answer.headers.get("content-disposition", ""))
    found = {
        "filename": (named[1] or named[2]) if named else urlsplit(url).path.rpartition("/")[2],
        "size": int(answer.headers.get("content-length", 0)),
        "mimetype": answer.headers.get("content-type", "").partition(";")[0],
    }
    return {name: value for name, value in found.items() if value}
