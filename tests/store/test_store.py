import json
from concurrent.futures import ProcessPoolExecutor

import pytest

from rebirth.errors import Broken
from rebirth.store.charts import LAYERS
from rebirth.store.files import digest_of, digest_of_bytes
from rebirth.store.store import Store
from store.archives import chart, packed

URL = "https://charts.example.com/stable"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "fetched")


def image(store, *contents, repository="ghcr.io/owner/name", reference="v1", layer="application/octet-stream"):
    """An image of these layers in the store."""
    config, *layers = [store.blobs.put(content) for content in (b"{}", *contents)]
    said = [{"mediaType": layer, "digest": digest, "size": 1} for digest in layers]
    data = json.dumps({"schemaVersion": 2, "config": {"digest": config, "size": 2}, "layers": said}).encode()
    return store.put_manifest(repository, reference, MANIFEST, data)


def index(store, manifests, repository="ghcr.io/owner/name", reference="v1"):
    listed = [
        {"digest": digest, "platform": {"os": "linux", "architecture": architecture}}
        for architecture, digest in manifests.items()
    ]
    data = json.dumps({"schemaVersion": 2, "manifests": listed}).encode()
    return store.put_manifest(repository, reference, INDEX, data)


# -- charts


def test_a_chart_of_an_http_repository(store, tmp_path):
    kept = store.put_chart(URL, chart(tmp_path, "web", "1.2.3", app_version="9"))
    assert store.chart(f"{URL}/", "web", "1.2.3") == kept.path
    assert (kept.name, kept.version, kept.app_version) == ("web", "1.2.3", "9")
    assert digest_of(kept.path) == kept.digest
    assert store.chart(URL, "web", "1.2.4") is None
    assert store.chart(URL, "other", "1.2.3") is None
    assert store.chart("https://charts.example.com", "web", "1.2.3") is None


@pytest.mark.parametrize(
    ("version", "found"), [("", "1.10.0"), ("*", "1.10.0"), ("~1.2", "1.2.4"), ("<1.2.4", "1.2.3")]
)
def test_the_newest_chart_that_is_allowed(store, tmp_path, version, found):
    for one in ("1.2.3", "1.10.0", "1.2.4", "2.0.0-rc.1"):
        store.put_chart(URL, chart(tmp_path, "web", one))
    assert store.chart(URL, "web", version) == store.chart(URL, "web", found) is not None


def test_what_is_no_version_finds_no_chart(store, tmp_path):
    store.put_chart(URL, chart(tmp_path, "web", "1.2.3"))
    assert store.chart(URL, "web", "${VERSION}") is None


def test_all_charts_of_a_repository(store, tmp_path):
    store.put_chart(URL, chart(tmp_path, "web", "1.2.3", says={"description": "d"}))
    store.put_chart(URL, chart(tmp_path, "db", "1.0.0"))
    store.put_chart("https://elsewhere.example", chart(tmp_path, "db", "2.0.0"))
    assert {(one.name, one.version) for one in store.charts(URL)} == {("web", "1.2.3"), ("db", "1.0.0")}
    assert {one.metadata.get("description") for one in store.charts(URL)} == {"d", None}


def test_a_chart_of_a_registry(store, tmp_path):
    archive = chart(tmp_path, "web", "1.2.3+1")
    image(store, archive.read_bytes(), repository="ghcr.io/owner/charts/web", reference="1.2.3_1", layer=LAYERS[0])
    found = store.chart("oci://ghcr.io/owner/charts", "web", "1.2.3+1")
    assert found is not None
    assert found.read_bytes() == archive.read_bytes()
    assert store.chart("oci://ghcr.io/owner/charts", "web", "1.x") == found
    assert store.chart("oci://ghcr.io/owner/charts/web", "", "") == found
    assert store.chart("oci://ghcr.io/owner/charts", "web", "2.x") is None


def test_a_chart_of_docker_hub_is_nobodys_library(store, tmp_path):
    archive = chart(tmp_path, "web", "1.2.3")
    image(store, archive.read_bytes(), repository="docker.io/bitnamicharts/web", reference="1.2.3", layer=LAYERS[0])
    assert store.chart("oci://registry-1.docker.io/bitnamicharts", "web", "1.2.3") is not None


def test_another_artifact_is_no_chart(store):
    image(store, b"tar", reference="1.2.3")
    assert store.chart("oci://ghcr.io/owner", "name", "1.2.3") is None


def test_a_wrong_chart_is_not_kept(store, tmp_path):
    archive = chart(tmp_path, "web", "1.2.3")
    with pytest.raises(Broken, match="wrong digest: it should be sha256:0000"):
        store.put_chart(URL, archive, f"sha256:{'0' * 64}")
    assert store.charts(URL) == []


