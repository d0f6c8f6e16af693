"""Runs as an operator meets them: what they answer, how signals end them, and that no secret gets out."""

import contextlib
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from rebirth.run.journal import Journal


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


def wait_for(logs: Path, words: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(words in file.read_text() for file in logs.glob("*/events.jsonl")):
            return
        time.sleep(0.05)
    pytest.fail(f"{words} was not seen in the events")
