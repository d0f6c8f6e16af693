"""`rebirth destroy` as an operator meets it: the list, the question, the proof, and what is written by whom."""

import asyncio
import json
import os
import sys

import pytest

from phases.ruins import LEFT, names_left
from rebirth.lab.systems.faults import Fault


async def rebirth(outside, *arguments, typed=None, **environment):
    """Exit code, standard output, standard error; `typed` is what somebody at a terminal types."""
    stdin, terminal = asyncio.subprocess.DEVNULL, None
    if typed is not None:
        terminal, stdin = os.openpty()
        os.write(terminal, f"{typed}\n".encode())
    command = [sys.executable, "-m", "rebirth", "destroy", str(outside.paths.castle), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REBIRTH_")} | environment
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=pipe, stderr=pipe, env=environment)
    out, complaints = await process.communicate()
    if terminal is not None:
        os.close(terminal)
        os.close(stdin)
    return process.returncode, out.decode(), complaints.decode()


def files(outside):
    return {file: file.is_file() and file.read_bytes() for file in outside.paths.castle.rglob("*")}


async def test_a_dry_run_lists_all_and_writes_nothing(outside, ruin):
    before = files(outside)
    code, out, complaints = await rebirth(outside, "--dry-run", "--json")
    found = json.loads(out)
    assert (code, complaints) == (0, "")
    assert {"kind": "machine", "name": "lushycorp-k8s", "identity": "800", "stays": ""} in found
    assert {entry["kind"] for entry in found if entry["stays"]} == {
        "key",
        "value",
        "volumes and load balancers",
    }
    assert (outside.writes, files(outside)) == ({}, before)


async def test_a_dry_run_that_cannot_look(outside, ruin):
    outside.faults.set("proxmox", Fault(status=401))
    code, out, complaints = await rebirth(outside, "--dry-run")
    assert code == 1
    assert "error: Proxmox: " in complaints
    assert "  the key rebirth tazlab-k8s (" in out, "what could be looked at is listed"


@pytest.mark.parametrize(
    ("typed", "lab", "goes"),
    [("tazlab-k8s", "", True), ("y", "", False), ("y", "x", True), ("", "x", False)],
)
async def test_the_question(outside, ruin, typed, lab, goes):
    """Real machines go for who types the castle's name; in a lab, y is enough."""
    code, out, _ = await rebirth(outside, typed=typed, **({"REBIRTH_LAB": lab} if lab else {}))
    where = "in the lab x" if lab else "from the real systems"
    assert out.startswith(f"will be removed, {where}:\n  the machine ")
    question = "Remove all of this? [y/N] " if lab else "Type tazlab-k8s to remove all of this for good: "
    assert question in out
    assert code == (0 if goes else 1)
    assert (names_left(outside) == LEFT) is goes
    assert goes or outside.writes == {}


async def test_nobody_to_ask(outside, ruin):
    code, out, complaints = await rebirth(outside)
    assert (code, out) == (2, "")
    assert complaints.startswith(
        "error: destroy asks before it removes anything, and standard input is not a terminal\n"
    )
    assert "--yes" in complaints
    assert outside.writes == {}


async def test_nobody_to_ask_in_a_lab(outside, ruin):
    code, _, _ = await rebirth(outside, REBIRTH_LAB="x")
    assert (code, names_left(outside)) == (0, LEFT)


async def test_the_proof_comes_last(outside, ruin):
    outside.faults.set("proxmox", Fault(status=503, times=1, path="qemu"))
    code, out, complaints = await rebirth(outside, "--yes")
    assert (code, complaints) == (0, "")
    lines = out.splitlines()
    assert any(line.startswith("waiting: Proxmox: list machines: ") for line in lines)
    assert "removed the machine lushycorp-k8s (800)" in lines
    gone = lines[lines.index("gone, looked for again:") : lines.index("checked again for:")]
    assert "  the machine lushycorp-k8s (800)" in gone
    assert len(gone) == 1 + 2 + 3 + 1 + 3, "machines, devices, a key, files"
    proof = lines[lines.index("checked again for:") :]
    assert "  the machines with the castle's tag, or with one that it had" in proof
    assert "nothing is left, except:" in proof
    assert any("rebirth other" in line for line in proof)
    assert names_left(outside) == LEFT


async def test_something_that_will_not_go(outside, ruin):
    outside.faults.set("tailscale", Fault(status=403, method="DELETE"))
    code, out, complaints = await rebirth(outside, "--yes")
    assert code == 1
    assert "something is left" in out
    assert "looked again" not in out
    assert "error: Tailscale: delete " in complaints
    outside.faults.clear()
    code, _, _ = await rebirth(outside, "--yes")
    assert (code, names_left(outside)) == (0, LEFT)


async def test_json_without_a_dry_run(outside, ruin):
    code, out, complaints = await rebirth(outside, "--json")
    assert (code, out) == (2, "")
    assert "--dry-run" in complaints
