"""Files that talosctl makes, with the real program: whole, for the operator only, and made once."""

import asyncio
import os
import stat
from pathlib import Path

import pytest
import yaml

from rebirth.commands import Commands
from rebirth.lab.building.toolchain import Toolchain
from rebirth.paths import Paths
from rebirth.providers.talos import Talosctl
from rebirth.secrets import Redaction

pytestmark = pytest.mark.lab


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path, tmp_path, tmp_path / "produced", tmp_path / "state", tmp_path / "logs")


@pytest.fixture
def talosctl(paths, monkeypatch):
    found = asyncio.run(Toolchain().programs()).get("talosctl")
    if found is None:
        pytest.skip("talosctl is not built (make lab)")
    monkeypatch.setenv("PATH", f"{Path(found).parent}:{os.environ['PATH']}")
    return Talosctl(paths=paths, commands=Commands(Redaction()))


async def write(talosctl):
    await talosctl.ensure_secrets()
    await talosctl.write_client_configuration(
        cluster="test", endpoint="https://10.0.0.1:6443", endpoints=["10.0.0.1", "10.0.0.2"], talos="v1.12.0"
    )


async def test_made_once_and_for_the_operator_only(talosctl, paths):
    await write(talosctl)
    first = paths.talos_secrets.read_bytes()
    await write(talosctl)
    assert paths.talos_secrets.read_bytes() == first
    context = yaml.safe_load(paths.talosconfig.read_text())["contexts"]["test"]
    assert (context["endpoints"], context["nodes"]) == (["10.0.0.1", "10.0.0.2"], ["10.0.0.1"])
    for file in (paths.talos_secrets, paths.talosconfig):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.produced.stat().st_mode) == 0o700
    assert not list(paths.scratch.glob("*"))


async def test_what_a_killed_run_left_is_neither_used_nor_kept(talosctl, paths):
    scratch = paths.scratch
    scratch.mkdir(parents=True)
    for name in ("talos-secrets.yaml", "talosconfig", "worker.yaml"):
        (scratch / name).write_text("half of a f")
    await write(talosctl)
    assert yaml.safe_load(paths.talos_secrets.read_text())["cluster"]["id"]
    assert not list(scratch.glob("*"))
