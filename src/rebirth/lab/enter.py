"""Runs a program in the operator's corner of a lab: its network, its resolver, its trust, its secrets."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rebirth.castle import load
from rebirth.errors import Broken
from rebirth.lab import namespaces
from rebirth.lab.building.toolchain import Toolchain
from rebirth.lab.network import operator_namespace
from rebirth.lab.state import LabState
from rebirth.paths import LAB, REPOSITORY, VAULT_DIRECTORY
from rebirth.secrets import VARIABLE

# What would lead a program out of the lab, or to trust others than the lab.
_LEFT_OUT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR")
_FORWARDED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_WAITED_FOR = {*_FORWARDED, signal.SIGCHLD}
_SAME_KEY = 0.5  # seconds in which what the outer process hands on is the key that all have got already
_ENTERED = (("mnt", namespaces.MOUNT), ("uts", namespaces.UTS), ("ipc", namespaces.IPC), ("pid", namespaces.PID))
_CANNOT_ENTER, _NO_PROGRAM = 125, 127


async def environment(state: LabState) -> dict[str, str]:
    """What a program finds in its environment there."""
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"), str(state.ca))
    folders = dict.fromkeys(str(Path(path).parent) for path in (await Toolchain().programs()).values())
    path = ":".join(
        [
            str(state.programs),
            *folders,
            str(Path(sys.executable).parent),
            os.environ.get("PATH", ""),
            "/usr/sbin",
            "/sbin",
        ]
    )
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in {*_LEFT_OUT, REPOSITORY} and not name.startswith(VARIABLE)  # the lab has its own secrets
    }
    found = {**kept, **trust, "PATH": path, LAB: state.name, VAULT_DIRECTORY: str(state.secrets)}
    if state.castle:
        castle = load(state.castle)
        produced = state.secrets / castle.secrets.produced
        found |= {"KUBECONFIG": str(produced / "kubeconfig"), "TALOSCONFIG": str(produced / "talosconfig")}
        if served := state.repositories.get(castle.gitops.repository):
            found[REPOSITORY] = str(served)
    return found


def run(state: LabState, argv: Sequence[str], environment: Mapping[str, str], output: int = 1) -> int:
    """Runs `argv` inside, on this terminal and in this folder; returns its exit code, 128 + N where signal N ended it.

    `output`: the file descriptor that is its standard output.
    The program dies with this process and with the lab. Raises Broken where the lab is not up.
    """
    first = state.first
    if first is None:
        raise Broken("is not up", system=f"lab {state.name}", operation="enter", hint="`rebirth lab up` starts it.")
    sys.stdout.flush()
    sys.stderr.flush()
    # A process with threads cannot change its mount namespace: a fresh child has one thread, whatever this process has.
    child = os.fork()
    if child == 0:
        _inside(first, list(argv), dict(environment), output)
    return follow(child)


def _inside(first: int, argv: list[str], environment: dict[str, str], output: int) -> None:
    """Never returns."""
    code = _CANNOT_ENTER
    try:
        os.dup2(output, 1)
        namespaces.die_with_parent()
        _enter(first)
        # Blocked here before the program runs, and there no longer: a signal is lost at no moment.
        signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
        # A PID namespace counts for children only.
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)
            namespaces.die_with_parent()
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would pass that on
            code = _NO_PROGRAM
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - what the caller asked for
        code = relay(child)
    except OSError as error:
        os.write(2, f"error: {argv[0] if code == _NO_PROGRAM else 'entering the lab'}: {error.strerror}\n".encode())
    finally:
        os._exit(code)


def _enter(first: int) -> None:
    folder = Path.cwd()
    opened = [(os.open(f"/proc/{first}/ns/{name}", os.O_RDONLY), kind) for name, kind in _ENTERED]
    opened.append((os.open(operator_namespace(first), os.O_RDONLY), namespaces.NET))
    for descriptor, kind in opened:
        namespaces.setns(descriptor, kind)
        os.close(descriptor)
    os.chdir(folder)


def follow(child: int) -> int:
    """Waits for `child` and returns its exit code; every signal that asks this process to end is handed on."""
    handlers = {number: signal.signal(number, lambda received, _: _hand_on(child, received)) for number in _FORWARDED}
    _, status = os.waitpid(child, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return _exit_code(status)


def relay(child: int) -> int:
    """As `follow`, between the outer process and the program: a key reaches all three, and is not handed on a second time.

    Only a process of one thread can wait for signals, and learn who sent them: they are blocked already.
    """
    typed: dict[int, float] = {}
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return _exit_code(status)
        told = signal.sigwaitinfo(_WAITED_FOR)
        if told.si_signo == signal.SIGCHLD:
            continue
        if told.si_code > 0:  # from the kernel, which tells everybody on the terminal
            typed[told.si_signo] = time.monotonic()
        elif time.monotonic() - typed.get(told.si_signo, -_SAME_KEY) > _SAME_KEY:
            _hand_on(child, told.si_signo)


def _hand_on(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
