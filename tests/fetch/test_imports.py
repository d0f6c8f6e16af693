"""--from: what somebody brings along."""

import gzip
import io
import json
import shutil
import tarfile

import pytest

from fetch.hosts import INDEX, MANIFEST, digest_of
from fetch.test_git import content, git
from rebirth.commands import Commands
from rebirth.errors import Broken, SpecError
from rebirth.fetch.imports.folder import Import
from rebirth.fetch.present import is_present
from rebirth.fetch.things import Artifact, Chart, File, Git, Image
from rebirth.secrets import Redaction
from rebirth.store.names import name_of
from rebirth.store.store import Store
from store.archives import chart

URL = "https://charts.example.com/stable"


@pytest.fixture
def brought(tmp_path):
    folder = tmp_path / "brought"
    folder.mkdir()
    return folder


@pytest.fixture
async def imported(store, brought):
    """`await imported(thing)`: whether it is there after what was brought was read."""
    found = Import(store, Commands(Redaction()))

    async def read(*things, source=None):
        await found.read(source or brought)
        for thing in things:
            await found.offer(thing)
        return [is_present(store, thing) for thing in things] if len(things) != 1 else is_present(store, things[0])

    yield read
    found.close()


def layout(folder, *, name, key="org.opencontainers.image.ref.name", layers=(b"layer",), platforms=()):
    """An OCI layout with one image, or an index of one for each platform."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data):
        (blobs / digest_of(data).removeprefix("sha256:")).write_bytes(data)
        return {"digest": digest_of(data), "size": len(data)}

    def image(*contents):
        parts = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **put(data)} for data in contents]
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", **put(b"{}")}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": parts}
        return {"mediaType": MANIFEST, **put(json.dumps(manifest).encode())}

    entry = image(*layers)
    if platforms:
        listed = []
        for platform in platforms:
            system, _, architecture = platform.partition("/")
            listed.append(image(platform.encode()) | {"platform": {"os": system, "architecture": architecture}})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
        entry = {"mediaType": INDEX, **put(json.dumps(index).encode())}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(
        json.dumps({"schemaVersion": 2, "manifests": [entry | {"annotations": {key: name}}]})
    )
    return folder


def pack(folder, archive, mode="w"):
    with tarfile.open(archive, mode) as tar:
        tar.add(folder, ".")
    return archive


# -- charts


async def test_a_chart_with_its_address(imported, brought):
    chart(brought / "charts" / "charts.example.com" / "stable", "web", "1.2.3")
    assert await imported(Chart(URL, "web", "1.x"), Chart("https://charts.example.com", "db", "")) == [True, False]


@pytest.mark.parametrize(("version", "found"), [("1.2.3", True), ("1.x", True), ("", True), ("2.x", False)])
async def test_a_loose_chart_is_found_by_name_and_version(imported, brought, version, found):
    chart(brought, "web", "1.2.3")
    assert await imported(Chart(URL, "web", version)) is found


async def test_a_loose_chart_of_a_registry(imported, brought, store):
    archive = chart(brought, "web", "1.2.3+up1")
    assert await imported(
        Chart("oci://ghcr.io/owner/charts", "web", "1.2.3+up1"), Artifact("ghcr.io/other/web", semver="1.x", chart=True)
    ) == [True, True]
    assert store.chart("oci://ghcr.io/owner/charts", "web", "1.x").read_bytes() == archive.read_bytes()
    assert store.tags("ghcr.io/owner/charts/web") == ["1.2.3_up1"]


# -- images


@pytest.mark.parametrize("key", ["org.opencontainers.image.ref.name", "io.containerd.image.name"])
async def test_a_layout(imported, brought, key):
    layout(brought / "image", name="ghcr.io/owner/app:v1", key=key)
    assert await imported(Image(name_of("ghcr.io/owner/app:v1")))


@pytest.mark.parametrize(("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tgz", "w:gz")])
async def test_a_layout_in_an_archive(imported, brought, tmp_path, ending, mode):
    pack(layout(tmp_path / "image", name="nginx:1.25"), brought / f"image.{ending}", mode)
    assert await imported(Image(name_of("nginx:1.25")))


async def test_a_layout_with_one_platform_of_an_index(imported, brought, store):
    folder = layout(brought, name="ghcr.io/owner/app:v1", platforms=("linux/arm64", "linux/amd64"))
    (folder / "blobs" / "sha256" / digest_of(b"linux/arm64").removeprefix("sha256:")).unlink()
    assert await imported(Image(name_of("ghcr.io/owner/app:v1")))
    assert not store.has_image("ghcr.io/owner/app:v1", "linux/arm64")


async def test_an_artifact_in_a_layout(imported, brought):
    layout(brought, name="ghcr.io/owner/manifests:1.4.0")
    assert await imported(Artifact("ghcr.io/owner/manifests", semver="1.x"))


async def test_a_tag_alone_is_no_name(imported, brought, store):
    layout(brought, name="latest")
    await imported()
    assert store.tags("latest") == []


async def test_a_layer_that_is_not_what_it_should_be(imported, brought):
    folder = layout(brought, name="ghcr.io/owner/app:v1")
    (folder / "blobs" / "sha256" / digest_of(b"layer").removeprefix("sha256:")).write_bytes(b"other")
    with pytest.raises(Broken, match="wrong digest"):
        await imported()


async def test_a_layer_that_is_missing(imported, brought):
    folder = layout(brought, name="ghcr.io/owner/app:v1")
    (folder / "blobs" / "sha256" / digest_of(b"layer").removeprefix("sha256:")).unlink()
    with pytest.raises(Broken, match=f"the layout lacks {digest_of(b'layer')}"):
        await imported()


def saved(archive, *, diff=None, packed=False):
    """What `docker save app:v1` writes before version 25."""
    layer = b"files"
    config = json.dumps({"os": "linux", "rootfs": {"diff_ids": [diff or digest_of(layer)]}}).encode()
    manifest = [{"Config": "abc.json", "RepoTags": ["owner/app:v1"], "Layers": ["abc/layer.tar"]}]
    files = {
        "manifest.json": json.dumps(manifest).encode(),
        "abc.json": config,
        "abc/layer.tar": gzip.compress(layer) if packed else layer,
    }
    with tarfile.open(archive, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("packed", [True, False])
async def test_what_docker_saves(imported, brought, store, packed):
    saved(brought / "app.tar", packed=packed)
    assert await imported(Image(name_of("owner/app:v1")))
    layers = json.loads(store.manifest("owner/app", "v1").data)["layers"]
    assert layers[0]["mediaType"].endswith("gzip" if packed else "tar")


async def test_what_docker_saves_with_another_layer(imported, brought):
    saved(brought / "app.tar", diff=digest_of(b"other"))
    with pytest.raises(Broken, match="wrong digest"):
        await imported()


# -- repositories and files


@pytest.fixture
def work(tmp_path):
    """A repository with two commits on main and a branch."""
    folder = tmp_path / "hosted"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(folder))
    for number in range(2):
        (folder / "file").write_text(str(number))
        git(folder, "add", "file")
        git(folder, "commit", "--quiet", "-m", f"c{number}")
    git(folder, "tag", "v1.0.0")
    git(folder, "branch", "other", "HEAD^")
    return folder


REPOSITORY = "https://github.com/owner/app"


@pytest.mark.parametrize("kind", ["--bare", "--no-bare"])
@pytest.mark.parametrize("by", ["its place", "its remote"])
async def test_a_repository(imported, brought, store, work, tmp_path, kind, by):
    place = brought / ("git/github.com/owner/app.git" if by == "its place" else "somewhere")
    place.parent.mkdir(parents=True, exist_ok=True)
    git(tmp_path, "clone", "--quiet", *([kind] if kind == "--bare" else []), str(work), str(place))
    if by == "its remote":
        git(place, "remote", "set-url", "origin", "git@github.com:owner/app.git")
    first = git(work, "rev-parse", "other")
    things = [
        Git(REPOSITORY, branch="other"),
        Git(REPOSITORY, semver="1.x"),
        Git(REPOSITORY, commit=first),
        Git(REPOSITORY),
    ]
    assert await imported(*things, Git(REPOSITORY, branch="none")) == [True, True, True, True, False]
    assert content(store.git(REPOSITORY), "refs/heads/other", tmp_path) == "0"


async def test_a_file(imported, brought):
    (brought / "files" / "example.com" / "a").mkdir(parents=True)
    (brought / "files" / "example.com" / "a" / "crds.yaml").write_text("x")
    assert await imported(File("https://example.com/a/crds.yaml"), File("https://example.com/crds.yaml")) == [
        True,
        False,
    ]


# -- another store, and archives of it all


async def test_another_machines_store(imported, brought, store, tmp_path, work):
    other = Store(brought)
    with other.adding():
        other.put_chart(URL, chart(tmp_path, "web", "1.2.3"))
        (tmp_path / "crds.yaml").write_text("x")
        other.put_file("https://example.com/crds.yaml", tmp_path / "crds.yaml")
    found = Import(other, Commands(Redaction()))
    await found.read(layout(tmp_path / "image", name="nginx:1.25", platforms=("linux/amd64",)))
    found.repositories["github.com/owner/app"] = work
    await found.offer(Git(REPOSITORY, branch="main"))
    things = [
        Chart(URL, "web", "1.2.3"),
        File("https://example.com/crds.yaml"),
        Image(name_of("nginx:1.25")),
        Git(REPOSITORY, branch="main"),
    ]
    assert await imported(*things) == [True] * 4


async def test_another_store_that_was_damaged(imported, brought, store, tmp_path):
    other = Store(brought)
    with other.adding():
        kept = other.put_chart(URL, chart(tmp_path, "web", "1.2.3"))
    kept.path.write_bytes(chart(tmp_path, "web", "1.2.4").read_bytes())
    with pytest.raises(Broken, match="wrong digest"):
        await imported()
    assert store.charts(URL) == []


async def test_an_archive_of_it_all(imported, brought, tmp_path):
    chart(brought / "charts" / "charts.example.com" / "stable", "web", "1.2.3")
    layout(brought / "images" / "nginx", name="nginx:1.25")
    archive = pack(brought, tmp_path / "all.tar.gz", "w:gz")
    shutil.rmtree(brought)
    assert await imported(Chart(URL, "web", "1.2.3"), Image(name_of("nginx")), source=archive) == [True, False]


async def test_an_archive_that_leads_out(imported, tmp_path, store):
    archive = tmp_path / "bad.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"))
    with pytest.raises(Broken, match="cannot be unpacked"):
        await imported(source=archive)
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("name", ["none", "text"])
async def test_what_nothing_can_be_read_from(imported, tmp_path, name):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(SpecError):
        await imported(source=tmp_path / name)
