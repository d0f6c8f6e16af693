"""What the lab needs of a machine."""

import json

import pytest
from typer.testing import CliRunner

from lab.world.castles import write_castle
from rebirth.cli import app
from rebirth.errors import SpecError
from rebirth.lab.needs import controllers, examine, watchers


@pytest.fixture
def proc(tmp_path):
    """A /proc in which one process has as many inotify instances as asked for."""

    def with_instances(used: int, limit: int):
        fds = tmp_path / "4711" / "fd"
        fds.mkdir(parents=True)
        for number in range(used):
            (fds / str(number)).symlink_to("anon_inode:inotify")
        (fds / "x").symlink_to("/dev/null")
        setting = tmp_path / "sys/fs/inotify/max_user_instances"
        setting.parent.mkdir(parents=True)
        setting.write_text(f"{limit}\n")
        return tmp_path

    return with_instances


@pytest.mark.parametrize(
    ("used", "limit", "sound"), [(3, 128, True), (100, 128, True), (101, 128, False), (128, 128, False)]
)
def test_inotify_instances(proc, used, limit, sound):
    check = watchers(2, proc(used, limit))
    assert check
    assert check.sound is sound
    assert f"{used} of {limit} in use" in check.what
    assert "sysctl -w fs.inotify.max_user_instances=512" in check.fix


def test_more_machines_take_more(proc):
    check = watchers(40, proc(0, 512))
    assert check
    assert not check.sound
    assert "max_user_instances=1024" in check.fix


def test_a_kernel_that_has_no_such_limit(tmp_path):
    assert watchers(2, tmp_path) is None


@pytest.mark.parametrize(("processes", "sound"), [("", True), ("0\n0\n4711\n", False)])
def test_the_first_control_group_of_a_container(tmp_path, processes, sound):
    (tmp_path / "cgroup.type").write_text("domain\n")
    (tmp_path / "cgroup.procs").write_text(processes)  # 0 is a process from outside of the container
    check = controllers(tmp_path)
    assert check
    assert check.sound is sound
    assert f"{len(processes.split())} processes" in check.what
    assert f"mkdir {tmp_path}/init; for pid in" in check.fix


def test_control_groups_of_version_1_and_the_first_group_of_the_kernel(tmp_path):
    (tmp_path / "cgroup.procs").write_text("1\n")
    assert controllers(tmp_path) is None


async def test_the_machine_is_looked_at():
    checks = {check.what.split()[0]: check for check in await examine(None)}
    assert {"Linux", "root", "Debian", "control", "disk", "memory", "namespaces", "Go"} <= set(checks)
    assert checks["Linux"].sound
    assert all(check.fix for check in checks.values() if not check.sound)
    assert not [name for name in checks if name in {"secret", "helm", "talosctl"}], "a rehearsal brings these"


async def test_a_castle_whose_lab_yaml_is_wrong(tmp_path):
    castle = write_castle(tmp_path)
    (castle / "lab.yaml").write_text("repositorys: {}\n")
    with pytest.raises(SpecError, match="repositorys"):
        await examine(castle)


def test_the_doctor_has_two_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = json.loads(CliRunner().invoke(app, ["doctor", "--lab", "--json"]).stdout)
    assert shown["for"] == "the lab"
    assert "Go" in " ".join(check["what"] for check in shown["checks"])
    done = CliRunner().invoke(app, ["doctor", "--json"])
    shown = json.loads(done.stdout)
    assert [check["what"] for check in shown["checks"]] == ["git", "helm", "talosctl"]
    assert done.exit_code == (0 if shown["sound"] else 1)
