"""How a command on a castle ends: what is printed, and where."""

import json
import shutil
from pathlib import Path

import pytest

from rebirth import events as e
from rebirth.castle import load
from rebirth.console import Recorder, Silent
from rebirth.errors import Broken, DoesNotHold
from rebirth.events import Events
from rebirth.paths import Paths
from rebirth.run.change import Change, How
from rebirth.run.engine import Outcome
from rebirth.run.facts import MachinesConfigured, SitesVisited
from rebirth.run.foresee import LEFT
from rebirth.secrets import Redaction, Secret
from rebirth.session import Session
from rebirth.terminal.ending import Ending

EXAMPLE = Path(__file__).parents[1] / "examples" / "castle"
SINCE = 1_800_000_000.0
WORKED = (
    e.RunStarted("tazlab-k8s", "create", ("boot_machines", "visit_sites"), at=SINCE),
    e.PhaseReady("boot_machines", at=SINCE),
    e.PhaseDone("boot_machines", at=SINCE + 60),
    e.PhaseReady("visit_sites", "boot_machines", at=SINCE + 60),
    e.PhaseDone("visit_sites", at=SINCE + 63.5),
    e.RunFinished(ok=True, at=SINCE + 75),
)
VISITED = SitesVisited({"blog.tazlab.example": "Ephemeral Castle"})


@pytest.fixture
def ended(tmp_path):
    """ended(events, outcome, command=..., ...) -> the exit code; what is printed is captured."""

    def end(course, outcome, *, command="create", quiet=False, verbose=False, as_json=False) -> int:
        vault = tmp_path / "vault"
        paths = Paths(tmp_path, vault, vault / "produced", tmp_path / "state", tmp_path / "logs")
        redaction = Redaction([Secret("c4n4ry-value")])
        recorder = Recorder(paths.logs / "20270101T000000Z", redaction)
        for event in course:
            recorder(event)
        session = Session(
            castle=load(EXAMPLE), paths=paths, events=Events(recorder), redaction=redaction, folder=recorder.folder,
            command=command, view=Silent(), quiet=quiet or as_json, ending=Ending(), verbose=verbose, as_json=as_json,
        )  # fmt: skip
        try:
            session.finish(outcome)
        except SystemExit as exit_:
            return exit_.code
        finally:
            recorder.close()
        return 0

    return end


def test_create_ends_with_a_short_table_and_what_comes_next(ended, capsys, tmp_path):
    assert ended(WORKED, Outcome({"visit_sites": VISITED})) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.index("boot_machines") < out.index("rebirth report") < out.index("online after 63.5 s")
    assert out.index("online after") < out.index("https://blog.tazlab.example says: Ephemeral Castle")
    assert f"kubeconfig  {tmp_path}/vault/produced/kubeconfig" in out
    assert "layer" not in out.lower()
    assert all((line == line.rstrip() and len(line) <= 80) or "/" in line for line in out.splitlines())


def test_a_second_create_says_that_there_is_nothing_to_do(ended, capsys):
    held = [WORKED[0], e.PhaseHolds("boot_machines", at=SINCE), e.RunFinished(ok=True, at=SINCE + 0.5)]
    assert ended(held, Outcome({"visit_sites": VISITED})) == 0
    assert capsys.readouterr().out.splitlines() == [
        "nothing to do: everything is in place (checked in 0.5 s)",
        "https://blog.tazlab.example says: Ephemeral Castle",
    ]


FAILED = Outcome(
    failures={"free_names": Broken("no such host"), "boot_machines": Broken("said c4n4ry-value", hint="Look.")},
    skipped={"visit_sites": "boot_machines", "converge": "boot_machines"},
)


def test_a_failure_says_the_root_first_and_how_to_go_on(ended, capsys, tmp_path):
    assert ended([*WORKED[:2], e.RunFinished(ok=False)], FAILED) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error: said [secret]",
        "hint: Look.",
        "error: no such host",
        "2 later steps did not run (--verbose names them)",
        f"logs: {tmp_path}/logs/20270101T000000Z",
        "When this is fixed: completed steps are kept; run the same command again to resume",
    ]


def test_the_answer_as_json(ended, capsys, tmp_path):
    assert ended(WORKED, Outcome({"visit_sites": VISITED}), as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sites"] == [{"url": "https://blog.tazlab.example", "heading": "Ephemeral Castle"}]
    assert (found["online"], found["total"]) == (63.5, 75.0)
    assert found["kubeconfig"] == f"{tmp_path}/vault/produced/kubeconfig"
    assert ended([*WORKED[:2], e.RunFinished(ok=False)], FAILED, as_json=True) == 1
    out, _ = capsys.readouterr()
    assert "c4n4ry" not in out
    found = json.loads(out)
    assert {error["step"] for error in found["errors"]} == {"free_names", "boot_machines"}
    assert found["not_run"] == ["converge", "visit_sites"]


def test_quiet_is_quiet(ended, capsys):
    assert ended(WORKED, Outcome({"visit_sites": VISITED}), quiet=True) == 0
    assert capsys.readouterr() == ("", "")


def test_status_says_what_brings_up_what_is_missing(ended, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lacking = Outcome(failures={"boot_machines": DoesNotHold("not in place: gone", operation="Boot the machines")})
    course = [e.RunStarted("tazlab-k8s", "status", ()), e.RunFinished(ok=False)]
    assert ended(course, lacking, command="status") == 1
    out, err = capsys.readouterr()
    assert "boot_machines            not in place: gone" in out.splitlines()
    assert err.startswith("hint: Run `rebirth create` to bring up what is missing.\n")


CNI = Change("machine a", How.REBIRTH, "cluster.network.cni: nodes have their addresses from it", "kubernetes.cni")


def test_create_says_at_its_end_what_it_left(ended, capsys, tmp_path):
    shutil.copy(EXAMPLE / "castle.yaml", tmp_path)
    outcome = Outcome({"visit_sites": VISITED}, left={"configure_machines": [CNI]})
    assert ended(WORKED, outcome) == LEFT
    said = capsys.readouterr().out
    assert "not done, and left to you:\n  machine a: cluster.network.cni" in said
    assert "castle.yaml:48 kubernetes.cni" in said.replace("\n", " ")
    assert ended(WORKED, outcome, as_json=True) == LEFT
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["how"], change["setting"]) == ("needs a rebirth", "kubernetes.cni")


def test_status_says_what_castle_yaml_says_otherwise(ended, capsys):
    outcome = Outcome({"configure_machines": MachinesConfigured(("a",))}, left={"configure_machines": [CNI]})
    assert ended(WORKED, outcome, command="status") == LEFT
    said = capsys.readouterr()
    assert "configure_machines       changed: machine a: cluster.network.cni" in said.out
    assert "(needs a rebirth)" in said.out
    assert "rebirth plan" in said.err
