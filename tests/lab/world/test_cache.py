"""What was built can be removed again, and nothing else is."""

import os

import pytest

from rebirth.errors import Broken
from rebirth.lab.building.cache import clean
from rebirth.lab.building.toolchain import Toolchain, components
from rebirth.lab.state import STATE_VARIABLE, LabState


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REBIRTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("bin/etcd-000000000000/etcd", "layers/1.tar", "kustomize/abc", "mine/file"):
        file = tmp_path / "cache" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(bytes(1 << 20))
    (tmp_path / "cache/bin/.etcd-unfinished").mkdir()
    return tmp_path / "cache"


def left(cache):
    return {str(file.relative_to(cache)) for file in cache.rglob("*") if file.is_file()}


async def test_programs_and_layers_go_and_nothing_else(cache):
    removed = await clean()
    assert (removed.entries, removed.mebibytes, removed.folder) == (2, 2, cache)
    assert left(cache) == {"kustomize/abc", "mine/file"}
    assert (cache / "bin/.etcd-unfinished").exists(), "somebody may be building it"
    assert (await clean()).entries == 0


async def test_only_what_is_not_used_any_more(cache, paper_go):
    used = await Toolchain(cache).folder(components()[0])
    used.mkdir(parents=True)
    (used / "program").touch()
    removed = await clean(unused=True)
    assert removed.entries == 1
    assert left(cache) == {str((used / "program").relative_to(cache)), "layers/1.tar", "kustomize/abc", "mine/file"}


async def test_not_while_a_lab_runs_from_it(cache):
    state = LabState("demo")
    state.folder.mkdir(parents=True)
    command = ["sleep", "60"]
    pid = os.posix_spawnp(command[0], command, {**os.environ, STATE_VARIABLE: str(state.folder)})
    try:
        state.record(pid)
        with pytest.raises(Broken, match="lab demo is up"):
            await clean()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert "layers/1.tar" in left(cache)
