"""Starts and stops a lab."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rebirth.castle import load
from rebirth.errors import Broken
from rebirth.lab import cgroups
from rebirth.lab.building.toolchain import Built, Toolchain
from rebirth.lab.building.used import used
from rebirth.lab.namespaces import UNSHARE
from rebirth.lab.needs import controllers, watchers
from rebirth.lab.outside.found import lacking
from rebirth.lab.spec import FILE, load_lab, refuse
from rebirth.lab.state import STATE_VARIABLE, LabState
from rebirth.secrets import VARIABLE

Report = Callable[[str], None]
_PARTS = "components"  # in the lab's folder: the components that it was started with
_PATIENCE = 120.0  # seconds without any progress until a starting lab is given up
_POLL = 0.05  # seconds
_SAID_EVERY = 5.0  # seconds between two lines of one step


async def up(name: str, castle: Path, report: Report) -> LabState:
    """A running lab of that name for the castle; what is already up is left as it is. Raises Broken, SpecError."""
    state = LabState(name)
    state.check()
    with state.locked():
        if state.init is not None:
            return await _same(state, castle, report)
        return await _start(state, castle, report)


async def take(state: LabState, report: Report) -> None:
    """The Git host of a running lab takes what the repositories' folders hold now. Raises Broken."""
    for url, commit in (await state.ask("/repositories", "POST")).items():
        report(f"lab {state.name}: {url} now serves {state.repositories.get(url, 'its folder')} as it is: {commit[:7]}")


async def _same(state: LabState, castle: Path, report: Report) -> LabState:
    if state.castle != castle.resolve():
        hint = "Give this one another name, or stop the other: rebirth lab down NAME."
        raise Broken(f"is up for another castle, {state.castle}", system=f"lab {state.name}", operation="up", hint=hint)
    await state.ask("/status")
    again = f"run `rebirth lab down {state.name}` first to apply it"
    if _lab_yaml(castle) != _lab_yaml(state.folder):
        report(f"lab {state.name}: lab.yaml has changed since the lab was started; {again}")
    elif more := _more(state, castle):
        report(f"lab {state.name}: the castle now uses {', '.join(more)}, too; {again}")
    return state


def _more(state: LabState, castle: Path) -> list[str]:
    """Optional components that the castle uses by now, and the running lab was started without."""
    try:
        known = (state.folder / _PARTS).read_text().split()
    except FileNotFoundError:
        return []  # started by an earlier version
    return [component.name for component in used(castle) if component.optional and component.name not in known]


def _lab_yaml(folder: Path) -> bytes:
    try:
        return (folder / FILE).read_bytes()
    except OSError:
        return b""


async def _start(state: LabState, castle: Path, report: Report) -> LabState:
    if os.geteuid() != 0:
        raise Broken(
            "needs root, to create namespaces", system=f"lab {state.name}", operation="up", hint="Run it with sudo."
        )
    refuse(load(castle))  # what is wrong is said here, not in a log
    load_lab(castle)
    parts = used(castle)
    for line in (await lacking(castle, parts)).lines:
        report(f"lab {state.name}: {line}")
    if optional := [component.name for component in parts if component.optional]:
        report(f"lab {state.name}: the castle uses {', '.join(optional)}")
    await Toolchain().build_all(
        lambda built: None if built.cached else report(_line(built)),
        [component.name for component in parts],
        lambda words: report(f"{words} ..."),
    )
    await _down(state)
    state.folder.mkdir(parents=True, mode=0o700)
    state.log.mkdir()
    (state.folder / "castle").write_text(str(castle.resolve()))
    (state.folder / FILE).write_bytes(_lab_yaml(castle))
    (state.folder / _PARTS).write_text("\n".join(component.name for component in parts))
    cgroups.create(state.cgroup)
    for check in filter(None, [watchers(len(load(castle).machines.nodes)), controllers()]):
        if not check.sound:
            report(f"lab {state.name}: {check.what}. {check.fix}")
    report(f"lab {state.name}: starting")
    pid = _spawn(state, castle)
    try:
        state.record(pid)
        await _answering(state, pid, report)
    except BaseException as error:
        # A failed start leaves its logs, and nothing that runs; one that was broken off leaves nothing.
        await (_stop(state) if isinstance(error, Exception) else _down(state))
        raise
    return state


