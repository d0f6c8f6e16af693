"""Whose credentials are shown to whom."""

import json

import pytest

from cli.desk import desk
from fetch.hosts import RegistryHost
from rebirth.castle import load
from rebirth.fetch.logins import Logins
from rebirth.fetch.things import Chart, Git, Image, Login
from rebirth.lab.systems.git import git_app
from rebirth.paths import paths_of
from rebirth.secrets import Redaction
from rebirth.store.names import name_of
from trees import change

__all__ = ["desk"]
THING = Image(name_of("ghcr.io/owner/app"))


@pytest.fixture
def castle(desk):
    """The example castle, whose pull secret is for ghcr.io; `castle.logins()`."""
    folder = desk.castle()
    for name in ("github-token", "ghcr-token"):
        (folder / "vault").mkdir(exist_ok=True)
        (folder / "vault" / name).write_text(f"secret-{name}\n")
    return folder


def logins(folder):
    found = load(folder)
    return Logins(Redaction(), found, paths_of(folder, found.secrets))


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def test_a_pull_secret(castle):
    found = logins(castle).of(THING, "ghcr.io")
    pull = load(castle).engine.pull_secrets[0]
    assert (found.username, found.where) == (pull.username, f"engine.pull_secrets, {pull.name}")
    assert logins(castle).of(THING, "quay.io") is None


def test_the_token_of_the_castle_for_its_own_host_alone(castle):
    url = "https://github.com/owner/other"
    assert logins(castle).of_git(Git(url), url).where == "gitops.token"
    assert logins(castle).of_git(Git("https://gitlab.com/a/b"), "https://gitlab.com/a/b") is None


def test_the_secret_that_an_object_names(castle):
    direct = """  direct_secrets:
    - namespace: flux-system
      name: charts
      data: {username: me, password: {secret: charts-password}}
"""
    change(castle, "castle.yaml", "  direct_secrets:\n", direct)
    (castle / "vault" / "charts-password").write_text("right-one")
    thing = Chart("https://charts.example.com", "web", "1.0.0", login=Login("flux-system", "charts"))
    found = logins(castle).of(thing, "charts.example.com")
    assert (found.username, found.where) == ("me", "engine.direct_secrets, flux-system/charts")
    assert found.basic == {"Authorization": "Basic bWU6cmlnaHQtb25l"}
    other = Chart("https://charts.example.com", "web", "1.0.0", login=Login("default", "charts"))
    assert logins(castle).of(other, "charts.example.com") is None


@pytest.mark.parametrize("name", ["https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"])
def test_docker_hub_under_each_of_its_names(docker, name):
    docker(name, "me", "right")
    assert Logins(Redaction()).of(THING, "docker.io").username == "me"
    assert Logins(Redaction()).of(THING, "ghcr.io") is None


def test_a_password_with_a_colon(docker):
    docker("ghcr.io", "me", "a:b:c")
    assert Logins(Redaction()).of(THING, "ghcr.io").basic == {"Authorization": "Basic bWU6YTpiOmM="}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        json.dumps({"auths": []}),
        json.dumps({"auths": {"ghcr.io": {}}}),
        json.dumps({"auths": {"ghcr.io": {"auth": "!"}}}),
        json.dumps({"credsStore": "desktop"}),
    ],
)
def test_a_file_that_says_nothing(tmp_path, content):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(content)
    assert Logins(Redaction()).of(THING, "ghcr.io") is None


def test_name_and_password_apart(tmp_path):
    (tmp_path / "docker").mkdir()
    entry = {"auths": {"ghcr.io": {"username": "me", "password": "right"}}}
    (tmp_path / "docker" / "config.json").write_text(json.dumps(entry))
    assert Logins(Redaction()).of(THING, "ghcr.io").username == "me"


async def test_the_castles_token_reads_another_repository_of_its_host(fetching, serve, castle, tmp_path, store):
    from fetch.test_git import git

    bare = tmp_path / "hosted" / "localhost" / "owner" / "app.git"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(tmp_path / "work"))
    git(tmp_path / "work", "commit", "--quiet", "--allow-empty", "-m", "first")
    git(tmp_path, "clone", "--quiet", "--bare", str(tmp_path / "work"), str(bare))
    served = await serve(git_app(tmp_path / "hosted", "secret-github-token"))
    url = f"{served.url}/owner/app"
    assert (await fetching(Git(url, branch="main"))).state == "failed"
    change(castle, "castle.yaml", "https://github.com/", f"{served.url}/")
    found = load(castle)
    outcome = await fetching(Git(url, branch="main"), castle=found, paths=paths_of(castle, found.secrets))
    assert outcome.error is None
    assert not any(b"secret-github-token" in file.read_bytes() for file in store.folder.rglob("*") if file.is_file())
    (castle / "vault" / "github-token").write_text("wr0ngtoken")
    outcome = await fetching(Git(url, branch="main"), castle=found, paths=paths_of(castle, found.secrets))
    assert "the credentials of git were rejected, or there is no such repository" in str(outcome.error)
    assert "wr0ngtoken" not in str(outcome.error)
    assert outcome.error.hint == "They are those of gitops.token."


async def test_a_pull_secret_that_is_missing_fails_its_things_alone(fetching, serve, castle):
    registry = RegistryHost()
    host = f"localhost:{(await serve(registry)).port}"
    registry.push("owner/app", "v1", b"layer")
    found = load(castle)
    paths = paths_of(castle, found.secrets)
    for file in paths.vault.iterdir():
        file.unlink()
    missing, there = await fetching(
        Image(name_of("ghcr.io/owner/app")), Image(name_of(f"{host}/owner/app:v1")), castle=found, paths=paths
    )
    assert "no such file: the secret is missing" in str(missing.error)
    assert there.state == "fetched"
