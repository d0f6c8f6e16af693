"""Images and artifacts from a registry."""

import pytest

from fetch.hosts import DOCKER, DOCKER_LIST, INDEX, RegistryHost, digest_of
from rebirth.fetch.things import Artifact, Image
from rebirth.store.names import name_of

LAYER = bytes(range(256)) * 4000


@pytest.fixture
def registry():
    return RegistryHost()


@pytest.fixture
async def host(serve, registry):
    """The registry's host, as images name it."""
    return f"localhost:{(await serve(registry)).port}"


def image(host, reference="owner/app:v1"):
    return Image(name_of(f"{host}/{reference}"))


async def test_an_image(fetching, store, registry, host):
    digest = registry.push("owner/app", "v1", LAYER, b"second")
    outcome = await fetching(image(host))
    assert (outcome.state, outcome.error) == ("fetched", None)
    assert outcome.size == len(LAYER) + len(b"second") + len(b"{}")
    assert store.has_image(f"{host}/owner/app:v1")
    assert store.manifest(f"{host}/owner/app", "v1").digest == digest
    assert store.blob(digest_of(LAYER)).read_bytes() == LAYER


async def test_once(fetching, registry, host):
    registry.push("owner/app", "v1", LAYER)
    await fetching(image(host))
    before = len(registry.asked)
    assert (await fetching(image(host))).state == "stored"
    assert len(registry.asked) == before


async def test_latest_is_asked_for_again_and_its_layers_are_not(fetching, store, registry, host):
    registry.push("owner/app", "latest", LAYER)
    await fetching(image(host, "owner/app"))
    assert (await fetching(image(host, "owner/app"))).state == "stored"
    new = registry.push("owner/app", "latest", LAYER, b"new")
    outcome = await fetching(image(host, "owner/app"))
    assert (outcome.state, outcome.size) == ("fetched", 3)
    assert store.manifest(f"{host}/owner/app", "latest").digest == new


async def test_again(fetching, store, registry, host):
    registry.push("owner/app", "v1", LAYER)
    await fetching(image(host))
    new = registry.push("owner/app", "v1", b"moved")
    assert (await fetching(image(host), again=True)).state == "fetched"
    assert store.manifest(f"{host}/owner/app", "v1").digest == new


@pytest.mark.parametrize(
    ("one", "several"), [(DOCKER, DOCKER_LIST), ("application/vnd.oci.image.manifest.v1+json", INDEX)]
)
async def test_an_index_with_several_platforms(fetching, store, registry, host, one, several):
    ours = registry.push("owner/app", "", b"amd64", media_type=one)
    other = registry.push("owner/app", "", b"arm64", media_type=one)
    registry.push_index("owner/app", "v1", {"linux/arm64": other, "linux/amd64": ours}, several)
    assert (await fetching(image(host))).state == "fetched"
    assert store.has_image(f"{host}/owner/app:v1")
    assert store.manifest(f"{host}/owner/app", "v1").media_type == several
    assert store.manifest(f"{host}/owner/app", ours).media_type == one
    assert store.blob(digest_of(b"arm64")) is None
    assert (await fetching(image(host), platform="linux/arm64")).state == "fetched"
    assert store.has_image(f"{host}/owner/app:v1", "linux/arm64")


async def test_an_index_without_our_platform(fetching, store, registry, host):
    other = registry.push("owner/app", "", b"arm64")
    registry.push_index("owner/app", "v1", {"linux/arm64": other})
    outcome = await fetching(image(host))
    assert str(outcome.error) == f"{host}/owner/app:v1: pull: is not there for linux/amd64"
    assert store.manifest(f"{host}/owner/app", "v1") is None


async def test_by_digest(fetching, store, registry, host):
    digest = registry.push("owner/app", "v1", LAYER)
    assert (await fetching(image(host, f"owner/app:v1@{digest}"))).state == "fetched"
    assert store.has_image(f"{host}/owner/app@{digest}")
    assert store.has_image(f"{host}/owner/app:v1")


async def test_one_that_is_not_there_stops_no_other(fetching, store, registry, host):
    registry.push("owner/app", "v1", LAYER)
    missing, found = await fetching(image(host, "owner/none:v1"), image(host))
    assert missing.state == "failed"
    assert str(missing.error) == f"{host}: pull owner/none:v1: there is no such thing"
    assert found.state == "fetched"


async def test_a_layer_that_two_images_share_is_loaded_once(fetching, registry, host):
    registry.push("owner/app", "v1", LAYER)
    registry.push("owner/app", "v2", LAYER, b"more")
    one, other = await fetching(image(host), image(host, "owner/app:v2"))
    assert {one.state, other.state} == {"fetched"}
    assert registry.paths().count(f"/v2/owner/app/blobs/{digest_of(LAYER)}") == 1


