"""Against distribution's own registry, a process on loopback over TLS: what the stand-in of the unit tests says is so."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
import yaml

from fetch.hosts import INDEX, MANIFEST, digest_of
from rebirth.fetch.things import Artifact, Chart, Image
from rebirth.lab.building.toolchain import Toolchain
from rebirth.lab.systems.registry import ISSUER, SERVICE, TokenServer, token_app
from rebirth.store.charts import CONFIG, LAYERS
from rebirth.store.names import name_of
from store.archives import chart

pytestmark = pytest.mark.lab
RIGHT = "$2b$04$g3fcBOWrfnk5AmYyiVAJxOHgUg9XRjrhKfuq8NiZsqyVzMoMd2Yvi"  # what htpasswd makes of the password `right`
LAYER = bytes(range(256)) * 40_000


class Pushed:
    """Pushes as the distribution specification says it."""

    def __init__(self, client):
        self._client = client

    async def blob(self, repository, data):
        begun = await self._client.post(f"/v2/{repository}/blobs/uploads/")
        params = {"digest": digest_of(data)}
        url = httpx.URL(begun.headers["location"]).copy_merge_params(params)
        done = await self._client.put(url, content=data, headers={"content-type": "application/octet-stream"})
        assert done.status_code == 201, done.text
        return {"digest": digest_of(data), "size": len(data)}

    async def manifest(self, repository, reference, media_type, said):
        data = json.dumps({"schemaVersion": 2, "mediaType": media_type, **said}).encode()
        headers = {"content-type": media_type}
        done = await self._client.put(
            f"/v2/{repository}/manifests/{reference or digest_of(data)}", content=data, headers=headers
        )
        assert done.status_code == 201, done.text
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    async def image(
        self,
        repository,
        reference,
        *layers,
        config="application/vnd.oci.image.config.v1+json",
        layer="application/vnd.oci.image.layer.v1.tar",
    ):
        parts = [{"mediaType": layer, **await self.blob(repository, data)} for data in layers]
        head = {"mediaType": config, **await self.blob(repository, b'{"os": "linux", "architecture": "amd64"}')}
        return await self.manifest(repository, reference, MANIFEST, {"config": head, "layers": parts})


class Distribution:
    """One storage, served with this or that way to log in."""

    def __init__(self, program, folder, keys):
        self._program, self._folder, self._keys = program, folder, keys
        self.port = _free_port()
        self.host = f"localhost:{self.port}"

    @asynccontextmanager
    async def serving(self, auth=None):
        """A client of it, without credentials."""
        file, storage = self._folder / "registry.yaml", str(self._folder / "registry")
        tls = {"certificate": str(self._keys.certificate), "key": str(self._keys.key)}
        said = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": storage}},
            "http": {"addr": f"127.0.0.1:{self.port}", "tls": tls},
            **({"auth": auth} if auth else {}),
        }
        file.write_text(yaml.safe_dump(said))
        process = await asyncio.create_subprocess_exec(self._program, "serve", str(file))
        try:
            async with httpx.AsyncClient(base_url=f"https://{self.host}", verify=self._keys.trust) as client:
                async with asyncio.timeout(30):
                    while not await _answers(client):
                        await asyncio.sleep(0.05)
                yield Pushed(client)
        finally:
            process.kill()
            await process.wait()


async def _answers(client):
    try:
        return (await client.get("/v2/")).status_code in {200, 401}
    except httpx.TransportError:
        return False


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
async def distribution(tmp_path, keys):
    program = (await Toolchain().programs()).get("registry")
    if program is None:
        pytest.skip("the registry is not built (make lab)")
    return Distribution(program, tmp_path, keys)


@pytest.fixture(params=["basic", "bearer"])
async def auth(request, serve, tmp_path):
    """Two ways to log in, as distribution has them; everybody's password is `right`."""
    if request.param == "basic":
        (tmp_path / "htpasswd").write_text(f"me:{RIGHT}\n")
        return {"htpasswd": {"realm": "tests", "path": str(tmp_path / "htpasswd")}}
    server = TokenServer(["right"], ["owner/"])
    server.write_keys(tmp_path / "keys.json")
    realm = f"{(await serve(token_app(server))).url}/token"
    said = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "jwks": str(tmp_path / "keys.json")}
    return {"token": said | {"signingalgorithms": ["ES256"]}}


async def test_images_charts_and_artifacts(distribution, auth, fetching, store, docker, tmp_path):
    archive = chart(tmp_path / "packed", "web", "1.2.3")
    async with distribution.serving() as pushed:
        ours = await pushed.image("owner/app", "", LAYER)
        other = await pushed.image("owner/app", "", b"arm64")
        listed = [
            one | {"platform": {"os": "linux", "architecture": architecture}}
            for one, architecture in ((other, "arm64"), (ours, "amd64"))
        ]
        await pushed.manifest("owner/app", "v1", INDEX, {"manifests": listed})
        await pushed.image("owner/charts/web", "1.2.3", archive.read_bytes(), config=CONFIG, layer=LAYERS[0])
        await pushed.image("owner/manifests", "1.4.0", b"tar")
    host = distribution.host
    things = [
        Image(name_of(f"{host}/owner/app:v1")),
        Chart(f"oci://{host}/owner/charts", "web", "1.x"),
        Artifact(f"{host}/owner/manifests", semver="1.x"),
    ]
    async with distribution.serving(auth):
        assert {outcome.state for outcome in await fetching(*things)} == {"failed"}
    docker(host, "me", "right")
    store.blobs.partial(digest_of(LAYER)).write_bytes(LAYER[:1_000_000])
    async with distribution.serving(auth):
        outcomes = await fetching(*things)
    assert [(outcome.state, outcome.error) for outcome in outcomes] == [("fetched", None)] * 3
    assert store.has_image(f"{host}/owner/app:v1")
    assert store.manifest(f"{host}/owner/app", "v1").media_type == INDEX
    assert store.chart(f"oci://{host}/owner/charts", "web", "1.x").read_bytes() == archive.read_bytes()
    assert store.tags(f"{host}/owner/manifests") == ["1.4.0"]


async def test_a_wrong_password(distribution, auth, fetching, docker):
    docker(distribution.host, "me", "wr0ngpass")
    async with distribution.serving(auth):
        outcome = await fetching(Image(name_of(f"{distribution.host}/owner/app:v1")))
    assert str(outcome.error) == f"{distribution.host}: pull owner/app:v1: the credentials of me were rejected"


async def test_a_layer_that_was_changed_on_its_disk(distribution, fetching, store, tmp_path):
    async with distribution.serving() as pushed:
        await pushed.image("owner/app", "v1", LAYER)
        value = digest_of(LAYER).removeprefix("sha256:")
        (data,) = tmp_path.rglob(f"{value}/data")
        data.write_bytes(LAYER[:-1] + b"!")
        outcome = await fetching(Image(name_of(f"{distribution.host}/owner/app:v1")))
    assert "wrong digest" in str(outcome.error)
    assert not store.has_image(f"{distribution.host}/owner/app:v1")
