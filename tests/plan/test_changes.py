"""What create would do to a castle that lives, as it is shown; and where castle.yaml says it."""

import json
from pathlib import Path

from rebirth.castle.load import line_of
from rebirth.paths import Paths
from rebirth.plan import changes
from rebirth.run.change import Change, How
from rebirth.run.foresee import LEFT, Outlook, lives

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
FORWARD = Change(
    "ConfigMap kube-system/coredns", How.NOW, "data.Corefile will be as castle.yaml says", "engine.coredns.forwards"
)
NAME = Change("machine a", How.REBIRTH, "cluster.clusterName: machines have the castle's name", "name")


def line(words):
    return next(
        number for number, text in enumerate((EXAMPLE / "castle.yaml").read_text().splitlines(), 1) if words in text
    )


def test_where_castle_yaml_says_it():
    assert line_of(EXAMPLE, "engine.coredns.forwards") == line("    forwards:")
    assert line_of(EXAMPLE, "machines.nodes[1].memory_mib") == line("tazlab-k8s-worker-1, role: worker")
    assert line_of(EXAMPLE, "kubernetes.cni") == line("kubernetes:"), "a default stands where it would be said"
    assert line_of(EXAMPLE, "existing.nothing") == 0


def test_each_kind_has_its_part_in_one_order():
    outlook = Outlook({"one": (FORWARD,), "two": (NAME,)}, {"three": "no answer"})
    said = changes.render(outlook, EXAMPLE, castle="c", width=100)
    assert (
        said
        == f"""\
what `rebirth create` would do to the living castle c:
  applied now:
    ConfigMap kube-system/coredns: data.Corefile will be as castle.yaml says
      at castle.yaml:{line("    forwards:")} engine.coredns.forwards
  needs a rebirth:
    machine a: cluster.clusterName: machines have the castle's name
      at castle.yaml:{line("name: tazlab-k8s")} name
  cannot be told:
    three: no answer
"""
    )


def test_nothing_to_do_is_said():
    said = changes.render(Outlook(), EXAMPLE, castle="c", width=100)
    assert said == "the living castle c is as castle.yaml says: `rebirth create` would change nothing\n"


def test_for_programs():
    data = changes.data(Outlook({"one": (FORWARD,)}, {"two": "no answer"}), EXAMPLE)
    assert json.loads(json.dumps(data)) == {
        "changes": [
            {"step": "one", "what": FORWARD.what, "how": "applied now", "why": FORWARD.why, "setting": FORWARD.setting}
            | {"file": "castle.yaml", "line": line("    forwards:")}
        ],
        "unknown": [{"step": "two", "why": "no answer"}],
    }


def test_exit_codes():
    unanswered = Change("machine a", How.UNKNOWN, "does not answer")
    assert Outlook({"one": (FORWARD,)}).exit_code == 0
    assert Outlook({"one": (FORWARD, NAME)}).exit_code == LEFT
    assert Outlook({"one": (NAME, unanswered)}).exit_code == 1
    assert Outlook({}, {"one": "no answer"}).exit_code == 1


def test_a_castle_that_does_not_exist_yet_does_not_live(tmp_path):
    paths = Paths(tmp_path, tmp_path, tmp_path / "produced", tmp_path / "state", tmp_path / "logs")
    assert not lives(paths)
    paths.state.mkdir()
    (paths.state / "journal.jsonl").touch()
    assert lives(paths)
