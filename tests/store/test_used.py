"""What is in the store, and how it is removed."""

import os
import time

import pytest

from rebirth.errors import Broken
from rebirth.store.files import digest_of_bytes
from rebirth.store.used import kept, prune
from store.archives import chart
from store.test_store import URL, image, index, store

__all__ = ["store"]
DAY = 86400


def age(store, days, name=""):
    """As if nobody had used it for so many days."""
    when = time.time() - days * DAY
    for file in store.folder.rglob("*.json"):
        if name in file.read_text():
            os.utime(file, (when, when))


@pytest.fixture
def full(store, tmp_path):
    store.put_chart(URL, chart(tmp_path, "web", "1.2.3"))
    image(store, b"shared", b"one", reference="v1")
    image(store, b"shared", b"two", repository="ghcr.io/owner/other", reference="v2")
    ours = image(store, b"of the index", repository="ghcr.io/owner/index", reference="x")
    index(store, {"amd64": ours.digest}, repository="ghcr.io/owner/index", reference="v3")
    return store


def names(store):
    return [one.name for one in kept(store)]


def test_everything_is_listed_once(full):
    assert names(full) == [
        "ghcr.io/owner/index:v3",
        "ghcr.io/owner/index:x",
        "ghcr.io/owner/name:v1",
        "ghcr.io/owner/other:v2",
        f"{URL}/web 1.2.3",
    ]
    one = next(one for one in kept(full) if one.name == "ghcr.io/owner/name:v1")
    assert one.size > len(b"shared") + len(b"one")
    assert time.time() - one.used < 60


def test_what_is_used_stays(full):
    age(full, 40)
    assert full.has_image("ghcr.io/owner/name:v1")
    assert full.has_image("ghcr.io/owner/index:v3")
    assert prune(full, unused_for=30 * DAY).things == 2
    assert full.has_image("ghcr.io/owner/name:v1")
    assert full.has_image("ghcr.io/owner/index:v3")
    assert full.blob(digest_of_bytes(b"two")) is None
    assert full.blob(digest_of_bytes(b"shared")) is not None
    assert full.charts(URL) == []


def test_everything(full):
    full.blobs.partial(digest_of_bytes(b"x")).write_bytes(b"half")
    found = prune(full)
    assert found.things == 5
    assert found.size > 0
    assert names(full) == []
    assert not full.blobs.every()


def test_a_git_repository(store):
    folder = store.git_folder("https://example.com/owner/repo")
    folder.mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main")
    store.put_git("https://example.com/owner/repo", {"refs/heads/main": "0" * 40, "HEAD": "refs/heads/main"})
    assert [(one.kind, one.name) for one in kept(store)] == [("git", "https://example.com/owner/repo refs/heads/main")]
    age(store, 2)
    assert prune(store, unused_for=3 * DAY).things == 0
    assert prune(store, unused_for=DAY).things == 1
    assert not folder.exists()


def test_not_while_something_is_fetched(full):
    with full.adding(), pytest.raises(Broken, match="another rebirth is using it"):
        prune(full)
    assert len(names(full)) == 5


def test_a_store_that_is_not_there(store):
    assert kept(store) == []
    assert prune(store).things == 0
