"""Charts, from hosts of HTTP and from registries; files of the web."""

import pytest

from fetch.hosts import Files, RegistryHost
from rebirth.fetch.things import Artifact, Chart, File
from rebirth.store.charts import CONFIG, LAYERS
from store.archives import chart, packed


@pytest.fixture
def files():
    return Files()


@pytest.fixture
async def url(serve, files):
    return f"{(await serve(files)).url}/stable"


@pytest.fixture
def archives(tmp_path):
    return [chart(tmp_path / "packed", "web", version) for version in ("1.2.3", "1.3.0", "2.0.0-rc.1")]


@pytest.mark.parametrize(("version", "found"), [("1.2.3", "1.2.3"), ("1.2.x", "1.2.3"), ("", "1.3.0"), ("*", "1.3.0")])
async def test_a_chart(fetching, store, files, url, archives, version, found):
    files.index(*archives, path="/stable")
    assert (await fetching(Chart(url, "web", version))).state == "fetched"
    assert [one.version for one in store.charts(url)] == [found]
    assert store.chart(url, "web", version) is not None


async def test_once(fetching, files, url, archives):
    files.index(*archives, path="/stable")
    await fetching(Chart(url, "web", "1.2.3"))
    asked = len(files.asked)
    assert (await fetching(Chart(url, "web", "1.2.3"))).state == "stored"
    assert len(files.asked) == asked


async def test_a_range_is_asked_for_again(fetching, store, files, url, archives):
    files.index(archives[0], path="/stable")
    await fetching(Chart(url, "web", "1.x"))
    assert (await fetching(Chart(url, "web", "1.x"))).state == "stored"
    assert files.paths().count("/stable/web-1.2.3.tgz") == 1
    files.index(*archives, path="/stable")
    assert (await fetching(Chart(f"{url}/", "web", "1.x"))).state == "fetched"
    assert store.chart(url, "web", "1.x") == store.chart(url, "web", "1.3.0")


async def test_the_index_is_read_once_for_several_charts(fetching, files, url, archives, tmp_path):
    files.index(*archives, chart(tmp_path, "db", "1.0.0"), path="/stable")
    found = await fetching(Chart(url, "web", "1.2.3"), Chart(url, "db", "1.0.0"), Chart(url, "web", "1.3.0"))
    assert {one.state for one in found} == {"fetched"}
    assert files.paths().count("/stable/index.yaml") == 1


async def test_an_index_that_is_not_there_is_asked_for_once(fetching, files, url):
    found = await fetching(Chart(url, "web", "1.2.3"), Chart(url, "db", "1.0.0"))
    assert {one.state for one in found} == {"failed"}
    assert len(files.asked) == 1


async def test_urls_of_another_host_and_of_another_folder(fetching, serve, files, url, archives):
    other = Files()
    elsewhere = (await serve(other)).url
    other.index(*archives, path="/charts")
    files.index(*archives, path="/stable", url=elsewhere + "/charts/{file}")
    files.basic = ("me", "right")  # for this host alone
    files.files = {"/stable/index.yaml": files.files["/stable/index.yaml"]}
    outcome = await fetching(Chart(url, "web", "1.2.3"))
    assert str(outcome.error).endswith("read index.yaml: it wants credentials")
    files.basic = None
    assert (await fetching(Chart(f"{url}/", "web", "1.3.0"))).state == "fetched"
    assert "/charts/web-1.3.0.tgz" in other.paths()


async def test_credentials_stay_with_the_host(fetching, serve, files, url, archives, docker):
    other = Files()
    elsewhere = (await serve(other)).url
    other.index(*archives)
    files.index(*archives, path="/stable", url=elsewhere + "/{file}")
    files.basic = ("me", "right")
    docker(url.split("/")[2], "me", "right")
    assert (await fetching(Chart(url, "web", "1.2.3"))).state == "fetched"
    assert all("authorization" not in headers for _, _, headers in other.asked)


async def test_a_wrong_password(fetching, files, url, archives, docker):
    files.index(*archives, path="/stable")
    files.basic = ("me", "right")
    docker(url.split("/")[2], "me", "wr0ngpass")
    error = (await fetching(Chart(url, "web", "1.2.3"))).error
    assert str(error) == f"{url.split('/')[2]}: read index.yaml: the credentials of me were rejected"


async def test_an_archive_with_another_digest_is_refused(fetching, store, files, url, archives):
    files.index(*archives, path="/stable")
    files.files["/stable/web-1.2.3.tgz"] = files.files["/stable/web-1.3.0.tgz"]
    outcome = await fetching(Chart(url, "web", "1.2.3"))
    assert "wrong digest: it should be sha256:" in str(outcome.error)
    assert store.charts(url) == []


async def test_an_index_without_digests(fetching, files, url, archives):
    files.index(*archives, path="/stable", digest=False)
    assert (await fetching(Chart(url, "web", "1.2.3"))).state == "fetched"


async def test_an_archive_of_another_chart_is_refused(fetching, store, files, url, archives, tmp_path):
    files.index(*archives, path="/stable", digest=False)
    files.files["/stable/web-1.2.3.tgz"] = chart(tmp_path, "db", "1.2.3").read_bytes()
    assert "the archive is of a chart db" in str((await fetching(Chart(url, "web", "1.2.3"))).error)
    assert store.charts(url) == []


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("none", "", "there is no chart none"),
        ("web", "9.x", "there is no version 9.x of web; the newest is 1.3.0"),
        ("web", "not one", "'not one' is no version and no range of versions"),
    ],
)
async def test_what_the_index_does_not_have(fetching, files, url, archives, name, version, words):
    files.index(*archives, path="/stable")
    assert str((await fetching(Chart(url, name, version))).error) == f"{url}: read index.yaml: {words}"