async def test_an_image_of_which_all_layers_are_there_already_is_fetched(fetching, registry, host):
    registry.push("owner/app", "v1", LAYER)
    registry.push("owner/copy", "v1", LAYER)
    await fetching(image(host))
    copy = await fetching(image(host, "owner/copy:v1"))
    assert (copy.state, copy.size) == ("fetched", 0)
    assert (await fetching(image(host, "owner/copy:v1"))).state == "stored"


async def test_what_is_no_manifest(fetching, registry, host):
    registry.manifests["owner/app", "v1"] = ("text/html", b"<html>")
    assert "is no manifest" in str((await fetching(image(host))).error)


async def test_a_format_from_before(fetching, store, registry, host):
    registry.manifests["owner/app", "v1"] = (
        "application/vnd.docker.distribution.manifest.v1+json",
        b'{"fsLayers": []}',
    )
    assert "a format that is not known" in str((await fetching(image(host))).error)
    assert store.manifest(f"{host}/owner/app", "v1") is None


# -- broken off, and gone on with


async def test_a_layer_that_breaks_off_goes_on(fetching, store, registry, host):
    registry.push("owner/app", "v1", LAYER)
    registry.breaks[f"/v2/owner/app/blobs/{digest_of(LAYER)}"] = 500_000
    outcome = await fetching(image(host))
    assert (outcome.state, outcome.size) == ("fetched", len(LAYER) + 2)
    assert ranges(registry) == ["bytes=500000-"]
    assert store.blob(digest_of(LAYER)).read_bytes() == LAYER


async def test_the_next_run_goes_on_with_a_layer(fetching, store, registry, host):
    registry.push("owner/app", "v1", LAYER)
    store.blobs.partial(digest_of(LAYER)).write_bytes(LAYER[:700_000])
    assert (await fetching(image(host))).state == "fetched"
    assert ranges(registry) == ["bytes=700000-"]


async def test_what_an_earlier_run_left_is_wrong(fetching, store, registry, host):
    registry.push("owner/app", "v1", LAYER)
    store.blobs.partial(digest_of(LAYER)).write_bytes(b"junk")
    assert (await fetching(image(host))).state == "fetched"
    assert store.blob(digest_of(LAYER)).read_bytes() == LAYER


@pytest.mark.parametrize("left", [LAYER, LAYER + b"more"], ids=["whole", "too long"])
async def test_nothing_of_a_layer_is_left_to_load(fetching, store, registry, host, left):
    registry.push("owner/app", "v1", LAYER)
    store.blobs.partial(digest_of(LAYER)).write_bytes(left)
    assert (await fetching(image(host))).state == "fetched"
    assert store.blob(digest_of(LAYER)).read_bytes() == LAYER


def ranges(registry):
    return [headers["range"] for _, _, headers in registry.asked if "range" in headers]


# -- digests


async def test_a_layer_with_another_digest_is_refused(fetching, store, registry, host):
    registry.push("owner/app", "v1", LAYER)
    registry.blobs[digest_of(LAYER)] = b"other"
    outcome = await fetching(image(host))
    assert outcome.state == "failed"
    assert f"wrong digest: it should be {digest_of(LAYER)}, and is {digest_of(b'other')}" in str(outcome.error)
    assert store.blob(digest_of(LAYER)) is None
    assert store.manifest(f"{host}/owner/app", "v1") is None
    assert not store.blobs.partial(digest_of(LAYER)).exists()


async def test_a_manifest_with_another_digest_is_refused(fetching, store, registry, host):
    digest = registry.push("owner/app", "v1", LAYER)
    registry.manifests["owner/app", digest] = registry.manifests["owner/app", registry.push("owner/app", "v2", b"x")]
    outcome = await fetching(image(host, f"owner/app@{digest}"))
    assert f"{host}: pull owner/app@{digest}: wrong digest" in str(outcome.error)
    assert store.manifest(f"{host}/owner/app", digest) is None


# -- a registry that is busy


async def test_who_is_told_to_wait_waits(fetching, registry, host):
    registry.push("owner/app", "v1", LAYER)
    registry.answers += [("/manifests/", 429, {"retry-after": "1"}), ("/blobs/", 503, {})]
    assert (await fetching(image(host))).state == "fetched"
    assert fetching.said == [f"{host}: HTTP 429; waits 1 s", f"{host}: HTTP 503"]


