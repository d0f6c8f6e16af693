"""Encrypted files of a repository, before the lab serves it: other values, for the lab's key. With a sops on paper."""

import base64
import subprocess

import pytest
import yaml

from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.lab.systems.git import Repository
from rebirth.lab.systems.sops import encrypt_anew

RECIPIENT = "age1lab"
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "blog-tls", "namespace": "blog"},
    "type": "kubernetes.io/tls",
    "stringData": {"tls.crt": "ENC[AES256_GCM,data:AAAA,type:str]", "plain": "as it is"},
    "data": {"token": "ENC[AES256_GCM,data:BBBB,type:str]"},
    "sops": {
        "age": [{"recipient": "age1theirs", "enc": "-"}],
        "encrypted_regex": "^(data|stringData)$",
        "mac": "ENC[x]",
    },
}


@pytest.fixture
def sops(tmp_path):
    """A program that notes its arguments and leaves the file as it is."""
    program = tmp_path / "sops"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    program.chmod(0o755)
    return program


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "source"
    (source / "apps").mkdir(parents=True)
    (source / "apps/tls.sops.yaml").write_text(yaml.safe_dump(SECRET))
    (source / "apps/other.yaml").write_text("kind: ConfigMap\ndata: {note: 'ENC[ is how encrypted values begin'}\n")
    return source


def settings(sops):
    return {
        "sops": str(sops),
        "recipient": RECIPIENT,
        "kinds": Kinds(Authority("test"), ["blog.example"], "git.example"),
    }


async def test_each_value_is_invented_and_the_file_is_encrypted_for_the_lab(folder, sops, tmp_path):
    other = (folder / "apps/other.yaml").read_text()
    await encrypt_anew(folder, **settings(sops))
    found = yaml.safe_load((folder / "apps/tls.sops.yaml").read_text())
    assert found["stringData"]["tls.crt"].startswith("-----BEGIN CERTIFICATE")
    assert found["stringData"]["plain"] == "as it is"
    assert base64.b64decode(found["data"]["token"], validate=True)
    assert found["metadata"] == SECRET["metadata"]
    assert "sops" not in found
    assert "ENC[" not in str(found)
    (call,) = (tmp_path / "calls").read_text().splitlines()
    wanted = f"encrypt --in-place --age={RECIPIENT} --encrypted-regex=^(data|stringData)$"
    assert call == f"{wanted} {folder / 'apps/tls.sops.yaml'}"
    assert (folder / "apps/other.yaml").read_text() == other


async def test_a_sops_that_fails_is_told_with_the_file(folder, sops):
    sops.write_text("#!/bin/sh\necho no key >&2\nexit 1\n")
    with pytest.raises(RuntimeError, match=r"sops encrypt .*tls\.sops\.yaml: no key"):
        await encrypt_anew(folder, **settings(sops))


async def test_the_folder_itself_is_never_touched_and_is_taken_once(folder, sops, tmp_path):
    before = (folder / "apps/tls.sops.yaml").read_text()

    async def change(copy):
        await encrypt_anew(copy, **settings(sops))

    repository = Repository(tmp_path / "git/repo.git", folder, "main", change)
    await repository.make()
    assert await repository.take() is None, "invented values alone are no change"
    assert (folder / "apps/tls.sops.yaml").read_text() == before
    served = subprocess.run(
        ["git", "-C", str(repository.bare), "show", "main:apps/tls.sops.yaml"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "BEGIN CERTIFICATE" in served.stdout
