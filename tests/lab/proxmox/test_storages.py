"""Storages of the stood-in Proxmox, driven by proxmoxer."""

import hashlib
import io

import pytest
from proxmoxer import ResourceException
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from rebirth.lab.ca import Authority
from rebirth.lab.proxmox import Rights

IMAGE = b"an image" * 1000
SHA512 = hashlib.sha512(IMAGE).hexdigest()


def named(name: str, content: bytes = IMAGE) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


@pytest.fixture
async def mirror(serve):
    async def image(request):
        return Response(IMAGE, 200 if request.path_params["name"] == "talos.iso" else 404)

    return await serve(Starlette(routes=[Route("/{name}", image)]))


async def test_upload_list_delete(proxmox):
    local = proxmox.node.storage("local")
    options = {"content": "iso", "checksum": SHA512, "checksum-algorithm": "sha512"}
    assert await proxmox.done(local.upload.post, filename=named("talos.iso"), **options) == "OK"
    (found,) = await proxmox.call(local.content.get, content="iso")
    assert (found["volid"], found["content"], found["size"], found["format"]) == (
        "local:iso/talos.iso",
        "iso",
        len(IMAGE),
        "iso",
    )
    assert await proxmox.call(local.content.get, content="vztmpl") == []
    assert (await proxmox.call(local.content("local:iso/talos.iso").get))["size"] == len(IMAGE)
    assert (await proxmox.call(local.status.get))["used"] == len(IMAGE)
    assert await proxmox.done(local.content("local:iso/talos.iso").delete) == "OK"
    assert await proxmox.call(local.content.get) == []
    assert (
        await proxmox.done(local.content("local:iso/talos.iso").delete) == "volume 'local:iso/talos.iso' does not exist"
    )


async def test_upload_with_another_checksum_leaves_nothing(proxmox):
    options = {"content": "iso", "checksum": "00", "checksum-algorithm": "sha256"}
    said = await proxmox.done(proxmox.node.storage("local").upload.post, filename=named("a.iso"), **options)
    assert said.startswith("checksum mismatch: got ")
    assert await proxmox.call(proxmox.node.storage("local").content.get) == []


@pytest.mark.usefixtures("outside_the_schema")
@pytest.mark.parametrize(
    ("storage", "name", "options", "status"),
    [
        ("local", "talos.exe", {"content": "iso"}, 400),
        ("local", "talos.iso", {"content": "images"}, 400),
        ("local", "talos.iso", {}, 400),
        ("local", "talos.iso", {"content": "iso", "checksum": "00"}, 400),
        ("local", "talos.iso", {"content": "iso", "colour": "red"}, 400),
        ("local-lvm", "talos.iso", {"content": "iso"}, 500),
        ("nowhere", "talos.iso", {"content": "iso"}, 500),
    ],
)
async def test_uploads_that_are_refused(proxmox, storage, name, options, status):
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.storage(storage).upload.post, filename=named(name), **options)
    assert refused.value.status_code == status


async def test_a_storage_that_is_full(proxmox, serve, host):
    """The upload is taken, and its task cannot write it; a download stops where the room ends."""
    big = bytes(1 << 25)
    said = await proxmox.done(proxmox.node.storage("local").upload.post, filename=named("big.iso", big), content="iso")
    path = "/var/lib/vz/template/iso/big.iso"
    assert said == f"import failed: cp: error writing '{path}': No space left on device"

    async def image(_):
        return Response(big)

    mirror = await serve(Starlette(routes=[Route("/big.iso", image)]))
    options = {"content": "iso", "filename": "big.iso", "url": f"{mirror.url}/big.iso"}
    said = await proxmox.done(proxmox.node.storage("local")("download-url").post, **options)
    assert said.endswith("(No space left on device).")
    assert host.storages["local"].volumes == {}


async def test_content_that_a_storage_is_not_for(proxmox, host):
    host.storages["local"].content = frozenset({"vztmpl"})
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.storage("local").upload.post, filename=named("talos.iso"), content="iso")
    assert refused.value.status_code == 500


