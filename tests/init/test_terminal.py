"""Questions on a terminal: an answer, a wrong one, none, and Ctrl-C."""

import os
import pty
import select
import signal
import subprocess
import sys

import pytest


@pytest.fixture
def terminal(tmp_path):
    """`rebirth init home` on a terminal, in which a line is typed at each of these prompts."""

    def run(*typed: tuple[str, str]) -> tuple[int, str]:
        ours, its = pty.openpty()
        command = [sys.executable, "-m", "rebirth", "init", "home"]
        environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
        with subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True
        ) as process:
            os.close(its)
            shown, left = "", list(typed)
            while select.select([ours], [], [], 60)[0]:
                try:
                    piece = os.read(ours, 4096).decode()
                except OSError:  # the process has closed its end
                    break
                shown += piece
                waits = shown.rsplit("\n", 1)[-1]
                if waits.endswith(": "):
                    _, line = left.pop(0) if left and left[0][0] in waits else ("", "\n")
                    if line == "^C":
                        process.send_signal(signal.SIGINT)
                        line = "\n"  # for a signal that comes just before the read begins
                    os.write(ours, line.encode())
                    shown += "\n"
            os.close(ours)
        return process.returncode, shown

    return run


def test_what_is_answered_is_written(terminal, tmp_path):
    code, shown = terminal(("machines.nodes", "10.0.0.11\n"), ("proxmox.endpoint", "https://pve.example:8006\n"))
    castle = (tmp_path / "home" / "castle.yaml").read_text()
    assert "address: 10.0.0.11" in castle
    assert "endpoint: https://pve.example:8006  # answered" in castle
    assert "The URL of the Proxmox API" in shown
    assert code == 2, "where the repository is was not answered"


def test_a_wrong_answer_is_refused_with_the_reason(terminal):
    _, shown = terminal(("proxmox.endpoint", "pve.example\n"), ("proxmox.endpoint", "https://pve.example:8006\n"))
    assert "must be an https URL without user information" in shown


def test_ctrl_c_leaves_nothing_behind(terminal, tmp_path):
    code, _ = terminal(("machines.nodes", "^C"))
    assert code == 130
    assert list(tmp_path.iterdir()) == []