def _line(built: Built) -> str:
    return f"{built.component}: built in {built.seconds:.0f} s"


def _spawn(state: LabState, castle: Path) -> int:
    """Starts the world, detached; returns the process that holds it."""
    argv = [*UNSHARE, sys.executable, "-P", "-m", "rebirth.lab.world", state.name, str(castle.resolve())]
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(state.log / "world.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(VARIABLE)}  # the castle's secrets
    # One heap for its few threads: what TLS took in one is free for the others.
    environment = {**kept, STATE_VARIABLE: str(state.folder), "MALLOC_ARENA_MAX": "1"}
    return os.posix_spawnp(argv[0], argv, environment, file_actions=streams, setsid=True)


async def _answering(state: LabState, pid: int, report: Report) -> None:
    """Returns when every system of the lab answers; passes on what it is at."""
    seen, waited, progress = "", 0.0, Progress(state.name, report)
    while not state.socket.exists():
        if state.failed or not _alive(pid):
            hint = f"See its logs in {state.log}."
            raise Broken(_why(state), system=f"lab {state.name}", operation="up", hint=hint)
        if (doing := state.doing) != seen:
            seen, waited = doing, 0.0
        progress(doing, time.monotonic())
        if waited > _PATIENCE:
            hint = f"See its logs in {state.log}."
            last = f"gave up after {_PATIENCE:.0f} s without progress; last seen: {seen or 'nothing'}"
            raise Broken(last, system=f"lab {state.name}", operation="up", hint=hint)
        await asyncio.sleep(_POLL)
        waited += _POLL
    await state.ask("/status")


@dataclass
class Progress:
    """Says what a starting lab is at: each step when it begins ("packing images: ..."), its parts every few seconds."""

    name: str
    report: Report
    _step: str = ""
    _said: str = ""
    _when: float = 0.0

    def __call__(self, doing: str, now: float) -> None:
        step = doing.partition(":")[0]
        if doing in {"", self._said} or (step == self._step and now - self._when < _SAID_EVERY):
            return
        self._step, self._said, self._when = step, doing, now
        self.report(f"lab {self.name}: {doing}")


def _why(state: LabState) -> str:
    if failed := state.failed:
        return failed
    lines = (state.log / "world.log").read_text(errors="replace").splitlines()
    return "; ".join(lines[-3:]) or "exited at once"


async def down(name: str) -> bool:
    """Ends the lab and removes what it made; False where there was nothing. Raises Broken if something stays."""
    state = LabState(name)
    state.check()
    with state.locked():
        return await _down(state)


async def _down(state: LabState) -> bool:
    if not state.folder.exists():
        return False
    await _stop(state)
    if held := [line.split()[4] for line in _mounts() if line.split()[4].startswith(f"{state.folder}/")]:
        hint = f"umount {held[0]}, then try again."
        raise Broken(f"{held[0]} is a mount point", system=f"lab {state.name}", operation="down", hint=hint)
    await asyncio.to_thread(shutil.rmtree, state.folder)
    return True


def _mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()


async def _stop(state: LabState) -> None:
    """Ends every process of the lab; with the last one go its namespaces and mounts. Raises Broken if something stays."""
    ended: set[int] = set()
    while holders := set(state.holders()) - ended:
        for pid in holders:
            with suppress(ProcessLookupError):
                os.kill(
                    pid, signal.SIGKILL
                )  # of unshare(1) it takes PID 1 of the lab along, and PID 1 takes everything
        await _gone(holders)
        ended |= holders
    busy = cgroups.remove(state.cgroup)
    for _ in range(200):  # the last processes of a namespace leave their groups a moment after its PID 1
        if not busy:
            return
        await asyncio.sleep(_POLL)
        busy = cgroups.remove(state.cgroup)
    hint = "See its cgroup.procs."
    raise Broken(f"processes are still running in {busy[0]}", system=f"lab {state.name}", operation="down", hint=hint)


async def _gone(pids: set[int]) -> None:
    for _ in range(200):
        if not any(map(_alive, pids)):
            return
        await asyncio.sleep(_POLL)


def _alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # where it is a child of this very process
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