async def test_download_by_the_host(proxmox, mirror):
    local, options = (
        proxmox.node.storage("local"),
        {"content": "iso", "filename": "talos.iso", "url": f"{mirror.url}/talos.iso"},
    )
    checksum = {"checksum": SHA512, "checksum-algorithm": "sha512"}
    assert await proxmox.done(local("download-url").post, **options, **checksum) == "OK"
    (found,) = await proxmox.call(local.content.get)
    assert (found["volid"], found["size"]) == ("local:iso/talos.iso", len(IMAGE))
    assert await proxmox.done(local("download-url").post, **options, **checksum) == "OK", "it is there already"
    other = {"checksum": "00", "checksum-algorithm": "sha512"}
    assert (await proxmox.done(local("download-url").post, **options, **other)).endswith("aborting")
    path = "/var/lib/vz/template/iso/talos.iso"
    assert await proxmox.done(local("download-url").post, **options) == f"refusing to override existing file '{path}'"
    assert len(await proxmox.call(local.content.get)) == 1


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"Sys.AccessNetwork"}, True),
        ({"Sys.Audit", "Sys.Modify"}, True),
        ({"Sys.Modify"}, False),
        ({"Sys.Audit"}, False),
    ],
)
async def test_who_may_let_the_host_download(proxmox, mirror, host, given, allowed):
    host.rights = Rights({"/": frozenset({"Datastore.AllocateTemplate"} | given)})
    options = {"content": "iso", "filename": "a.iso", "url": f"{mirror.url}/a.iso"}
    fetch = proxmox.node.storage("local")("download-url").post
    if allowed:
        await proxmox.call(fetch, **options)
        return
    with pytest.raises(ResourceException, match=r"Permission check failed$"):
        await proxmox.call(fetch, **options)


async def test_download_that_is_not_there(proxmox, mirror):
    options = {"content": "iso", "filename": "other.iso", "url": f"{mirror.url}/other.iso"}
    said = await proxmox.done(proxmox.node.storage("local")("download-url").post, **options)
    assert said == "download failed: ERROR 404: Not Found."
    assert await proxmox.call(proxmox.node.storage("local").content.get) == []


async def test_download_from_a_server_that_is_not_trusted(proxmox, mirror, host, tmp_path):
    (tmp_path / "other.crt").write_text(Authority("another").pem)
    host.ca = str(tmp_path / "other.crt")
    options = {"content": "iso", "filename": "talos.iso", "url": f"{mirror.url}/talos.iso"}
    fetch = proxmox.node.storage("local")("download-url")
    assert "CERTIFICATE_VERIFY_FAILED" in await proxmox.done(fetch.post, **options)
    assert await proxmox.done(fetch.post, **options, **{"verify-certificates": 0}) == "OK"


@pytest.mark.usefixtures("outside_the_schema")
@pytest.mark.parametrize(
    "change", [{"url": "ftp://x/talos.iso"}, {"filename": "talos.raw.xz"}, {"content": "images"}, {"speed": "fast"}]
)
async def test_downloads_that_are_refused(proxmox, mirror, change):
    options = {"content": "iso", "filename": "talos.iso", "url": f"{mirror.url}/talos.iso"} | change
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.storage("local")("download-url").post, **options)
    assert (refused.value.status_code, list(refused.value.errors)) == (400, list(change))


async def test_storages_are_listed(proxmox):
    rows = {row["storage"]: row for row in await proxmox.call(proxmox.node.storage.get)}
    assert {name: row["type"] for name, row in rows.items()} == {"local": "dir", "local-lvm": "lvmthin", "thick": "lvm"}
    assert rows["local"]["content"] == "import,iso,vztmpl"
    assert rows["local"]["avail"] == rows["local"]["total"] - rows["local"]["used"]
    assert [row["storage"] for row in await proxmox.call(proxmox.node.storage.get, content="images")] == [
        "local-lvm",
        "thick",
    ]
    assert len(await proxmox.call(proxmox.api.storage.get)) == 3
