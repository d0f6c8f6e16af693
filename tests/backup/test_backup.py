"""`rebirth backup`: a generation or none, and nothing in clear."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from anchored import all_bytes, new_key
from rebirth.backup import run
from rebirth.backup.facts import GenerationWritten
from rebirth.castle import load
from rebirth.cli import app
from rebirth.errors import Broken, SpecError
from rebirth.events import Events
from rebirth.paths import paths_of
from rebirth.phases.made.kept import TALOS_SECRETS
from rebirth.run.journal import Journal
from rebirth.secrets import Redaction

CANARY = "canary-7c1e: a secret of Talos"


@pytest.fixture
def castle(tmp_path, monkeypatch):
    """The example castle, of which the Talos secrets are kept in a folder."""
    from phases.conftest import write_castle

    folder = tmp_path / "castle"
    folder.mkdir()
    write_castle(folder, proxmox="https://pve.test:8006", tailscale="https://tailscale.test", ca=_authority())
    text = (folder / "castle.yaml").read_text()

    def anchor(**more):
        said = {"archive": {"folder": str(tmp_path / "kept")}, "age_key": {"secret": "age-key"}, **more}
        (folder / "castle.yaml").write_text(f"{text}\nanchors: {json.dumps(said)}\n")
        return load(folder)

    made = anchor()
    (folder / "vault" / "age-key").write_text(new_key())
    paths = paths_of(folder, made.secrets, {})
    paths.produced.mkdir(mode=0o700)
    paths.talos_secrets.write_text(CANARY)

    async def backup(castle=made):
        seen = []
        outcome = await run.backup(castle, paths, Events(seen.append), Redaction())
        return SimpleNamespace(outcome=outcome, made=outcome.made(GenerationWritten), seen=seen)

    return SimpleNamespace(
        folder=folder, kept=tmp_path / "kept", paths=paths, backup=backup, anchor=anchor, castle=made
    )  # fmt: skip


def _authority():
    from rebirth.lab.ca import Authority

    return Authority("the tests").pem


async def test_a_generation_and_nothing_in_clear(castle):
    done = await castle.backup()
    assert done.outcome.ok, done.outcome.failures
    assert [(part.kind, part.name) for part in done.made.parts] == [TALOS_SECRETS]
    place, found, others = await run.listed(castle.castle, castle.paths)
    assert (place, [one.name for one in found], others) == (str(castle.kept), [done.made.name], [])
    everywhere = all_bytes(castle.kept) + all_bytes(castle.paths.state) + repr(done.seen).encode()
    assert CANARY.encode() not in everywhere
    assert (castle.paths.vault / "age-key").read_bytes().splitlines()[-1] not in everywhere


async def test_none_where_something_cannot_be_kept(castle):
    castle.paths.talos_secrets.unlink()
    done = await castle.backup()
    assert [str(error) for error in done.outcome.failures.values()] == [
        f"{castle.paths.talos_secrets}: keep the Talos secrets: there are none"
    ]
    assert (await run.listed(castle.castle, castle.paths))[1] == []


async def test_not_of_a_castle_that_is_not_whole_again(castle):
    """The latest would lack what has not come back yet."""
    with pytest.raises(Broken, match="create has not done this yet: Restore the Talos secrets"):
        await castle.backup(castle.anchor(restore="latest"))
    with Journal(castle.paths.state) as journal:
        from rebirth.run.facts import CredentialsRestored

        journal.remember("restore_credentials", CredentialsRestored(()), "x")
    assert (await castle.backup(castle.anchor(restore="latest"))).outcome.ok


async def test_not_beside_create(castle):
    with Journal(castle.paths.state, "create"), pytest.raises(Broken, match="`rebirth create`"):
        await castle.backup()


async def test_a_castle_that_keeps_nothing(castle):
    bare = castle.castle.model_copy(update={"anchors": None})
    with pytest.raises(SpecError, match="no section `anchors`"):
        await castle.backup(bare)


def test_the_command(castle):
    runner = CliRunner()
    said = runner.invoke(app, ["backup", str(castle.folder)])
    assert said.exit_code == 0, said.output
    assert "kept as " in said.output
    listed = runner.invoke(app, ["backup", str(castle.folder), "--list", "--json"])
    found = json.loads(listed.output)
    assert [part["kind"] for part in found["generations"][0]["parts"]] == ["credentials"]
    assert found["generations"][0]["name"] in runner.invoke(app, ["backup", str(castle.folder), "--list"]).output
    assert CANARY.encode() not in all_bytes(castle.paths.logs) + said.output.encode()
