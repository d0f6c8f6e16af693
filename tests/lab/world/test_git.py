"""The Git host, used by the git program."""

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rebirth.lab.ca import Authority
from rebirth.lab.systems.git import Repository, copy, git_app
from rebirth.lab.systems.servers import Servers

ENVIRONMENT = {
    **os.environ,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": "test@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


async def git(*arguments: str, ca: Path | None = None) -> tuple[int, str]:
    environment = {**ENVIRONMENT, **({"GIT_SSL_CAINFO": str(ca)} if ca else {})}
    process = await asyncio.create_subprocess_exec(
        "git", *arguments, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.fixture
def serve(tmp_path, unused_tcp_port):
    @asynccontextmanager
    async def served():
        source = tmp_path / "source"
        (source / "clusters").mkdir(parents=True)
        (source / "clusters" / "one.yaml").write_text("kind: One\n")
        (source / ".gitignore").write_text("*.yaml\n")
        repository = Repository(tmp_path / "git/localhost/owner/repo.git", source, "master")
        await repository.make()
        assert not (source / ".git").exists()
        authority = Authority("lab")
        (tmp_path / "ca.crt").write_text(authority.pem)
        servers = Servers(authority, tmp_path / "tls", tmp_path)
        await copy(repository.bare, tmp_path / "public/localhost/others/lib.git")
        app = git_app(tmp_path / "git", "token", tmp_path / "public")
        await servers.start("git", app, address="127.0.0.1", port=unused_tcp_port, hosts=["localhost"])
        try:
            yield f"localhost:{unused_tcp_port}/owner/repo", servers, repository
        finally:
            await servers.stop()

    return served


@pytest.mark.parametrize("suffix", ["", ".git"])
async def test_clone_and_push_with_the_token(serve, tmp_path, suffix):
    async with serve() as (place, servers, _):
        url, ca, clone = f"https://x:token@{place}{suffix}", tmp_path / "ca.crt", str(tmp_path / "clone")
        code, said = await git("clone", url, clone, ca=ca)
        assert code == 0, said
        assert (tmp_path / "clone/clusters/one.yaml").exists(), "ignored files are part of the castle, too"
        assert servers.faults.writes["git"] == 0
        (tmp_path / "clone/clusters/one.yaml").write_text("kind: Two\n" * 10_000)
        await git("-C", clone, "commit", "-qam", "two")
        code, said = await git("-C", clone, "push", ca=ca)
        assert code == 0, said
        assert servers.faults.writes["git"] == 1
        code, said = await git("ls-remote", url, "master", ca=ca)
        assert said.split()[0] == (await git("-C", clone, "rev-parse", "HEAD"))[1].strip()


@pytest.mark.parametrize("credentials", ["", "x:wrong@", "token@"])
async def test_without_the_token_nothing_is_told(serve, tmp_path, credentials):
    async with serve() as (place, *_):
        for path in (place, place.replace("repo", "absent")):
            code, said = await git("ls-remote", f"https://{credentials}{path}", ca=tmp_path / "ca.crt")
            assert code == 128
            assert "could not read" in said or "Authentication failed" in said


async def test_a_repository_that_is_not_there(serve, tmp_path):
    async with serve() as (place, *_):
        url = f"https://x:token@{place}".replace("repo", "absent")
        code, said = await git("ls-remote", url, ca=tmp_path / "ca.crt")
        assert (code, "not found" in said) == (128, True)


async def test_the_log_holds_no_secret(serve, tmp_path):
    async with serve() as (place, *_):
        await git("ls-remote", f"https://x:token@{place}?secret=token", ca=tmp_path / "ca.crt")
    log = (tmp_path / "git.log").read_text()
    assert "GET localhost" in log
    assert "token" not in log


async def test_what_the_folder_holds_now_is_taken_when_told(serve, tmp_path):
    async with serve() as (place, _, repository):
        url, ca, clone = f"https://x:token@{place}", tmp_path / "ca.crt", str(tmp_path / "clone")
        await git("clone", url, clone, ca=ca)
        assert await repository.take() is None, "nothing has changed"
        one = repository.source / "clusters/one.yaml"
        one.write_text("kind: Two\n")
        (repository.source / "clusters/two.yaml").write_text("kind: Two\n")
        commit = await repository.take()
        code, said = await git("-C", clone, "pull", "--ff-only", ca=ca)
        assert code == 0, said
        assert (await git("-C", clone, "rev-parse", "HEAD"))[1].strip() == commit
        assert (tmp_path / "clone/clusters/one.yaml").read_text() == "kind: Two\n"
        one.unlink()
        assert await repository.take()
        await git("-C", clone, "pull", "--ff-only", ca=ca)
        assert not (tmp_path / "clone/clusters/one.yaml").exists()


async def test_what_was_pushed_stays_while_the_folder_does_not_change(serve, tmp_path):
    async with serve() as (place, _, repository):
        url, ca, clone = f"https://x:token@{place}", tmp_path / "ca.crt", str(tmp_path / "clone")
        await git("clone", url, clone, ca=ca)
        (tmp_path / "clone/clusters/pushed.yaml").write_text("kind: Pushed\n")
        await git("-C", clone, "add", "--force", ".")
        await git("-C", clone, "commit", "-qm", "pushed")
        await git("-C", clone, "push", ca=ca)
        assert await repository.take() is None
        (repository.source / "clusters/one.yaml").write_text("kind: Two\n")
        assert await repository.take()
        code, said = await git("-C", clone, "pull", "--ff-only", ca=ca)
        assert code == 0, "what was pushed is in the history: " + said


async def test_a_folder_that_is_gone_is_an_error(serve):
    async with serve() as (_, _, repository):
        shutil.rmtree(repository.source)
        with pytest.raises((RuntimeError, OSError)):
            await repository.take()


@pytest.mark.parametrize("suffix", ["", ".git"])
async def test_everybody_reads_what_others_have_published(serve, tmp_path, suffix):
    async with serve() as (place, _, repository):
        url, ca = f"https://{place}".replace("owner/repo", "others/lib") + suffix, tmp_path / "ca.crt"
        code, said = await git("ls-remote", url, "master", ca=ca)
        assert code == 0, said
        assert said.split()[0] == (await git("-C", str(repository.bare), "rev-parse", "master"))[1].strip()
