"""Signals of a program in the lab: each reaches it once, whoever it was sent to."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

# As enter.run does, without the namespaces: this process, one in between, and the program.
_OUTER = """
import os, signal, sys
from rebirth.lab import enter
signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell's background job, such as these tests may be, ignores it
child = os.fork()
if child == 0:
    signal.pthread_sigmask(signal.SIG_BLOCK, enter._WAITED_FOR)
    program = os.fork()
    if program == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, enter._WAITED_FOR)
        os.execvp("sh", ["sh", "-c", sys.argv[1]])
    os._exit(enter.relay(program))
print("exit", enter.follow(child), flush=True)
"""
_PROGRAM = """
trap 'echo got INT' INT; trap 'echo got HUP' HUP; trap 'echo got TERM; exit 7' TERM
echo ready; while :; do sleep 0.02; done
"""


def start(**options) -> subprocess.Popen:
    argv = [sys.executable, "-c", _OUTER, _PROGRAM]
    return subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_is_sent_to_the_outer_process_alone_reaches_the_program(number):
    with start() as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == f"got {number.name.removeprefix('SIG')}\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "got TERM\nexit 7\n"


def test_a_program_that_a_signal_ends():
    with start() as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGQUIT)
        assert process.stdout.read() == f"exit {128 + signal.SIGQUIT}\n"


def test_a_key_reaches_the_program_once():
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", _OUTER, _PROGRAM])

    said = ""

    def read_until(words: str) -> None:
        nonlocal said
        while words not in said:
            said += os.read(terminal, 1000).decode()

    read_until("ready")
    os.write(terminal, b"\x03")
    read_until("got INT")
    time.sleep(0.1)  # what the outer process hands on would have arrived
    os.kill(pid, signal.SIGTERM)
    read_until("exit 7")
    assert said.count("got INT") == 1
    os.waitpid(pid, 0)
    os.close(terminal)
