"""Secrets of the vault directory and the environment: taken as they are, or refused with the file's name and never the value."""

import os
from pathlib import Path

import pytest

from rebirth.castle import Decryption
from rebirth.castle.gitops import Substitution
from rebirth.castle.reference import SecretRef
from rebirth.errors import SpecError
from rebirth.phases.resolve_secrets import resolve_secrets
from rebirth.secrets import Redaction

CANARY = "canary-4711"


async def resolve(outside):
    return await resolve_secrets(outside.castle, outside.paths, Redaction())


def token(outside):
    return outside.paths.vault / "github-token"


async def test_from_nothing_and_again_without_a_write(outside):
    before = {file: file.stat().st_mtime_ns for file in outside.paths.vault.rglob("*")}
    first = await resolve(outside)
    assert (await resolve(outside)) == first
    assert first[outside.castle.gitops.token].reveal() == token(outside).read_text()
    assert {file: file.stat().st_mtime_ns for file in outside.paths.vault.rglob("*")} == before
    assert outside.writes == {}


async def test_the_environment_comes_first(outside, monkeypatch):
    monkeypatch.setenv("REBIRTH_SECRET_GITHUB_TOKEN", CANARY)
    token(outside).unlink()  # a run that was killed while somebody wrote the file needs it no more
    assert (await resolve(outside))[outside.castle.gitops.token].reveal() == CANARY


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (f"{CANARY}\0", "control character"),
        (f"{CANARY}\x1b[31m", "control character"),
        (f"{CANARY}\nsecond", "white space"),
        (f"{CANARY}\r\nsecond\r\n", "white space"),
        (CANARY + "x" * (5 << 20), "larger than 64 KiB"),
        (CANARY + "x" * (64 << 10), "larger than 64 KiB"),
        (" \n", "empty"),
    ],
    ids=["NUL", "escape", "two lines", "two lines of Windows", "5 MB", "just too long", "blank"],
)
async def test_what_is_no_token(outside, value, complaint):
    token(outside).write_text(value)
    with pytest.raises(SpecError, match=complaint) as caught:
        await resolve(outside)
    assert str(token(outside)) in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.hint


async def test_too_long_in_the_environment(outside, monkeypatch):
    monkeypatch.setenv("REBIRTH_SECRET_GITHUB_TOKEN", "x" * (65 << 10))
    with pytest.raises(SpecError, match="larger than 64 KiB"):
        await resolve(outside)


async def test_a_pipe_is_not_waited_for(outside):
    token(outside).unlink()
    os.mkfifo(token(outside))
    with pytest.raises(SpecError, match="a FIFO, not a file"):
        await resolve(outside)


async def test_a_device_is_not_read(outside):
    token(outside).unlink()
    token(outside).symlink_to("/dev/zero")
    with pytest.raises(SpecError, match="a device, not a file"):
        await resolve(outside)


async def test_all_that_is_missing_is_said_at_once(outside):
    token(outside).unlink()
    (outside.paths.vault / "proxmox-api-token").unlink()
    with pytest.raises(SpecError) as caught:
        await resolve(outside)
    assert sorted(Path(problem.file).name for problem in caught.value.problems) == [
        "github-token",
        "proxmox-api-token",
    ]


async def test_a_line_break_at_the_end_is_the_editors(outside):
    token(outside).write_text(f"{CANARY}\n")
    assert (await resolve(outside))[outside.castle.gitops.token].reveal() == CANARY


@pytest.mark.parametrize("sound", [True, False])
async def test_an_age_key_is_an_identity_and_not_a_recipient(outside, sound):
    value = "# created: today\nAGE-SECRET-KEY-1QQQQ\n" if sound else "age1qqqq"
    decryption = Decryption(age_key=SecretRef(secret="age.agekey"))
    (outside.paths.vault / "age.agekey").write_text(value)
    gitops = outside.castle.gitops.model_copy(update={"decryption": decryption})
    outside.castle = outside.castle.model_copy(update={"gitops": gitops})
    if sound:
        await resolve(outside)
        return
    with pytest.raises(SpecError, match="not an age identity"):
        await resolve(outside)


async def test_what_is_substituted_may_be_several_words(outside):
    (outside.paths.vault / "owner").write_text("Mr Rossi, Rome\n")
    values = {"cluster-secrets": {"OWNER": SecretRef(secret="owner")}}
    gitops = outside.castle.gitops.model_copy(update={"substitution": Substitution(secrets=values)})
    outside.castle = outside.castle.model_copy(update={"gitops": gitops})
    assert (await resolve(outside))[SecretRef(secret="owner")].reveal() == "Mr Rossi, Rome"
