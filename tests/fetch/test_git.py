"""Git repositories: what is meant by a reference, and that the mirror serves it again."""

import subprocess

import pytest

from rebirth.fetch.things import Git
from rebirth.lab.systems.git import git_app


def git(folder, *arguments):
    identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path):
    """A repository with three commits on main, two tags and another branch; `origin.commits`."""
    folder = tmp_path / "hosted" / "localhost" / "owner" / "app.git"
    folder.parent.mkdir(parents=True)
    work = tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(work))
    commits = []
    for number, tag in enumerate(("v1.0.0", "v1.1.0", "v2.0.0-rc.1")):
        (work / "file").write_text(str(number))
        git(work, "add", "file")
        git(work, "commit", "--quiet", "-m", f"c{number}")
        git(work, "tag", "-a", tag, "-m", tag)
        commits.append(git(work, "rev-parse", "HEAD"))
    git(work, "branch", "other", commits[0])
    git(tmp_path, "clone", "--quiet", "--bare", str(work), str(folder))
    return folder, commits


@pytest.fixture
async def url(serve, origin):
    root = origin[0].parents[2]
    return f"{(await serve(git_app(root, None))).url}/owner/app"


def content(mirror, reference, tmp_path):
    """What who clones the mirror finds there."""
    clone = tmp_path / "clone"
    git(tmp_path, "init", "--quiet", str(clone))
    git(clone, "fetch", "--quiet", "--depth=1", f"file://{mirror}", reference)
    return git(clone, "show", "FETCH_HEAD:file")


@pytest.mark.parametrize(
    ("said", "reference", "file"),
    [
        ({"branch": "main"}, "refs/heads/main", "2"),
        ({"branch": "other"}, "refs/heads/other", "0"),
        ({"tag": "v1.0.0"}, "refs/tags/v1.0.0", "0"),
        ({"semver": "1.x"}, "refs/tags/v1.1.0", "1"),
        ({"semver": ">=1.0.0-0"}, "refs/tags/v2.0.0-rc.1", "2"),
        ({"name": "refs/heads/other"}, "refs/heads/other", "0"),
        ({"loose": "v1.1.0"}, "refs/tags/v1.1.0", "1"),
        ({"loose": "other"}, "refs/heads/other", "0"),
        ({}, "HEAD", "2"),
    ],
)
async def test_a_reference(fetching, store, url, tmp_path, said, reference, file):
    outcome = await fetching(Git(url, **said))
    assert outcome.error is None
    assert outcome.state == "fetched"
    assert content(store.git(url), reference, tmp_path) == file
    assert reference in store.git_references(url)


@pytest.mark.parametrize("branch", ["", "main"])
async def test_a_commit(fetching, store, url, origin, tmp_path, branch):
    commit = origin[1][1]
    assert (await fetching(Git(url, commit=commit, branch=branch))).error is None
    assert content(store.git(url), commit, tmp_path) == "1"
    assert (await fetching(Git(url, commit=commit, branch=branch))).state == "stored"


async def test_a_loose_commit(fetching, store, url, origin, tmp_path):
    git(origin[0], "config", "uploadpack.allowAnySHA1InWant", "true")
    commit = origin[1][0]
    assert (await fetching(Git(url, loose=commit))).error is None
    assert content(store.git(url), commit, tmp_path) == "0"


async def test_several_references_of_one_repository(fetching, store, url, tmp_path):
    found = await fetching(Git(url, branch="main"), Git(url, tag="v1.0.0"))
    assert {one.state for one in found} == {"fetched"}
    assert {"refs/heads/main", "refs/tags/v1.0.0"} <= store.git_references(url).keys()


async def test_a_branch_is_asked_for_again(fetching, store, url, origin, tmp_path):
    await fetching(Git(url, branch="main"))
    assert (await fetching(Git(url, branch="main"))).state == "stored"
    git(origin[0], "update-ref", "refs/heads/main", origin[1][0])
    assert (await fetching(Git(url, branch="main"))).state == "fetched"
    assert content(store.git(url), "refs/heads/main", tmp_path) == "0"


@pytest.mark.parametrize("said", [{"branch": "none"}, {"tag": "none"}, {"semver": "9.x"}, {"name": "refs/heads/none"}])
async def test_a_reference_that_is_not_there(fetching, store, url, said):
    outcome = await fetching(Git(url, **said))
    assert str(outcome.error) == f"{url}: fetch: there is no {next(iter(said.values()))}"
    assert store.git(url) is None


async def test_a_repository_that_is_not_there(fetching, url):
    outcome = await fetching(Git(url.replace("app", "none"), branch="main"))
    assert outcome.state == "failed"
    assert "not found" in str(outcome.error)


async def test_a_host_that_does_not_answer(fetching):
    outcome = await fetching(Git("https://127.0.0.1:9/owner/app", branch="main"))
    assert "127.0.0.1:9: list references: gave up after" in str(outcome.error)
