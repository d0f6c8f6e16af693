"""The commands as an operator meets them: as processes, by exit code and by what they say."""

import json
import os
import re
import secrets
import shutil
from pathlib import Path

import pytest
from typer.main import get_command

from cli.conftest import EXAMPLE
from rebirth.cli import app
from rebirth.terminal.bugs import trace_of, where


def test_help_names_the_commands(yard):
    code, out, _ = yard.process("--help")
    assert code == 0
    for command in ("create", "verify", "status", "report", "destroy", "doctor", "lab"):
        assert command in out


@pytest.mark.parametrize("arguments", [["-h"], ["help"]])
def test_help_by_its_other_names(yard, arguments):
    assert yard.run(*arguments) == yard.run("--help")


@pytest.mark.parametrize("command", [["create"], ["check"], ["report"], ["lab", "up"]])
def test_help_of_a_command(yard, command):
    code, out, _ = yard.run("help", *command)
    assert code == 0
    assert f"Usage: rebirth {' '.join(command)} " in out
    assert out.strip() == yard.run(*command, "-h")[1].strip()


def test_help_of_no_command(yard):
    code, out, complaints = yard.run("help", "lab", "frob")
    assert (code, out) == (2, "")
    assert complaints == "error: no such command: lab frob\nhint: `rebirth --help` names them.\n"


def commands_below(command, path=()):
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands_below(child, (*path, name))


def test_no_flag_is_said_to_take_a_value(yard):
    for path, _ in commands_below(get_command(app)):
        if path != ("help",):
            assert "<bool>" not in yard.in_process(*path, "--help")


def test_help_has_examples_that_are_commands(yard):
    known = {path for path, _ in commands_below(get_command(app))}
    for command in ("create", "check", "plan", "explain", "verify", "status", "report", "logs"):
        text = yard.in_process(command, "--help")
        examples = [line.split() for line in text.partition("Examples:")[2].splitlines() if line.strip()]
        assert examples
        for words in examples:
            assert words[0] == "rebirth"
            assert (words[1],) in known
            for option in (word for word in words if word.startswith("--")):
                assert option in text


def test_what_only_a_benchmark_needs_is_not_in_the_help(yard):
    assert "--layered" not in yard.in_process("create", "--help")


def test_completion(yard):
    yard.environment |= {"_REBIRTH_COMPLETE": "complete_bash", "COMP_WORDS": "rebirth cr", "COMP_CWORD": "1"}
    code, out, _ = yard.process()
    assert (code, out.split()) == (0, ["create"])


def test_the_version_is_told(yard):
    code, out, _ = yard.process("--version")
    assert code == 0
    assert re.fullmatch(r"rebirth \d+\.\d+\.\d+\S*\n", out)


@pytest.mark.parametrize(
    "arguments", [["frob"], ["create", "--frob"], ["create", "--budget", "soon"], ["create", "--budget", "0"]]
)
def test_a_command_line_that_is_wrong(yard, arguments):
    code, out, complaints = yard.run(*arguments)
    assert code == 2
    assert out == ""
    assert "Usage" in complaints


@pytest.mark.parametrize("command", ["create", "verify", "status", "destroy", "report", "doctor"])
def test_no_castle(yard, command):
    code, out, complaints = yard.process(command, "nowhere")
    assert code == 2
    assert complaints.startswith("error: nowhere/castle.yaml: no such file\nhint: ")
    assert "Traceback" not in out + complaints
    assert not (yard.castle.parent / "nowhere").exists()


def test_all_problems_of_a_castle_at_once_and_nothing_made(yard):
    yard.write(("version: 1\n", "version: 1\ncolour: red\n"), ("cores: 4,", "cores: four,"))
    before = sorted(yard.castle.rglob("*"))
    code, _, complaints = yard.run("create", "castle")
    assert code == 2
    assert re.search(r"^error: castle/castle.yaml:\d+: colour: unknown key$", complaints, re.MULTILINE)
    assert re.search(
        r"^error: castle/castle.yaml:\d+: machines.nodes\[0\].cores: must be a whole number", complaints, re.MULTILINE
    )
    assert sorted(yard.castle.rglob("*")) == before


def test_a_format_that_is_none(yard):
    yard.write()
    code, _, complaints = yard.run("create", "castle", "--format", "xml")
    assert (code, complaints.splitlines()[0]) == (2, "error: --format: xml is neither text nor json")
    assert not (yard.castle / "logs").exists()


