"""What was fetched, as distribution's registry serves it out of the storage that the lab has filled."""

import asyncio
import json

import httpx
import pytest
import yaml

from rebirth.lab.building.images import ImageStore
from rebirth.lab.building.toolchain import Toolchain
from rebirth.store.files import digest_of_bytes
from rebirth.store.names import name_of
from rebirth.store.store import Store

MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
OTHER = "sha256:" + "0" * 64


async def answering(client):
    async with asyncio.timeout(10):
        while True:
            try:
                return await client.get("/v2/")
            except httpx.TransportError:
                await asyncio.sleep(0.05)


@pytest.fixture
def stored(tmp_path):
    """An image for two platforms, of which one was fetched."""
    store = Store(tmp_path / "fetched")
    config, layer = store.blobs.put(b'{"os": "linux"}'), store.blobs.put(b"layer")
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 15},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 5}],
    }
    data = json.dumps(body).encode()
    store.put_manifest("quay.io/a/b", digest_of_bytes(data), MANIFEST, data)
    listed = [
        {"mediaType": MANIFEST, "digest": digest, "size": size, "platform": {"os": "linux", "architecture": cpu}}
        for digest, size, cpu in ((OTHER, 1, "arm64"), (digest_of_bytes(data), len(data), "amd64"))
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode()
    store.put_manifest("quay.io/a/b", "v1", INDEX, index)
    return store, index, data, layer


async def test_a_fetched_image_is_pulled_by_tag_and_by_digest(tmp_path, unused_tcp_port, stored):
    programs = await Toolchain().programs()
    if "registry" not in programs:
        pytest.skip("not built here: registry")
    store, index, manifest, layer = stored
    storage = tmp_path / "registry"
    registry = ImageStore(tmp_path / "cache", storage, programs, "PEM")
    registry.add_stored(store, name_of("quay.io/a/b:v1"))
    registry.add_stored(store, name_of(f"quay.io/a/b@{digest_of_bytes(index)}"))
    config = tmp_path / "config.yml"
    settings = {"filesystem": {"rootdirectory": str(storage)}, "maintenance": {"uploadpurging": {"enabled": False}}}
    address = f"127.0.0.1:{unused_tcp_port}"
    config.write_text(yaml.safe_dump({"version": "0.1", "storage": settings, "http": {"addr": address}}))
    process = await asyncio.create_subprocess_exec(
        programs["registry"], "serve", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env={"OTEL_TRACES_EXPORTER": "none"},
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(
            base_url=f"http://{address}/v2/a/b", headers={"accept": f"{INDEX},{MANIFEST}"}
        ) as client:
            await answering(client)
            for reference in ("v1", digest_of_bytes(index)):
                answer = await client.get(f"/manifests/{reference}")
                assert (answer.status_code, answer.content) == (200, index), answer.text
                assert answer.headers["content-type"] == INDEX
            assert (await client.get(f"/manifests/{digest_of_bytes(manifest)}")).content == manifest
            assert (await client.get(f"/blobs/{layer}")).content == b"layer"
            assert (await client.get(f"/manifests/{OTHER}")).status_code == 404
    finally:
        process.terminate()
        await process.wait()
