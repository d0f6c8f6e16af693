"""The commands as an operator meets them: as processes, by exit code and by what they say."""

import contextlib
import datetime as dt
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.main import get_command
from typer.testing import CliRunner

from commanding import within
from rebirth.cli import app
from rebirth.run.journal import Journal
from rebirth.terminal.bugs import trace_of, where

EXAMPLE = Path(__file__).parents[1] / "examples" / "castle" / "castle.yaml"
REFERENCE = re.compile(r"\{secret: ([^}]+)\}")


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class Yard:
    """A castle directory with its vault, and processes of rebirth that work on it."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.castle = folder / "castle"
        self.vault = self.castle / "vault"
        self.castle.mkdir()
        self.canaries: dict[str, str] = {}
        self.prefix: list[str] = []  # a program that starts rebirth
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("REBIRTH_")},
            "HOME": str(folder),
            "XDG_STATE_HOME": str(state),
            "NO_COLOR": "1",
            "COLUMNS": "150",
        }

    def write(self, *changes: tuple[str, str]) -> None:
        text = EXAMPLE.read_text().replace("directory: ~/secrets ", "directory: vault ")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.castle / "castle.yaml").write_text(text)
        for name in REFERENCE.findall(text):
            file = self.vault / name
            file.parent.mkdir(parents=True, exist_ok=True)
            value = secrets.token_hex(16)
            if name == "proxmox-api-token":
                value = f"root@pam!test={uuid.uuid4()}"
            self.canaries[name] = certificate() if name.endswith("ca.crt") else value
            file.write_text(self.canaries[name])
            file.chmod(0o600)

    def start(self, *arguments: str) -> subprocess.Popen:
        command = [*self.prefix, sys.executable, "-m", "rebirth", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.castle.parent, env=self.environment, text=True, **pipes)

    def in_process(self, *arguments: str) -> str:
        """What a command prints that neither reads nor makes anything."""
        done = CliRunner().invoke(app, arguments, env=self.environment, prog_name="rebirth")
        assert done.exit_code == 0
        return done.output

    def process(self, *arguments: str) -> tuple[int, str, str]:
        """A process of its own: exit code, standard output, standard error."""
        with self.start(*arguments) as process:
            out, complaints = process.communicate(timeout=60)
        return process.returncode, out, complaints

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """The same within this process."""
        return within(self.castle.parent, self.environment, *arguments)


@pytest.fixture
def yard(tmp_path: Path, short_path: Path) -> Yard:
    return Yard(tmp_path, short_path)


@pytest.fixture
def silence():
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


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


def test_events_as_json(yard):
    yard.write()
    (yard.vault / "github-token").unlink()
    code, out, _ = yard.process("create", "castle", "--format", "json")
    assert code == 2
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0]["event"] == "RunStarted"
    assert events[-1]["event"] == "RunFinished"
    (folder,) = (yard.castle / "logs").iterdir()
    assert (folder / "events.jsonl").read_text() == out


def test_events_and_answer_exclude_each_other(yard):
    yard.write()
    code, _, complaints = yard.run("create", "castle", "--format", "json", "--json")
    assert (code, complaints.splitlines()[0]) == (2, "error: --json and --format json cannot be combined")


def test_the_answer_of_a_run_as_json(yard):
    yard.write()
    (yard.vault / "github-token").unlink()
    code, out, complaints = yard.run("create", "castle", "--json")
    assert code == 2
    found = json.loads(out)
    assert (found["version"], found["castle"], found["ok"], found["online"]) == (1, "tazlab-k8s", False, None)
    (error,) = found["errors"]
    assert error["step"] == "resolve_secrets"
    assert "github-token" in error["error"]
    assert "converge" in found["not_run"]
    assert Path(found["logs"]).is_dir()
    assert "github-token" in complaints


def test_the_state_of_a_castle_as_json(yard):
    yard.write()
    code, out, _ = yard.run("status", "castle", "--json")
    assert code == 1
    found = json.loads(out)
    assert (found["version"], found["ok"]) == (1, False)
    assert {"phase", "title", "verdict", "why"} == set(found["steps"][0])


def test_what_did_not_run_is_named_if_asked(yard):
    yard.write()
    (yard.vault / "github-token").unlink()
    code, _, complaints = yard.run("create", "castle", "--verbose")
    assert code == 2
    assert re.search(r"^\d+ later steps did not run: .*converge", complaints, re.MULTILINE)
    assert re.search(r"^logs: /.*/logs/\d{8}T\d{6}Z$", complaints, re.MULTILINE)
    assert "run the same command again to resume" in complaints


def test_options_from_the_environment(yard):
    yard.write()
    yard.environment |= {"REBIRTH_CASTLE": "castle", "REBIRTH_BUDGET": "soon"}
    assert "budget" in yard.run("create")[2]
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


def test_status_never_says_that_something_does_not_hold_that_it_could_not_ask(yard):
    yard.write()  # nobody has the addresses that stand in it
    code, out, complaints = yard.run("status", "castle")
    assert code == 1
    assert re.search(r"^upload_image +cannot tell: Proxmox: .*", out, re.MULTILINE)
    assert re.search(r"^converge +cannot tell: nothing is known of \w+$", out, re.MULTILINE)
    assert "not in place" not in out + complaints
    assert "Traceback" not in out + complaints


def test_status_without_secrets_names_them(yard):
    yard.write()
    (yard.vault / "proxmox-api-token").unlink()
    (yard.vault / "github-token").unlink()
    code, out, complaints = yard.run("status", "castle")
    assert code == 2
    assert re.search(r"^resolve_secrets +cannot tell: .*the secret is missing \(and 1 more\)$", out, re.MULTILINE)
    assert re.search(r"^upload_image +cannot tell: nothing is known of resolve_secrets$", out, re.MULTILINE)
    assert "not in place" not in out + complaints
    assert len(re.findall(r"^error: .*the secret is missing$", complaints, re.MULTILINE)) == 2


@pytest.mark.parametrize("command", ["status", "verify"])
def test_who_only_looks_writes_no_state_and_does_not_wait_for_create(yard, command):
    yard.write()
    yard.run(command, "castle", *(["--budget", "1"] if command == "verify" else []))
    assert not (yard.castle / ".rebirth").exists()
    with Journal(yard.castle / ".rebirth" / "real", "create"):
        _, _, complaints = yard.run(command, "castle", *(["--budget", "1"] if command == "verify" else []))
        assert "is at work on this castle" not in complaints
        code, _, complaints = yard.run("create", "castle", "--unproved")
    assert code == 1
    assert re.search(
        rf"^error: `rebirth create` \(pid {os.getpid()}, since \d\d:\d\d\) is at work on this castle$",
        complaints,
        re.MULTILINE,
    )


def named(words: str) -> list[int]:
    """Processes with these words among their arguments."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words.encode() in file.read_bytes():
                found.append(int(file.parent.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_with_what_it_started_and_says_how_to_go_on(yard, silence, number):
    yard.write(("https://github.com/tazlab/", f"https://127.0.0.1:{silence}/tazlab/"))
    with yard.start("create", "castle", "--unproved") as process:
        wait_for(yard.castle / "logs", '"phase": "read_repository"')
        while not named(f":{silence}/"):
            time.sleep(0.01)
        process.send_signal(number)
        process.send_signal(number)  # a terminal's reaches a process twice where it is passed on, too
        out, complaints = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    by = "" if number is signal.SIGINT else f"by {number.name} "
    assert re.search(
        rf"^interrupted {by}after \d+\.\d s; .*run the same command again to resume$",
        complaints,
        re.MULTILINE,
    )
    assert "Traceback" not in out + complaints
    assert not named(f":{silence}/"), "git has ended"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_destroy_in_the_same_way(yard, silence, number):
    yard.write(("  tailnet: magellanic", f"  api: https://127.0.0.1:{silence}\n  tailnet: magellanic"))
    with yard.start("destroy", "castle", "--yes") as process:
        while not (yard.castle / "logs").exists():
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(number)
        out, complaints = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "run the same command again to resume" in complaints
    assert "Traceback" not in out + complaints


def test_a_signal_during_the_proof_ends_it_too(yard, silence):
    yard.write(("https://github.com/tazlab/", f"https://127.0.0.1:{silence}/tazlab/"))
    with yard.start("create", "castle") as process:
        while not named(f":{silence}/"):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        out, complaints = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "run the same command again to resume" in complaints
    assert "Traceback" not in out + complaints
    assert not named(f":{silence}/")


def test_what_was_ignored_before_still_is(yard, silence):
    yard.write(("https://github.com/tazlab/", f"https://127.0.0.1:{silence}/tazlab/"))
    yard.prefix = ["nohup"]
    with yard.start("create", "castle", "--unproved", "--budget", "1") as process:
        wait_for(yard.castle / "logs", '"phase": "read_repository"')
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
    assert process.returncode == 1


def test_an_interrupted_run_has_a_report(yard, silence):
    yard.write(("https://github.com/tazlab/", f"https://127.0.0.1:{silence}/tazlab/"))
    with yard.start("create", "castle", "--unproved") as process:
        wait_for(yard.castle / "logs", '"phase": "read_repository"')
        process.kill()
    code, out, _ = yard.run("report", "castle")
    assert code == 0
    assert re.search(r"^… read_repository ", out, re.MULTILINE)
    assert "interrupted after" in out
    code, out, _ = yard.run("report", "castle", "--format", "html")
    assert code == 0
    assert out.startswith("<!doctype html>")
    code, out, _ = yard.run("report", "castle", "--format", "json")
    assert json.loads(out)["spans"][-1]["phase"] == "read_repository"


def test_no_secret_reaches_output_or_file(yard, silence):
    yard.write(("https://github.com/tazlab/", f"https://127.0.0.1:{silence}/tazlab/"))
    code, out, complaints = yard.run("create", "castle", "--unproved", "--budget", "1")
    assert code == 1
    assert "gave up after 1 s; last seen: nothing yet" in complaints
    values = [line for value in yard.canaries.values() for line in value.splitlines() if "-----" not in line]
    texts = [out, complaints]
    texts += [
        file.read_text() for file in yard.castle.rglob("*") if file.is_file() and not file.is_relative_to(yard.vault)
    ]
    assert not [value for value in values for text in texts if value in text]


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


def wait_for(logs: Path, words: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(words in file.read_text() for file in logs.glob("*/events.jsonl")):
            return
        time.sleep(0.05)
    pytest.fail(f"{words} was not seen in the events")