def test_missing_secrets_are_all_named_once_each(yard):
    yard.write()
    (yard.vault / "github-token").unlink()
    (yard.vault / "proxmox-api-token").write_text("")
    code, out, complaints = yard.process("create", "castle")
    assert code == 2
    errors = [line for line in complaints.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2
    assert any("github-token: no such file" in line for line in errors)
    assert any("proxmox-api-token: the secret is empty" in line for line in errors)
    assert "hint: " in complaints
    assert len([line for line in out.splitlines() if "FAILED" in line]) == 1
    assert "github-token" not in out or "proxmox-api-token" not in out  # the list is told once, at the end


def test_a_certificate_that_is_none(yard):
    yard.write()
    (yard.vault / "lushycorp-vault" / "ca.crt").write_text(
        "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"
    )
    code, _, complaints = yard.run("create", "castle")
    assert code == 2
    assert re.search(
        r"^error: \S+/vault/lushycorp-vault/ca.crt: the secret is not a PEM certificate$", complaints, re.MULTILINE
    )
    assert "hint: " in complaints
    assert "nonsense" not in complaints


def test_an_address_outside_its_network(yard):
    yard.write(("address: 192.168.50.21", "address: 192.168.51.21"))
    code, _, complaints = yard.run("create", "castle")
    assert code == 2
    place = r"castle/castle.yaml:\d+: machines.nodes\[1\].address"
    assert re.search(
        rf"^error: {place}: 192.168.51.21 is outside the network 192.168.50.0/24$", complaints, re.MULTILINE
    )


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="drops root's identity with unshare(1)")
def test_a_lab_without_root(yard):
    yard.write()
    (yard.castle / "lab.yaml").write_text((EXAMPLE.parent / "lab.yaml").read_text())
    yard.prefix = ["unshare", "--user"]
    code, _, complaints = yard.process("create", "castle", "--lab")
    assert code == 1
    assert complaints == "error: lab tazlab-k8s: up: needs root, to create namespaces\nhint: Run it with sudo.\n"


def test_git_is_missing(yard, tmp_path):
    yard.write()
    yard.environment["PATH"] = str(tmp_path)
    code, _, complaints = yard.run("create", "castle")
    assert code == 1
    assert complaints.startswith("error: git: clone: the program is not on PATH\nhint: Install git.\n")


def test_options_from_the_environment(yard):
    yard.write()
    yard.environment |= {"REBIRTH_CASTLE": "castle", "REBIRTH_BUDGET": "soon"}
    for command in ("create", "verify", "destroy"):
        assert "budget" in yard.run(command)[2]
    assert yard.run("report")[2].startswith(f"error: {yard.castle}/logs: no run was recorded")
    yard.environment["REBIRTH_CASTLE"] = "nowhere"
    assert yard.run("plan")[2].startswith("error: nowhere/castle.yaml: no such file")


@pytest.mark.parametrize(
    ("environment", "options", "coloured"),
    [
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, [], True),
        ({}, ["--color", "always"], True),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_colours_in_a_pipe(yard, environment, options, coloured):
    yard.environment |= environment
    code, out, _ = yard.run("explain", "apps", "auth", "--gitops", str(EXAMPLE.parent / "gitops"), *options)
    assert code == 0
    assert ("\x1b[" in out) is coloured


def test_a_bug_is_said_with_its_place_and_a_trace_without_values():
    def fail(secret):
        raise KeyError(secret)

    value = secrets.token_hex(8)
    with pytest.raises(KeyError) as caught:
        fail(value)
    assert re.fullmatch(r"internal error \(KeyError in test_cli.py:\d+\)", where(caught.value))
    file = Path(trace_of(caught.value).rpartition(" ")[2])
    text = file.read_text()
    file.unlink()
    assert "in fail" in text
    assert "KeyError" in text
    assert value not in text


def test_no_run_was_recorded(yard):
    yard.write()
    code, _, complaints = yard.run("report", "castle")
    assert code == 2
    assert "no run was recorded" in complaints


def test_logs_that_cannot_be_written(yard):
    yard.write()
    (yard.castle / "logs").write_text("in the way")
    code, out, complaints = yard.run("create", "castle")
    assert code == 1
    assert complaints.startswith("error: ")
    assert "logs" in complaints.splitlines()[0]
    assert "Traceback" not in out + complaints


def test_of_several_labs_one_has_to_be_named(yard):
    labs = Path(yard.environment["XDG_STATE_HOME"]) / "rebirth" / "labs"
    for name in ("one", "two"):
        (labs / name).mkdir(parents=True)
    code, out, complaints = yard.run("lab", "down")
    assert (code, out) == (1, "")
    assert complaints == "error: lab: down: there are several labs\nhint: Name one, or use --all: one, two.\n"
    assert yard.run("lab", "down", "one") == (0, "lab one is down\n", "")
    assert yard.run("lab", "down") == (0, "lab two is down\n", "")
    assert yard.run("lab", "down") == (0, "", "")
    for name in ("one", "two"):
        (labs / name).mkdir()
    assert yard.run("lab", "down", "--all") == (0, "lab one is down\nlab two is down\n", "")


def test_a_lab_that_is_not_there(yard):
    code, _, complaints = yard.process("lab", "run", "--lab-name", "nope", "--", "true")
    assert code == 1
    assert "lab nope" in complaints
    assert "hint: `rebirth lab up`" in complaints
    code, _, complaints = yard.run("lab", "run", "--", "true")
    assert code == 1
    assert "no lab is up" in complaints
    assert yard.run("lab", "status") == (0, "no lab is here\n", "")
    code, out, _ = yard.run("lab", "status", "--json")
    assert (code, json.loads(out)) == (0, {"version": 1, "labs": []})
