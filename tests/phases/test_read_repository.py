"""The GitOps repository, read with the real git: what is there, what passes by itself, and what a person has to change."""

import base64
from types import SimpleNamespace

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.lab.systems.git import Repository, git_app
from rebirth.phases import place_secrets
from rebirth.phases.connections import git_remote
from rebirth.phases.read_repository import read_repository
from rebirth.run.facts import RepositoryRead
from rebirth.run.phase import declared
from rebirth.secrets import Redaction, Secret

FLUX = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: source-controller}\n"


@pytest.fixture
async def repository(outside, serve, tmp_path, monkeypatch):
    """`await repository.read()`: the phase, with the real git against a host of its own."""
    source = tmp_path / "source"
    manifests = source / outside.castle.gitops.path / "flux-system"
    manifests.mkdir(parents=True)
    (manifests / "gotk-components.yaml").write_text(FLUX)
    await Repository(tmp_path / "git" / "localhost" / "castle.git", source, outside.castle.gitops.branch).make()
    token = outside.secrets[outside.castle.gitops.token].reveal()
    faults = Faults()
    served = await serve(faults.around("git", git_app(tmp_path / "git", token)))
    monkeypatch.setenv("GIT_SSL_CAINFO", str(serve.ca))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    gitops = outside.castle.gitops.model_copy(update={"repository": f"{served.url}/castle.git"})

    async def read(given=None, **changed):
        asked = gitops.model_copy(update=changed)
        secrets = outside.secrets if given is None else {asked.token: Secret(given)}
        return await read_repository(asked, git_remote(asked, outside.paths, secrets, Commands(Redaction())))

    return SimpleNamespace(
        read=read, faults=faults, gitops=gitops, manifests=manifests, token=token, root=tmp_path / "git"
    )


async def test_from_nothing_and_again_without_a_write(repository):
    fact = await repository.read()
    assert [document["metadata"]["name"] for document in fact.flux_manifests] == ["source-controller"]
    assert (await repository.read()).commit == fact.commit
    assert repository.faults.writes == {}


async def test_cut_off_in_between_and_again(repository):
    repository.faults.set("git", Fault(lose=True, path="git-upload-pack"))
    with pytest.raises(NotYet):
        await repository.read()
    repository.faults.clear()
    assert (await repository.read()).flux_manifests


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_what_passes_by_itself(repository, status):
    repository.faults.set("git", Fault(status=status))
    with pytest.raises(NotYet, match="git: clone") as caught:
        await repository.read()
    assert "gitops.repository" in caught.value.hint
    repository.faults.set("git", Fault(die=True))
    with pytest.raises(NotYet, match="git: clone"):
        await repository.read()


async def test_a_token_that_is_refused(repository):
    with pytest.raises(Broken, match="the token was rejected") as caught:
        await repository.read("rotated-wrongly")
    assert "gitops.token" in caught.value.hint
    assert "rotated-wrongly" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message", "hint"),
    [
        ({"branch": "nowhere"}, "has no branch nowhere", "gitops.branch"),
        ({"path": "clusters/nowhere"}, "has no folder clusters/nowhere", "gitops.path"),
    ],
)
async def test_what_is_not_there(repository, changed, message, hint):
    with pytest.raises(Broken, match=message) as caught:
        await repository.read(**changed)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "answer",
    [PlainTextResponse("sign in\n"), JSONResponse({"message": "fine"}), PlainTextResponse("")],
    ids=["text", "JSON", "nothing"],
)
async def test_a_server_that_is_no_git_host(repository, serve, answer):
    served = await serve(answer)
    with pytest.raises(Broken) as caught:
        await repository.read(repository=f"{served.url}/castle.git")
    assert "branch" not in str(caught.value)
    assert "gitops.repository" in caught.value.hint


def test_a_token_is_tried_against_git_before_it_is_placed_in_the_cluster():
    assert RepositoryRead in declared(place_secrets.place_secrets).takes.values()


async def test_a_repository_that_is_not_public_and_no_token(repository):
    with pytest.raises(Broken, match="does not exist, or is not public") as caught:
        await repository.read(token=None)
    assert "gitops.token" in caught.value.hint


async def test_the_name_that_goes_with_a_token(repository, serve):
    names = set()
    app = git_app(repository.root, repository.token)

    async def noting(scope, receive, send):
        if given := dict(scope["headers"]).get(b"authorization"):
            names.add(base64.b64decode(given.removeprefix(b"Basic ")).partition(b":")[0].decode())
        await app(scope, receive, send)

    served = await serve(noting)
    await repository.read(repository=f"{served.url}/castle.git", username="oauth2")
    assert names == {"oauth2"}


async def test_a_public_repository(repository, serve):
    served = await serve(git_app(repository.root, None))
    fact = await repository.read(token=None, repository=f"{served.url}/castle.git")
    assert len(fact.flux_manifests) == 1
