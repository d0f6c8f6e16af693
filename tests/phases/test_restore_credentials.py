"""The Talos secrets that the castle had are there again; those of machines that run stay."""

import stat
from types import SimpleNamespace

import pytest

from rebirth.castle import CredentialsAnchor, Restore
from rebirth.commands import Commands
from rebirth.paths import Paths
from rebirth.phases import restore_credentials
from rebirth.phases.made.kept import TALOS_SECRETS
from rebirth.providers.talos import Talosctl
from rebirth.run.facts import ArchiveRead, OutsideReached
from rebirth.secrets import Redaction

BUNDLE = b"cluster: {id: kept}\n"


@pytest.fixture
def castle(tmp_path):
    produced = tmp_path / "vault" / "produced"
    paths = Paths(tmp_path, tmp_path / "vault", produced, tmp_path / "state", tmp_path / "logs")
    talosctl = Talosctl(paths=paths, commands=Commands(Redaction()))
    kept = ArchiveRead("20260101T000000Z-castle", {TALOS_SECRETS: BUNDLE})

    async def restore():
        return await restore_credentials.restore_credentials(
            Restore(generation="latest"), CredentialsAnchor(), paths, talosctl, kept, OutsideReached("")
        )

    return SimpleNamespace(restore=restore, paths=paths)


async def test_from_nothing_and_again(castle):
    fact = await castle.restore()
    file = castle.paths.talos_secrets
    assert file.read_bytes() == BUNDLE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in castle.paths.produced.rglob("*") if one.is_file()] == [file.name]
    before = file.stat().st_mtime_ns
    await castle.restore()
    assert file.stat().st_mtime_ns == before
    assert await restore_credentials.still(fact, castle.paths)


async def test_killed_after_the_write(castle):
    """What a killed run left is swept, and what machines may have been sent already is left as it is."""
    scratch = castle.paths.produced / ".scratch"
    scratch.mkdir(parents=True)
    (scratch / "left").write_text("half")
    castle.paths.talos_secrets.write_text("of machines that run")
    await castle.restore()
    assert castle.paths.talos_secrets.read_text() == "of machines that run"
    castle.paths.talos_secrets.unlink()
    await castle.restore()
    assert not (scratch / "left").exists()


async def test_refused_where_it_is_gone(castle):
    fact = await castle.restore()
    castle.paths.talos_secrets.unlink()
    assert not await restore_credentials.still(fact, castle.paths)