@pytest.mark.parametrize("content", [b"no archive", None])
def test_what_is_no_chart(store, tmp_path, content):
    archive = packed(tmp_path / "x.tgz", {"web/values.yaml": "a: 1"})
    if content:
        archive.write_bytes(content)
    with pytest.raises(Broken, match=r"x\.tgz: read: is no chart"):
        store.put_chart(URL, archive)


def test_a_sub_charts_file_is_not_the_charts(store, tmp_path):
    archive = packed(
        tmp_path / "x.tgz",
        {"web/charts/db/Chart.yaml": "{name: db, version: 1.0.0}", "web/Chart.yaml": "{name: web, version: 2.0.0}"},
    )
    assert store.put_chart(URL, archive).name == "web"


# -- images and artifacts


def test_an_image_under_each_of_its_names(store):
    kept = image(store, b"layer", repository="nginx", reference="1.25")
    for name in ("docker.io/library/nginx", "nginx", "registry-1.docker.io/library/nginx"):
        assert store.manifest(name, "1.25") == kept
        assert store.manifest(name, kept.digest) == kept
    assert store.has_image("nginx:1.25")
    assert store.has_image(f"nginx:other@{kept.digest}")
    assert not store.has_image("nginx")
    assert store.tags("nginx") == ["1.25"]


def test_an_image_of_which_a_layer_is_missing(store):
    image(store, b"layer")
    assert store.has_image("ghcr.io/owner/name:v1")
    store.blob(digest_of_bytes(b"layer")).unlink()
    assert not store.has_image("ghcr.io/owner/name:v1")


def test_an_index_is_whole_for_one_platform(store):
    ours = image(store, b"amd64")
    other = image(store, b"arm64")
    store.blob(digest_of_bytes(b"arm64")).unlink()
    index(store, {"arm64": other.digest, "amd64": ours.digest})
    assert store.has_image("ghcr.io/owner/name:v1")
    assert not store.has_image("ghcr.io/owner/name:v1", "linux/arm64")
    assert not store.has_image("ghcr.io/owner/name:v1", "linux/s390x")
    assert store.manifest("ghcr.io/owner/name", "v1").media_type == INDEX


def test_a_manifest_with_another_digest(store):
    with pytest.raises(Broken, match="wrong digest"):
        store.put_manifest("nginx", f"sha256:{'0' * 64}", MANIFEST, b"{}")
    assert store.manifest("nginx", f"sha256:{'0' * 64}") is None


def test_a_digest_never_leads_out_of_the_store(store, tmp_path):
    (tmp_path / "secret").write_text("x")
    assert store.blob("sha256:../../../secret") is None
    assert store.blob("sha512:00") is None


# -- the rest of the web


def test_a_file_of_the_web(store, tmp_path):
    (tmp_path / "crds.yaml").write_text("kind: List")
    store.put_file("https://example.com/crds.yaml", tmp_path / "crds.yaml")
    assert store.file("https://example.com/crds.yaml").read_text() == "kind: List"
    assert store.file("https://example.com/other.yaml") is None


def test_a_git_repository_counts_once_it_is_whole(store):
    folder = store.git_folder("https://example.com/owner/repo")
    folder.mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main")
    assert store.git("https://example.com/owner/repo") is None
    store.put_git("https://example.com/owner/repo", {"refs/heads/main": "0" * 40})
    assert store.git("https://example.com/owner/repo/") == folder


# -- several at work


def _put(folder, number):
    for _ in range(20):
        Store(folder).put_manifest("nginx", "latest", MANIFEST, json.dumps({"n": number}).encode())


def test_several_processes_write_the_same(store):
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_put, [store.folder] * 2, range(2)))
    found = store.manifest("nginx", "latest")
    assert json.loads(found.data)["n"] in {0, 1}
    assert not list(store.folder.rglob(".*.json"))


def test_a_damaged_record_is_none(store):
    image(store, b"layer")
    for file in store.folder.rglob("*.json"):
        file.write_text("{")
    assert store.manifest("ghcr.io/owner/name", "v1") is None
    assert store.tags("ghcr.io/owner/name") == []


def test_nothing_is_removed_while_something_is_added(store):
    taken = pytest.raises(Broken, match="another rebirth is using it")
    with store.adding(), store.adding(), taken, store.removing():
        pass
    with store.removing():
        pass


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Broken, match="fetched: write: Not a directory"), Store(tmp_path / "file" / "fetched").adding():
        pass


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.delenv("REBIRTH_FETCHED")
    monkeypatch.setenv("REBIRTH_CACHE", str(tmp_path / "c"))
    assert Store().folder == tmp_path / "c" / "fetched"
    monkeypatch.delenv("REBIRTH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Store().folder == tmp_path / "rebirth" / "fetched"
