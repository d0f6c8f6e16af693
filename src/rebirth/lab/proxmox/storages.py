"""Storages and what is in them: uploads, downloads by the host, deletion."""

import hashlib
import re
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.datastructures import UploadFile
from starlette.requests import Request

from rebirth.lab.proxmox.answers import MISSING, UNKNOWN, parameters, refused, required, truth
from rebirth.lab.proxmox.host import Pve, PveError, Storage, Volume

_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_EXTENSIONS = {
    "iso": r"\.(iso|img)",
    "vztmpl": r"\.(tar|tar\.(gz|xz|zst|bz2))",
    "import": r"\.(ova|qcow2|raw|vmdk)",
}
_DOWNLOAD = frozenset(
    {"content", "filename", "url", "checksum", "checksum-algorithm", "compression", "verify-certificates"}
)
_UPLOAD = frozenset({"content", "filename", "checksum", "checksum-algorithm", "tmpfilename"})
_CHUNK = 1 << 20  # bytes


async def storages(pve: Pve, request: Request) -> list[dict[str, Any]]:
    """Of the host; with ?storage= or ?content= only those."""
    asked = request.query_params
    return [
        {"storage": name, **_shown(storage)}
        for name, storage in pve.storages.items()
        if asked.get("storage") in {None, name} and asked.get("content") in {None, *storage.content}
    ]


async def definitions(pve: Pve, _: Request) -> list[dict[str, Any]]:
    """Of the whole cluster: as they are configured."""
    return [
        {"storage": name, "type": storage.kind, "content": ",".join(sorted(storage.content)), "digest": "0" * 40}
        for name, storage in pve.storages.items()
    ]


async def status(pve: Pve, request: Request) -> dict[str, Any]:
    return _shown(pve.storage(request.path_params["storage"]))


def _shown(storage: Storage) -> dict[str, Any]:
    room = {"total": storage.total, "used": storage.used, "avail": storage.total - storage.used}
    return {
        "type": storage.kind,
        "content": ",".join(sorted(storage.content)),
        "active": 1,
        "enabled": 1,
        "shared": 0,
        **room,
    }


async def content(pve: Pve, request: Request) -> list[dict[str, Any]]:
    storage, asked = pve.storage(request.path_params["storage"]), request.query_params
    return [
        {
            "volid": identity,
            "content": volume.content,
            "size": volume.size,
            "format": _format(identity, volume),
            "ctime": int(volume.made),
        }
        | ({"vmid": volume.vmid} if volume.vmid else {})
        for identity, volume in sorted(storage.volumes.items())
        if asked.get("content") in {None, volume.content} and asked.get("vmid") in {None, str(volume.vmid)}
    ]


def _format(identity: str, volume: Volume) -> str:
    extension = identity.rpartition(".")[2]
    return extension if volume.content in {"iso", "import"} or extension in {"qcow2", "vmdk"} else "raw"


async def volume(pve: Pve, request: Request) -> dict[str, Any]:
    identity = _identity(request)
    found = pve.volume(identity)
    return {
        "path": f"/var/lib/vz/{identity.partition(':')[2]}",
        "size": found.size,
        "used": found.size,
        "format": _format(identity, found),
    }


def _identity(request: Request) -> str:
    name, given = request.path_params["storage"], request.path_params["volume"]
    if ":" not in given:
        return f"{name}:{given}"
    if not given.startswith(f"{name}:"):
        raise PveError(f"storage ID mismatch ({given.partition(':')[0]} != {name})")
    return str(given)


async def delete(pve: Pve, request: Request) -> str:
    name, identity = request.path_params["storage"], _identity(request)
    storage = pve.storage(name)
    pve.check(f"/storage/{name}", "Datastore.Allocate")
    owner = storage.volumes[identity].vmid if identity in storage.volumes else None

    async def work() -> None:
        pve.volume(identity)
        del storage.volumes[identity]

    return pve.task("imgdel", f"{owner}@{name}" if owner else name, work())


def _receiving(pve: Pve, request: Request, given: dict[str, str], *, download: bool) -> tuple[str, Storage]:
    """The volume id that a file will have. Raises where the storage does not take it."""
    name = request.path_params["storage"]
    storage = pve.storage(name)
    kind, filename = required(given, "content", "filename")
    if kind not in _EXTENSIONS:
        raise refused(
            {"content": f"value '{kind}' does not have a value in the enumeration '{', '.join(_EXTENSIONS)}'"}
        )
    _verify_checksum_parameters(given)
    pve.check(f"/storage/{name}", "Datastore.AllocateTemplate")
    if storage.kind != "dir":
        raise PveError(
            f"can't upload to storage type '{storage.kind}'" + (", not a file based storage!" if download else "")
        )
    filename = re.sub(r"[^-a-zA-Z0-9_.]", "_", filename.rpartition("/")[2])
    if not re.fullmatch(rf"[^/]+{_EXTENSIONS[kind]}", filename, re.IGNORECASE):
        raise refused({"filename": "wrong file extension"})
    if kind not in storage.content:
        words = "is not configured for content-type '{}'" if download else "does not support '{}' content"
        raise PveError(f"storage '{name}' {words.format(kind)}")
    return f"{name}:{kind}/{filename}", storage


