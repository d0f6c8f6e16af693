"""Where a castle's repository is read from, and what create does where it cannot be proved."""

import shutil
import uuid
from pathlib import Path

import pytest

from rebirth import checking
from rebirth.castle import load
from rebirth.errors import Broken, Impossible
from rebirth.lab.ca import Authority
from rebirth.repository import local
from rebirth.session import session
from trees import change

EXAMPLE = Path(__file__).parents[1] / "examples" / "castle"


@pytest.fixture
def castle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example castle without a lab.yaml and without its repository; its secrets are there."""
    for name in ("REBIRTH_LAB", "REBIRTH_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "castle"
    folder.mkdir()
    shutil.copy(EXAMPLE / "castle.yaml", folder)
    shapes = {"lushycorp-vault/ca.crt": Authority("test").pem, "proxmox-api-token": f"root@pam!t={uuid.uuid4()}"}
    for _, reference in load(folder).references():
        file = tmp_path / "secrets" / reference.secret
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(shapes.get(reference.secret, "a-value"))
    return folder


def found(castle: Path) -> Path | None:
    return local(castle, load(castle))


def repository(folder: Path, *, cycle: bool = False) -> Path:
    shutil.copytree(EXAMPLE / "gitops", folder, dirs_exist_ok=True)
    if cycle:
        depends = "spec:\n  dependsOn:\n    - name: apps\n"
        change(folder, "clusters/tazlab-k8s/bridge.yaml", "spec:\n", depends)
    return folder


def test_it_may_lie_nowhere_on_this_machine(castle):
    assert found(castle) is None


def test_it_lies_beside_castle_yaml(castle):
    assert found(castle) is None
    beside = repository(castle / "gitops")
    assert found(castle) == beside


def test_the_checkout_that_the_castle_lies_in(castle, tmp_path):
    repository(tmp_path)
    assert found(castle) is None, "a folder above that is no checkout is not meant"
    (tmp_path / ".git").mkdir()
    assert found(castle) == tmp_path


def test_a_folder_beside_that_is_a_part_of_the_checkout_is_not_taken_for_the_whole(castle, tmp_path):
    repository(tmp_path)
    (tmp_path / ".git").mkdir()
    (castle / "gitops").mkdir()
    assert found(castle) == tmp_path


def test_a_lab_names_the_folder_that_it_serves_and_nothing_else_may(castle, tmp_path, monkeypatch):
    beside, other = repository(castle / "gitops"), repository(tmp_path / "other")
    monkeypatch.setenv("REBIRTH_REPOSITORY", str(other))
    assert found(castle) == beside
    monkeypatch.setenv("REBIRTH_LAB", "demo")
    assert found(castle) == other


@pytest.mark.parametrize(
    "lab_yaml",
    ["repositorys: {}\n", "version: 1\nrepositories: {https://github.com/tazlab/tazlab-k8s.git: nowhere}\n", ":"],
)
def test_what_stands_in_lab_yaml_does_not_touch_the_proof(castle, lab_yaml):
    (castle / "lab.yaml").write_text(lab_yaml)
    repository(castle / "gitops", cycle=True)
    with session(castle, "create", "text") as s, pytest.raises(Impossible):
        checking.before_create(s, unproved=False)


def test_a_repository_that_cannot_be_fetched_stops_create(castle, tmp_path):
    (tmp_path / ".gitconfig").write_text('[url "file:///nowhere/"]\n  insteadOf = https://github.com/\n')
    with session(castle, "create", "json") as s, pytest.raises(Broken, match="git: clone"):
        checking.before_create(s, unproved=False)
    events = (s.folder / "events.jsonl").read_text()
    assert "the proof failed" in events
    assert '"RunFinished"' in events


def test_going_on_unproved_is_said(castle, capsys):
    with session(castle, "create", "text") as s:
        checked = checking.before_create(s, unproved=True)
    assert checked.unproved
    assert "unproved: the repository is not on this machine" in capsys.readouterr().out


def test_missing_secrets_are_left_to_the_run_and_said(castle, tmp_path, capsys):
    (tmp_path / "secrets" / "github-token").unlink()
    with session(castle, "create", "text") as s:
        checking.before_create(s, unproved=False)
    assert "unproved: without its secrets the repository cannot be fetched" in capsys.readouterr().out


def test_check_says_beforehand_that_the_flux_program_is_needed(castle, capsys, tmp_path, monkeypatch):
    repository(castle / "gitops")
    monkeypatch.setenv("PATH", str(tmp_path))
    checking.check(checking.Asked(castle), checking.Said())
    assert "R71" not in capsys.readouterr().out
    shutil.rmtree(castle / "gitops/clusters/tazlab-k8s/flux-system")
    change(castle, "gitops/clusters/tazlab-k8s/kustomization.yaml", "  - flux-system\n", "")
    checking.check(checking.Asked(castle), checking.Said())
    assert "R71" in capsys.readouterr().out
