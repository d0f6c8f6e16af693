"""The Git host over SSH, used by the git and ssh programs."""

import getpass
import os
import shlex
from types import SimpleNamespace

import pytest

from lab.world.castles import write_castle
from lab.world.test_git import ENVIRONMENT, git
from rebirth.castle import load
from rebirth.errors import SpecError
from rebirth.lab import canaries
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import new_ssh_key
from rebirth.lab.needs import examine
from rebirth.lab.spec import Lab, refuse
from rebirth.lab.systems import ssh
from rebirth.lab.systems.git import Repository
from rebirth.lab.systems.parts import Parts
from ssh_host import SSHD
from trees import change

needs_sshd = pytest.mark.skipif(not SSHD.exists() or os.geteuid() != 0, reason="needs openssh-server, and root")


@pytest.fixture
async def host(tmp_path, unused_tcp_port, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    (source / "one.yaml").write_text("kind: One\n")
    repository = Repository(tmp_path / "git/github.com/owner/repo.git", source, "master")
    await repository.make()
    key = new_ssh_key()[0]
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text(key)
    parts = Parts(tmp_path / "log")
    place = {"address": "127.0.0.1", "port": unused_tcp_port}
    public = await ssh.start(parts, folder=tmp_path / "ssh", root=tmp_path / "git", key=key, **place)
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{unused_tcp_port} {public}\n")
    options = {"UserKnownHostsFile": tmp_path / "known_hosts", "StrictHostKeyChecking": "yes", "BatchMode": "yes"}
    command = ["ssh", "-F", "none", "-i", str(tmp_path / "key")]
    command += [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    monkeypatch.setitem(ENVIRONMENT, "GIT_SSH_COMMAND", shlex.join(command))
    yield SimpleNamespace(url=f"ssh://{getpass.getuser()}@127.0.0.1:{unused_tcp_port}", folder=tmp_path)
    await parts.stop()


@needs_sshd
@pytest.mark.parametrize("suffix", ["", ".git"])
async def test_clone_and_push_with_the_key(host, suffix):
    clone = str(host.folder / "clone")
    code, said = await git("clone", f"{host.url}/owner/repo{suffix}", clone)
    assert code == 0, said
    code, said = await git("-C", clone, "commit", "--allow-empty", "-m", "more")
    assert code == 0, said
    code, said = await git("-C", clone, "push")
    assert code == 0, said


@needs_sshd
async def test_a_repository_that_is_not_there(host):
    code, said = await git("ls-remote", f"{host.url}/owner/other")
    assert code
    assert "Repository not found" in said


@needs_sshd
async def test_another_key(host):
    (host.folder / "key").write_text(new_ssh_key()[0])
    code, said = await git("ls-remote", f"{host.url}/owner/repo")
    assert code
    assert "Permission denied" in said


@pytest.fixture
def castle(tmp_path):
    """The folder of a castle whose repository is read over SSH."""
    folder = write_castle(tmp_path / "castle")
    url = "https://github.com/tazlab/tazlab-k8s.git"
    change(folder, "castle.yaml", f"repository: {url}", "repository: ssh://git@github.com/tazlab/tazlab-k8s.git")
    known = "ssh: {private_key: {secret: github-key}, known_hosts: {secret: hosts}}"
    change(folder, "castle.yaml", "  token: {secret: github-token}\n", f"  {known}\n")
    entry = "    - namespace: flux-system\n      name: flux-system\n      data: {username: git, password: {secret: github-token}}\n"
    change(folder, "castle.yaml", entry, "")
    return folder


def test_a_secret_for_the_key(castle):
    ca = Authority("test")
    made = canaries.make(load(castle), Lab(), ca=ca, vault_ca=ca)
    assert made["github-key"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----")


def test_known_hosts_in_castle_yaml_cannot_be_the_labs(castle):
    refuse(load(castle))
    change(castle, "castle.yaml", "known_hosts: {secret: hosts}", "known_hosts: github.com ssh-ed25519 AAAA")
    with pytest.raises(SpecError, match="the lab's Git host cannot have the key of the real one") as caught:
        refuse(load(castle))
    assert "{secret: NAME}" in caught.value.hint


async def test_the_machine_is_looked_at_for_it(castle):
    checks = {check.what: check for check in await examine(castle)}
    assert checks["sshd"].sound is SSHD.exists()


def test_flux_operator_is_not_in_the_lab(castle):
    change(castle, "castle.yaml", "  interval: 1m\n", "  interval: 1m\n  flux: {operator: {version: 0.59.0}}\n")
    with pytest.raises(SpecError, match="the lab does not have flux-operator"):
        refuse(load(castle))
