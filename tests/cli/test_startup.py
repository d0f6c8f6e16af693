"""Start-up time is felt on every call: what a command does not need it does not load."""

import subprocess
import sys
from pathlib import Path

import pytest

_HEAVY = (
    "rebirth.castle",
    "rebirth.phases",
    "rebirth.providers",
    "httpx2",
    "lightkube",
    "cryptography",
    "dbos",
    "sqlalchemy",
)


def loaded(program, *arguments):
    """Which heavy modules that program has loaded when it is done."""
    ending = f"import sys; print(*[name for name in {_HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{ending}", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr.split()


def test_a_proof_of_a_repository_loads_nothing_of_castles(tmp_path):
    file = tmp_path / "clusters" / "x" / "a.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a, namespace: m}\n"
        "spec: {addresses: [10.0.0.1-10.0.0.9]}\n"
    )
    checks = "import sys\nfrom pathlib import Path\nfrom rebirth.checking import Asked, Said, check\n"
    checks += "check(Asked(None, Path(sys.argv[1]), ['clusters/x']), Said())"
    assert loaded(checks, str(tmp_path)) == []


def test_an_answer_that_was_kept_loads_nothing_of_a_proof():
    heavy = ("asyncio", "pydantic", "rich.console", "yaml", "rebirth.proof.reading.survey")
    program = (
        f"import sys, rebirth.cli, rebirth.change.answered; print(*[name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("module", ["rebirth.cli"])
def test_the_commands_load_nothing_of_castles(module):
    assert loaded(f"import {module}") == []


def test_what_was_said_is_all_there_when_the_process_has_left(tmp_path):
    """It leaves at once, without freeing its memory: into a pipe, a file and a full disk, with the code that it has."""
    file = tmp_path / "out"
    argv = [sys.executable, "-m", "rebirth", "schema", "castle.yaml"]
    piped = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    with file.open("w") as sink:
        assert subprocess.run(argv, stdout=sink, timeout=60, check=False).returncode == 0
    assert file.read_text() == piped.stdout
    assert piped.stdout.endswith("}\n")
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(argv, stdout=full, stderr=subprocess.DEVNULL, timeout=60, check=False).returncode == 1
    assert subprocess.run([*argv[:3], "no-such"], stderr=subprocess.PIPE, timeout=60, check=False).returncode == 2
