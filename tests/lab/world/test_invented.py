"""Encrypted files in each of the formats of sops, as files that hold other values in the clear."""

import base64
import json
from pathlib import PurePosixPath

import pytest
import yaml

from rebirth.lab.ca import Authority
from rebirth.lab.invented import in_the_clear
from rebirth.lab.kinds import Kinds

TEXT = "ENC[AES256_GCM,data:AAAA,iv:BBBB,tag:CCCC,type:str]"
NUMBER = "ENC[AES256_GCM,data:AAAA,iv:BBBB,tag:CCCC,type:int]"
BLOCK = {"age": [{"recipient": "age1theirs", "enc": "-"}], "mac": "ENC[x]", "version": "3.9.0"}


@pytest.fixture
def clear():
    kinds = Kinds(Authority("test"), ["blog.example"], "git.example")

    def made(path: str, text: str) -> str | None:
        found = in_the_clear(PurePosixPath(path), text.encode(), kinds)
        return found.decode() if found is not None else None

    return made


@pytest.mark.parametrize("path", ["values.yaml.enc", "secret.sops"])
def test_yaml_by_another_name(clear, path):
    assert "ENC[" not in clear(path, yaml.safe_dump({"password": TEXT, "sops": BLOCK}))


def test_yaml(clear):
    secret = {
        "kind": "Secret",
        "metadata": {"name": "db"},
        "data": {"password": TEXT},
        "stringData": {"tls.crt": TEXT, "plain": "as it is"},
        "sops": BLOCK,
    }
    other = {"kind": "ConfigMap", "data": {"note": "in the same file"}}
    found, beside = yaml.safe_load_all(clear("secret.sops.yaml", yaml.safe_dump_all([secret, other])))
    assert base64.b64decode(found["data"]["password"], validate=True)
    assert found["stringData"]["tls.crt"].startswith("-----BEGIN CERTIFICATE")
    assert found["stringData"]["plain"] == "as it is"
    assert "sops" not in found
    assert beside == other


def test_numbers_stay_numbers(clear):
    assert yaml.safe_load(clear("a.yaml", yaml.safe_dump({"replicas": NUMBER, "sops": BLOCK}))) == {"replicas": 1}


def test_json(clear):
    found = json.loads(clear("a.json", json.dumps({"user": TEXT, "port": 1, "sops": BLOCK})))
    assert found.keys() == {"user", "port"}
    assert "ENC[" not in found["user"]


def test_dotenv(clear):
    text = f"#{TEXT}\nUSER={TEXT}\nPLAIN=a=b\nsops_mac=ENC[x]\nsops_version=3.9.0\n"
    user, plain = clear("db.env", text).splitlines()
    assert user.startswith("USER=")
    assert "ENC[" not in user
    assert plain == "PLAIN=a=b"


def test_ini(clear):
    text = f"[Server]\nUser = {TEXT}\nport = 1\n\n[sops]\nmac = ENC[x]\n"
    found = clear("db.ini", text)
    assert "[Server]\nUser = " in found
    assert "port = 1" in found
    assert "sops" not in found
    assert "ENC[" not in found


@pytest.mark.parametrize(("path", "begins"), [("id_ed25519", "-----BEGIN OPENSSH"), ("deep/tls.key", "-----BEGIN EC")])
def test_a_file_that_is_encrypted_as_a_whole_is_of_the_kind_that_its_name_says(clear, path, begins):
    found = clear(path, json.dumps({"data": TEXT, "sops": BLOCK}))
    assert found.startswith((begins, "-----BEGIN PRIVATE"))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("note.yaml", "note: 'ENC[ is how encrypted values begin'\n"),
        ("broken.yaml", "ENC[ {\n"),
        ("note.env", "NOTE=ENC[\n"),
        ("note.ini", "[a]\nb = ENC[\n"),
        ("README.md", "Values begin with ENC[.\n"),
        ("plain.yaml", "a: b\n"),
    ],
)
def test_what_is_not_encrypted_stays(clear, path, text):
    assert clear(path, text) is None


def test_what_is_no_text_stays(clear):
    assert in_the_clear(PurePosixPath("a.yaml"), b"\xff\xfeENC[", None) is None
