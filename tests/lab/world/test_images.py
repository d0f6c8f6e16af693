"""Images as they are written into a registry's storage."""

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from rebirth.errors import Broken
from rebirth.lab.building.images import Image, ImageStore
from rebirth.store.names import name_of
from rebirth.store.store import Store


def store(folder: Path, cache: Path, **programs: str) -> ImageStore:
    return ImageStore(cache, folder, programs, "PEM of the lab")


def blob(folder: Path, digest: str) -> Path:
    value = digest.removeprefix("sha256:")
    return folder / "docker/registry/v2/blobs/sha256" / value[:2] / value / "data"


def manifest(folder: Path, repository: str, tag: str) -> dict:
    link = folder / "docker/registry/v2/repositories" / repository / "_manifests/tags" / tag / "current/link"
    return json.loads(blob(folder, link.read_text()).read_text())


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_an_image_has_its_files_and_what_its_lab_trusts(tmp_path, program):
    registry = tmp_path / "registry"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("hello")
    image = Image("ghcr.io/a/b:v1", {"/bin/run": "binary:run", "/site": str(tmp_path / "site")}, ("/bin/run",))
    store(registry, tmp_path / "cache", run=str(program)).add(image)
    described = manifest(registry, "a/b", "v1")
    entries = {}
    for layer in described["layers"]:
        data = blob(registry, layer["digest"])
        assert data.stat().st_size == layer["size"]
        assert f"sha256:{hashlib.sha256(data.read_bytes()).hexdigest()}" == layer["digest"]
        with tarfile.open(data) as archive:
            for entry in archive:
                entries[entry.name] = (entry.mode, archive.extractfile(entry).read() if entry.isfile() else None)
    assert entries["bin/run"] == (0o755, b"#!/bin/sh\n")
    assert entries["site/index.html"] == (0o644, b"hello")
    assert entries["etc/ssl/certs/ca-certificates.crt"] == (0o644, b"PEM of the lab")
    assert entries["tmp"][0] == 0o1777
    config = json.loads(blob(registry, described["config"]["digest"]).read_text())
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in described["layers"]]
    assert config["config"]["Entrypoint"] == ["/bin/run"]


def test_the_same_files_make_the_same_image(tmp_path, program):
    described = []
    for number in "12":
        folder = tmp_path / f"source{number}"
        folder.mkdir()
        (folder / "file").write_text("same")
        image = Image("ghcr.io/a/b:v1", {"/data": str(folder), "/run": "binary:run"})
        store(tmp_path / number, tmp_path / f"cache{number}", run=str(program)).add(image)
        described.append(manifest(tmp_path / number, "a/b", "v1"))
    assert described[0] == described[1]


def test_a_layer_is_made_once(tmp_path, program):
    image = Image("ghcr.io/a/b:v1", {"/run": "binary:run"})
    for number in "12":
        store(tmp_path / number, tmp_path / "cache", run=str(program)).add(image)
    (layer,) = (tmp_path / "cache" / "layers").glob("*.tar")
    assert layer.stat().st_nlink == 3


def test_a_changed_file_is_another_image(tmp_path, program):
    image = Image("ghcr.io/a/b:v1", {"/run": "binary:run"})
    store(tmp_path / "1", tmp_path / "cache", run=str(program)).add(image)
    program.write_text("#!/bin/ss\n")
    store(tmp_path / "2", tmp_path / "cache", run=str(program)).add(image)
    assert manifest(tmp_path / "1", "a/b", "v1") != manifest(tmp_path / "2", "a/b", "v1")


def test_a_program_that_no_component_builds_is_named(tmp_path):
    with pytest.raises(Broken, match="no component has a binary run"):
        store(tmp_path / "1", tmp_path / "cache").add(Image("ghcr.io/a/b:v1", {"/run": "binary:run"}))


@pytest.mark.parametrize(
    ("reference", "host", "repository", "tag"),
    [
        ("ghcr.io/a/b:v1", "ghcr.io", "a/b", "v1"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io", "pause", "3.10"),
        ("localhost:5000/a:b", "localhost:5000", "a", "b"),
    ],
)
def test_references_are_taken_apart(reference, host, repository, tag):
    image = Image(reference, {})
    assert (image.host, image.repository, image.tag) == (host, repository, tag)


def test_what_only_one_lab_has_is_not_kept_in_the_cache(tmp_path, program):
    image = Image("ghcr.io/a/b:v1", {"/run": "binary:run"}, own={".own/key": b"secret"})
    store(tmp_path / "registry", tmp_path / "cache", run=str(program)).add(image)
    *_, last = manifest(tmp_path / "registry", "a/b", "v1")["layers"]
    with tarfile.open(blob(tmp_path / "registry", last["digest"])) as archive:
        assert archive.extractfile(".own/key").read() == b"secret"
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file() and b"secret" in file.read_bytes()]


def test_a_fetched_image_is_served_under_its_name(tmp_path):
    fetched, registry = Store(tmp_path / "fetched"), tmp_path / "registry"
    config, layer = fetched.blobs.put(b"{}"), fetched.blobs.put(b"layer")
    body = {"config": {"digest": config, "size": 2}, "layers": [{"digest": layer, "size": 5}]}
    one = fetched.put_manifest(
        "ghcr.io/a/b", "sha256:" + hashlib.sha256(json.dumps(body).encode()).hexdigest(), "", json.dumps(body).encode()
    )
    listed = [{"digest": one.digest, "platform": {"os": "linux", "architecture": "amd64"}}]
    fetched.put_manifest("ghcr.io/a/b", "v1", "", json.dumps({"manifests": listed}).encode())

    store(registry, tmp_path / "cache").add_stored(fetched, name_of("ghcr.io/a/b:v1"))
    assert manifest(registry, "a/b", "v1") == {"manifests": listed}
    digest = one.digest.replace(":", "/")
    assert (
        registry / f"docker/registry/v2/repositories/a/b/_manifests/revisions/{digest}/link"
    ).read_text() == one.digest
    for digest, content in ((config, b"{}"), (layer, b"layer"), (one.digest, one.data)):
        assert blob(registry, digest).read_bytes() == content
    assert blob(registry, layer).stat().st_nlink == 2, "it takes no room a second time"


def test_what_was_not_fetched_is_not_there(tmp_path):
    store(tmp_path / "registry", tmp_path / "cache").add_stored(Store(tmp_path / "fetched"), name_of("ghcr.io/a/b:v1"))
    assert not (tmp_path / "registry").exists()