@pytest.mark.parametrize("content", [b"<html>", b"entries: {", b"a: 1", None])
async def test_what_is_no_chart_repository(fetching, files, url, content):
    if content:
        files.files["/stable/index.yaml"] = content
    words = "has no index of charts" if content else "there is no such thing"
    assert words in str((await fetching(Chart(url, "web", "1.2.3"))).error)


async def test_an_archive_that_breaks_off_goes_on(fetching, store, files, url, tmp_path):
    import random

    archive = packed(
        tmp_path / "web-1.0.0.tgz",
        {"web/Chart.yaml": "{name: web, version: 1.0.0}", "web/values.yaml": random.Random(1).randbytes(200_000)},
    )
    files.index(archive, path="/stable")
    files.breaks["/stable/web-1.0.0.tgz"] = 100_000
    assert (await fetching(Chart(url, "web", "1.0.0"))).state == "fetched"
    assert store.chart(url, "web", "1.0.0").read_bytes() == archive.read_bytes()
    assert [headers["range"] for _, _, headers in files.asked if "range" in headers] == ["bytes=100000-"]


# -- of registries


@pytest.fixture
async def registry(serve, archives):
    host = RegistryHost()
    for archive in archives:
        version = archive.name.removeprefix("web-").removesuffix(".tgz")
        host.push("charts/web", version, archive.read_bytes(), layer=LAYERS[0], said=CONFIG)
    host.at = f"localhost:{(await serve(host)).port}"
    return host


@pytest.mark.parametrize(("version", "tag"), [("1.2.3", "1.2.3"), ("~1.3", "1.3.0"), ("", "1.3.0")])
async def test_a_chart_of_a_registry(fetching, store, registry, archives, version, tag):
    thing = Chart(f"oci://{registry.at}/charts", "web", version)
    assert (await fetching(thing)).state == "fetched"
    assert store.tags(f"{registry.at}/charts/web") == [tag]
    assert store.chart(f"oci://{registry.at}/charts", "web", version) is not None
    assert (await fetching(thing)).state == "stored"


async def test_a_chart_as_an_artifact(fetching, store, registry):
    assert (await fetching(Artifact(f"{registry.at}/charts/web", semver="1.x"))).state == "fetched"
    assert store.chart(f"oci://{registry.at}/charts/web", "", "1.x") is not None


async def test_a_build_in_a_version_is_an_underscore_in_a_tag(fetching, store, registry, tmp_path):
    archive = chart(tmp_path, "web", "3.0.0+up1")
    registry.push("charts/web", "3.0.0_up1", archive.read_bytes(), layer=LAYERS[0], said=CONFIG)
    for version in ("3.0.0+up1", "3.x"):
        assert (await fetching(Chart(f"oci://{registry.at}/charts", "web", version))).error is None
        assert store.chart(f"oci://{registry.at}/charts", "web", version).read_bytes() == archive.read_bytes()


async def test_an_image_is_no_chart(fetching, registry):
    registry.push("charts/app", "1.0.0", b"layer")
    outcome = await fetching(Chart(f"oci://{registry.at}/charts", "app", "1.0.0"))
    assert str(outcome.error) == f"{registry.at}/charts/app:1.0.0: pull: is no chart"


async def test_an_index_that_leads_to_a_registry(fetching, store, registry, files, url, archives):
    files.index(*archives, path="/stable", digest=False, url=f"oci://{registry.at}/charts/web:1.2.3")
    assert (await fetching(Chart(url, "web", "1.2.3"))).state == "fetched"
    assert store.chart(url, "web", "1.2.3").read_bytes() == archives[0].read_bytes()


# -- files


async def test_a_file(fetching, store, files, url):
    files.files["/stable/crds.yaml"] = b"kind: List"
    thing = File(f"{url}/crds.yaml")
    assert (await fetching(thing)).state == "fetched"
    assert store.file(thing.url).read_bytes() == b"kind: List"
    assert (await fetching(thing)).state == "stored"


async def test_a_file_that_is_not_there(fetching, store, url):
    outcome = await fetching(File(f"{url}/crds.yaml"))
    assert str(outcome.error) == f"{url}/crds.yaml: fetch: HTTP 404"
    assert store.file(f"{url}/crds.yaml") is None


# -- hosts that are none


async def test_a_host_that_does_not_answer_is_given_up_once(fetching):
    one, other = Chart("https://127.0.0.1:9/a", "web", "1.0.0"), Chart("https://127.0.0.1:9/b", "web", "1.0.0")
    outcomes = [await fetching(one), await fetching(other)]
    assert {outcome.state for outcome in outcomes} == {"failed"}
    assert all("gave up after" in str(outcome.error) for outcome in outcomes)


async def test_a_certificate_that_nobody_trusts(fetching, serve, url, monkeypatch, tmp_path):
    from rebirth.fetch.web import Web
    from rebirth.lab.ca import Authority

    (tmp_path / "other.crt").write_text(Authority("another").pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.crt"))
    from rebirth.errors import Broken

    async with Web() as web:
        with pytest.raises(Broken, match="its certificate is not trusted"):
            await web.ask(url, operation="ask")
