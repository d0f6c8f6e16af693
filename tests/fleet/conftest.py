"""A fleet in a folder of its own, with workers as processes, as an operator starts them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fleet.castles import castle

pytest.importorskip("dbos")


class Fleet:
    """A folder, its database, and processes of `rebirth fleet` on it."""

    def __init__(self, folder: Path, postgres: str = "") -> None:
        self.folder, self.postgres = folder, postgres
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("REBIRTH_", "PG"))},
            "REBIRTH_FLEET": str(folder),
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "PYTHONWARNINGS": "ignore",
        }
        if postgres:
            self.environment["REBIRTH_FLEET_POSTGRES"] = postgres
        self.started: list[subprocess.Popen] = []

    def start(self, *arguments: str, **more) -> subprocess.Popen:
        command = [sys.executable, "-m", "rebirth", "fleet", *arguments]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=self.environment, stdout=pipe, stderr=pipe, text=True, **more)
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> str:
        """Standard output of a command that is to succeed."""
        with self.start(*arguments) as process:
            said, complained = process.communicate(timeout=120)
        assert process.returncode == 0, f"{arguments}: {said}{complained}"
        return said

    def worker(self, name: str, *more: str) -> subprocess.Popen:
        """One that is ready."""
        process = self.start("worker", "--name", name, *more)
        for line in process.stdout:
            if "is ready" in line:
                return process
        raise AssertionError(process.stderr.read())

    def end(self) -> None:
        for process in self.started:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdout, process.stderr):
                stream.close()


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(tmp_path / "fleet")
    yield made
    made.end()


@pytest.fixture
def castles(tmp_path):
    """castles(name, ...) -> a castle directory each, whose outside takes connections and never answers."""
    return lambda *names: [castle(tmp_path / "castles" / name, name) for name in names]


def eventually(true, seconds: float = 60.0):
    """What `true()` returns once it is; fails where that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true")