def _verify_checksum_parameters(given: dict[str, str]) -> None:
    for name, other in (("checksum", "checksum-algorithm"), ("checksum-algorithm", "checksum")):
        if name in given and other not in given:
            raise refused({other: f"missing property - '{name}' requires this property"})
    if (algorithm := given.get("checksum-algorithm", "md5")) not in _ALGORITHMS:
        raise refused(
            {
                "checksum-algorithm": f"value '{algorithm}' does not have a value in the enumeration '{', '.join(_ALGORITHMS)}'"
            }
        )


async def _measured(storage: Storage, kind: str, chunks: AsyncIterator[bytes]) -> Volume:
    """What a file would be in this storage. The bytes themselves are not kept: nothing reads them."""
    sums, size, room = (
        [hashlib.new(name, usedforsecurity=False) for name in _ALGORITHMS],
        0,
        storage.total - storage.used,
    )
    async for chunk in chunks:
        size += len(chunk)
        if size > room:
            raise PveError("write failed: No space left on device")
        for each in sums:
            each.update(chunk)
    return Volume(kind, size, digests={each.name: each.hexdigest() for each in sums})


def _compare(found: Volume, given: dict[str, str]) -> None:
    if algorithm := given.get("checksum-algorithm"):
        got, wanted = found.digests[algorithm], given["checksum"].lower()
        if got != wanted:
            raise PveError(f"checksum mismatch: got '{got}' != expect '{wanted}'")


async def upload(pve: Pve, request: Request) -> str:
    async with request.form() as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if unknown := form.keys() - _UPLOAD:
            raise refused(dict.fromkeys(unknown, UNKNOWN))
        file = form.get("filename")
        if not isinstance(file, UploadFile):
            raise refused({"filename": MISSING})
        identity, storage = _receiving(pve, request, {**fields, "filename": file.filename or ""}, download=False)
        # Measured before the answer: the upload's temporary file ends with the request.
        found = await _measured(storage, fields["content"], _chunks(file))

    async def work() -> None:
        _compare(found, fields)
        storage.volumes[identity] = found

    return pve.task("imgcopy", "", work())


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


async def download(pve: Pve, request: Request) -> str:
    given = await parameters(request, _DOWNLOAD)
    required(given, "content", "filename", "url")
    if not re.match("https?://", given["url"]):
        raise refused({"url": "value does not match the regex pattern"})
    if not (pve.allowed("Sys.Audit") and pve.allowed("Sys.Modify")):
        pve.check(f"/nodes/{pve.node}", "Sys.AccessNetwork")
    identity, storage = _receiving(pve, request, given, download=True)
    verified = truth(given.get("verify-certificates", "1"))

    async def work() -> None:
        if given.get("checksum") and (old := storage.volumes.get(identity)):
            _refuse_other(old, given)
            return
        found = await _fetched(pve, given, storage, verified=verified)
        _compare(found, given)
        storage.volumes[identity] = found

    return pve.task("download", identity.rpartition("/")[2], work())


def _refuse_other(old: Volume, given: dict[str, str]) -> None:
    """A file with the right checksum stays; one with another is not overwritten."""
    got, wanted = old.digests[given["checksum-algorithm"]], given["checksum"].lower()
    if got != wanted:
        raise PveError(f"mismatch (got '{got}' != expect '{wanted}'), aborting")


async def _fetched(pve: Pve, given: dict[str, str], storage: Storage, *, verified: bool) -> Volume:
    trust = _trust(pve.ca) if verified else False
    try:
        async with (
            httpx.AsyncClient(verify=trust, follow_redirects=True, trust_env=False, timeout=60) as client,
            client.stream("GET", given["url"]) as answer,
        ):
            if answer.status_code != 200:
                raise PveError(f"download failed: ERROR {answer.status_code}: {answer.reason_phrase}.")
            return await _measured(storage, given["content"], answer.aiter_bytes())
    except httpx.HTTPError as error:
        raise PveError(f"download failed: {error or type(error).__name__}") from None


def _trust(ca: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)
