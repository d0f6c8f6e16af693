"""What a run says at its end."""

from pathlib import Path

import pytest

from rebirth import events as e
from rebirth.paths import Paths
from rebirth.report import closing
from rebirth.report.timeline import read


def place_in(folder: Path, lab: str | None = None) -> Paths:
    vault = folder / "vault"
    return Paths(folder, vault, vault / "produced", folder / ".rebirth", folder / "logs", lab)


@pytest.fixture
def there(tmp_path, monkeypatch):
    (tmp_path / "my castle").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(record, course, paths) -> list[str]:
    run = read(record("one", course))
    return closing.success(run, paths, paths.logs / "one", {"blog.example": "Hello"}).plain.split("\n")


def test_it_says_the_times_the_sites_the_kubeconfig_and_what_comes_next(record, course, there):
    lines = said(record, course, place_in(there / "my castle"))
    assert lines[0] == "tower: online after 9.0 s, everything in place after 10.0 s"
    assert lines[1] == "5 steps done"
    assert "https://blog.example says: Hello" in lines
    assert f"kubeconfig  {there}/my castle/vault/produced/kubeconfig" in lines
    assert f"logs        {there}/my castle/logs/one" in lines
    assert lines[lines.index("Next:") + 1 :] == [
        f"  export KUBECONFIG='{there}/my castle/vault/produced/kubeconfig'",
        "  kubectl get nodes,kustomizations,pods -A",
        "  rebirth status 'my castle'",
        "  rebirth destroy 'my castle'",
    ]


@pytest.mark.parametrize(("lab", "option"), [("tower", "--lab"), ("other", "--lab --lab-name other")])
def test_after_a_rehearsal_the_next_commands_act_on_the_lab(record, course, there, lab, option):
    lines = said(record, course, place_in(there, lab))
    assert lines[lines.index("Next:") + 1 :] == [
        f"  rebirth lab run --lab-name {lab} -- kubectl get nodes,kustomizations,pods -A",
        f"  rebirth status {option}",
        f"  rebirth destroy {option}",
    ]
    assert any(line.endswith("kubeconfig (its API answers inside the lab only)") for line in lines)


def test_what_was_in_place_already_is_counted(record, course, there):
    lines = said(record, [*course[:-1], e.PhaseHolds("upload"), course[-1]], place_in(there))
    assert lines[1] == "5 steps done, 1 in place already"


def test_a_castle_elsewhere_is_named_by_its_whole_path(there, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert closing.again("status", place_in(elsewhere), "tower") == f"rebirth status {elsewhere}"


def test_nothing_to_do(record, course):
    holds = [course[0], e.PhaseHolds("resolve"), e.RunFinished(ok=True, at=course[0].at + 0.54)]
    words = "nothing to do: everything is in place (checked in 0.5 s)"
    assert closing.unchanged(read(record("one", holds))) == words


@pytest.mark.parametrize("verbose", [False, True])
def test_what_did_not_run_is_counted_and_named_only_if_asked(verbose):
    words = closing.stopped(Path("/logs/one"), ["b", "a"], verbose=verbose)
    first, logs, on = words.splitlines()
    assert first == (
        "2 later steps did not run: a, b" if verbose else "2 later steps did not run (--verbose names them)"
    )
    assert logs == "logs: /logs/one"
    assert on.endswith("run the same command again to go on")


def test_ctrl_c_says_how_to_go_on_where_something_was_begun():
    assert closing.interrupted("create", 3.14).startswith(
        "interrupted after 3.1 s; what was done stays done; run the same"
    )
    assert closing.interrupted("verify", 3.14, by="SIGTERM") == "interrupted by SIGTERM after 3.1 s"