async def test_nobody_waits_for_an_hour(fetching, registry, host):
    registry.answers.append(("/manifests/", 429, {"retry-after": "3600"}))
    outcome = await fetching(image(host))
    assert str(outcome.error).endswith("last: HTTP 429, and asks to wait 3600 s")
    assert len(registry.asked) == 1
    assert "asks to wait 3600 s" in str((await fetching(image(host, "owner/other:v1"))).error)
    assert len(registry.asked) == 1


async def test_an_answer_that_something_is_wrong_is_not_taken_for_all(fetching, registry, host):
    registry.push("owner/app", "v1", LAYER)
    registry.answers += [("/none/", 500, {})] * 20
    broken, whole = await fetching(image(host, "owner/none:v1"), image(host))
    assert str(broken.error).endswith("last: HTTP 500")
    assert whole.state == "fetched"
    assert (await fetching(image(host, "owner/app:v1"), image(host), again=True))[0].error is None


# -- small ones


async def test_what_is_too_large_is_known_before_it_is_loaded(fetching, store, registry, host):
    registry.push("owner/app", "v1", LAYER)
    registry.push("owner/app", "v2", b"small")
    large, small = await fetching(image(host), image(host, "owner/app:v2"), largest=1000)
    assert (large.state, large.size) == ("too large", len(LAYER) + 2)
    assert small.state == "fetched"
    assert not [path for path in registry.paths() if digest_of(LAYER) in path]
    assert store.manifest(f"{host}/owner/app", "v1") is None


# -- credentials


@pytest.mark.parametrize("way", ["basic", "bearer"])
async def test_credentials(fetching, registry, host, docker, way):
    setattr(registry, way, ("me", "right"))
    registry.push("owner/app", "v1", LAYER)
    docker(host, "me", "right")
    assert (await fetching(image(host))).state == "fetched"


async def test_a_token_for_everybody(fetching, registry, host):
    registry.bearer, registry.public = ("me", "right"), True
    registry.push("owner/app", "v1", LAYER)
    assert (await fetching(image(host))).state == "fetched"
    assert registry.paths().count("/token") == 1


@pytest.mark.parametrize("way", ["basic", "bearer"])
async def test_a_wrong_password(fetching, registry, host, docker, tmp_path, way):
    setattr(registry, way, ("me", "right"))
    registry.push("owner/app", "v1", LAYER)
    docker(host, "me", "wr0ngpass")
    outcome = await fetching(image(host))
    assert str(outcome.error) == f"{host}: pull owner/app:v1: the credentials of me were rejected"
    assert outcome.error.hint == f"They are those of {tmp_path / 'docker' / 'config.json'}."
    assert fetching.redaction.redact("wr0ngpass") == "[secret]"


@pytest.mark.parametrize("way", ["basic", "bearer"])
async def test_no_credentials(fetching, registry, host, way):
    setattr(registry, way, ("me", "right"))
    outcome = await fetching(image(host))
    assert str(outcome.error) == f"{host}: pull owner/app:v1: it wants credentials"
    assert f"docker login {host}" in outcome.error.hint


# -- artifacts


async def test_an_artifact_in_a_range(fetching, store, registry, host):
    registry.page = 2
    for tag in ("1.0.0", "1.1.0", "1.2.0-rc.1", "2.0.0", "latest"):
        registry.push("owner/manifests", tag, tag.encode())
    assert (await fetching(Artifact(f"{host}/owner/manifests", semver="1.x"))).state == "fetched"
    assert store.tags(f"{host}/owner/manifests") == ["1.1.0"]


async def test_an_artifact_among_the_tags_that_a_filter_lets_through(fetching, store, registry, host):
    for tag in ("1.0.0-rc.1", "1.0.0-dev.2"):
        registry.push("owner/manifests", tag, tag.encode())
    await fetching(Artifact(f"{host}/owner/manifests", semver=">=1.0.0-0", only="-dev"))
    assert store.tags(f"{host}/owner/manifests") == ["1.0.0-dev.2"]


async def test_an_artifact_without_a_version_in_range(fetching, registry, host):
    registry.push("owner/manifests", "1.0.0", b"x")
    outcome = await fetching(Artifact(f"{host}/owner/manifests", semver="2.x"))
    assert str(outcome.error) == "owner/manifests: choose a version: none of its 1 tags is in the range 2.x"


async def test_an_artifact_by_tag_and_by_digest(fetching, store, registry, host):
    digest = registry.push("owner/manifests", "main", b"x")
    one, other = await fetching(
        Artifact(f"{host}/owner/manifests", tag="main"), Artifact(f"{host}/owner/manifests", digest=digest)
    )
    assert {one.error, other.error} == {None}
    assert store.manifest(f"{host}/owner/manifests", "main").digest == digest
