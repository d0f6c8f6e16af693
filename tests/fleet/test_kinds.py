"""Each kind of job: the command that it is, what its exit codes mean, and its answer in a few words."""

import pytest
from typer.main import get_command

from rebirth.cli import app
from rebirth.fleet.job import Job
from rebirth.fleet.kinds import KINDS

ANSWERS = {
    "check": ({"findings": [{"severity": "error"}, {"severity": "warning"}]}, "1 errors, 1 warnings"),
    "rehearse": ({"ready": True, "seconds": 41.2, "stops": []}, "all is Ready after 41 s"),
    "create": ({"ok": True, "online": 93.4}, "online after 93 s"),
    "verify": ({"ok": True, "sites": [{}]}, "1 sites answer"),
    "drill": ({"rounds": 20, "survived": 19}, "19 of 20 rounds went well"),
    "destroy": ({}, ""),
    "simulate": (
        {"text": "50 lives (seeds 1 to 50), 99 runs\n3 s\n0 failures\n"},
        "50 lives (seeds 1 to 50), 0 failures",
    ),
}


def test_every_kind_has_an_answer_here():
    assert set(ANSWERS) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_an_answer_in_a_few_words(name):
    answer, words = ANSWERS[name]
    assert KINDS[name].told(answer) == words
    assert KINDS[name].told({}) == "", "one that has ended before it answered"


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name].program == ("-m", "rebirth")])
@pytest.mark.parametrize("lab", [False, True])
def test_its_command_is_one_of_the_product_with_options_that_it_has(name, lab, tmp_path):
    job = Job("one", name, str(tmp_path), "tower", lab=lab and KINDS[name].in_lab, rounds=3)
    command, *arguments = KINDS[name].command(job)
    known = {option for parameter in get_command(app).commands[command].params for option in parameter.opts}
    assert {word for word in arguments if word.startswith("-")} <= known
    assert ("--lab" in arguments) == job.lab
    assert str(tmp_path) in arguments


def test_findings_are_an_answer_and_no_failure():
    assert KINDS["check"].outcome(3) == "findings"
    assert {KINDS[name].outcome(1) for name in ("check", "create", "drill")} == {"failed"}
