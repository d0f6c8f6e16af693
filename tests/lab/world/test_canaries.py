"""Secrets made for a rehearsal."""

import base64
import re
import secrets
from pathlib import Path
from urllib.parse import quote

import pytest

from lab.world.castles import write_castle
from rebirth.castle import load
from rebirth.errors import SpecError
from rebirth.lab import canaries
from rebirth.lab.ca import Authority
from rebirth.lab.spec import load_lab

LAB, VAULT = Authority("lab"), Authority("vault")


@pytest.fixture
def castle(tmp_path: Path) -> Path:
    return write_castle(tmp_path / "castle")


def made(castle: Path) -> dict[str, str]:
    return canaries.make(load(castle), load_lab(castle), ca=LAB, vault_ca=VAULT)


def test_every_reference_of_the_castle_has_a_value(castle):
    assert {reference.secret for _, reference in load(castle).references()} == set(made(castle))


def test_values_are_shaped_like_the_real_ones(castle):
    values = made(castle)
    assert re.fullmatch(r"ghp_[0-9a-f]{36}", values["github-token"])
    assert re.fullmatch(r"[^@]+@pve![^=]+=[0-9a-f-]{36}", values["proxmox-api-token"])
    assert values["lushycorp-vault/ca.crt"] == VAULT.pem
    assert values["tailscale-operator-client-secret"].startswith("tskey-client-")


def test_a_certificate_that_the_castle_wants_to_trust_is_the_labs(castle):
    file = castle / "castle.yaml"
    file.write_text(file.read_text().replace("  # ca: {secret: proxmox-ca}", "  ca: {secret: proxmox-ca}"))
    assert made(castle)["proxmox-ca"] == LAB.pem


def test_two_labs_share_no_secret(castle):
    once, again = made(castle), made(castle)
    assert {name for name in once if once[name] == again[name]} == {"lushycorp-vault/ca.crt"}


def test_only_their_owner_reads_them(castle, tmp_path):
    canaries.write({"a": "1", "b/c": "2"}, tmp_path / "secrets")
    assert (tmp_path / "secrets" / "b" / "c").read_text() == "2"
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").rglob("*")}
    assert modes == {"a": 0o600, "b": 0o700, "c": 0o600}


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_a_leak_is_seen_in_base64_and_in_urls(before):
    value = f"tskey/{secrets.token_hex(12)}"
    looked_for = canaries.forms([f"-----BEGIN-----\n{value}\nshort\n"])
    leaks = (
        value,
        f"https://{quote(before + value, safe='')}@host",
        base64.b64encode(f"{before}{value}:x".encode()).decode(),
        base64.b64encode(f"{before}{value}".encode()).decode(),
    )
    for leak in leaks:
        assert any(form in leak for form in looked_for), leak
    assert not [form for form in looked_for if form in "-----BEGIN----- short, and other words" or len(form) < 9]


def test_a_castle_needs_no_lab_yaml(castle):
    (castle / "lab.yaml").unlink()
    assert load_lab(castle).repositories == {}


def test_mistakes_in_lab_yaml_are_reported_with_their_place(castle):
    (castle / "lab.yaml").write_text("version: 1\nrepositorys: {}\ntailnet:\n  ephemeral_seconds: 0\n")
    with pytest.raises(SpecError) as caught:
        load_lab(castle)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (2, "repositorys"),
        (4, "tailnet.ephemeral_seconds"),
    ]
