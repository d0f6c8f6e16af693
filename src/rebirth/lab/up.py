"""Starts and stops a lab."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rebirth.errors import Broken
from rebirth.lab import cgroups
from rebirth.lab.namespaces import UNSHARE
from rebirth.lab.spec import load_lab
from rebirth.lab.state import STATE_VARIABLE, LabState
from rebirth.lab.toolchain import Built, Toolchain
from rebirth.spec import load

_PATIENCE = 120  # seconds until every system of a lab answers


async def up(name: str, castle: Path, report: Callable[[str], None]) -> LabState:
    """A running lab of that name for the castle; what is already up is left as it is. Raises Broken, SpecError."""
    state = LabState(name)
    state.check()
    with state.locked():
        return await _up(state, castle, report)


async def _up(state: LabState, castle: Path, report: Callable[[str], None]) -> LabState:
    name = state.name
    if state.init is not None:
        if state.castle != castle.resolve():
            hint = "Give this one another name with --lab-name, or take the other down."
            raise Broken(f"is up for another castle, {state.castle}", system=f"lab {name}", operation="up", hint=hint)
        await state.ask("/status")
        return state
    if os.geteuid() != 0:
        raise Broken("needs root, for namespaces", system=f"lab {name}", operation="up", hint="Run it with sudo.")
    load(castle), load_lab(castle)  # what is wrong with them is said here, not in a log
    await Toolchain().build_all(lambda built: None if built.cached else report(_line(built)))
    await _down(state)
    state.folder.mkdir(parents=True, mode=0o700)
    state.log.mkdir()
    (state.folder / "castle").write_text(str(castle.resolve()))
    cgroups.create(state.cgroup)
    report(f"lab {name}: starting")
    with (state.log / "world.log").open("wb") as log:
        process = subprocess.Popen(
            [*UNSHARE, sys.executable, "-m", "rebirth.lab.world", name, str(castle.resolve())],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
            env={**os.environ, STATE_VARIABLE: str(state.folder)},
        )  # fmt: skip
    state.record(process.pid)
    await _answering(state, process)
    return state


def _line(built: Built) -> str:
    return f"{built.component}: {'in the cache' if built.cached else f'built in {built.seconds:.0f} s'}"


async def _answering(state: LabState, process: subprocess.Popen[bytes]) -> None:
    for _ in range(_PATIENCE * 10):
        if process.poll() is not None:
            raise Broken(_why(state), system=f"lab {state.name}", operation="up", hint=f"Its logs are in {state.log}.")
        if state.socket.exists():
            try:
                await state.ask("/status")
            except Broken:
                pass
            else:
                return
        await asyncio.sleep(0.1)
    await _down(state)
    raise Broken(f"not up after {_PATIENCE} s", system=f"lab {state.name}", operation="up")


def _why(state: LabState) -> str:
    try:
        return str(json.loads((state.folder / "failure.json").read_text())["error"])
    except (OSError, ValueError):
        lines = (state.log / "world.log").read_text(errors="replace").splitlines()
        return "; ".join(lines[-3:]) or "ended at once"


async def down(name: str) -> bool:
    """Ends the lab and removes what it made; False where there was nothing. Raises Broken if something stays."""
    state = LabState(name)
    with state.locked():
        return await _down(state)


async def _down(state: LabState) -> bool:
    name = state.name
    if not state.folder.exists():
        return False
    if (pid := state.init) is not None:
        first = state.first
        os.kill(pid, signal.SIGKILL)  # --kill-child takes PID 1 of the lab along, and PID 1 takes everything
        await _gone([pid, *([first] if first else [])])
    busy = ["?"]
    for _ in range(100):
        if not (busy := cgroups.remove(state.cgroup)):
            break
        await asyncio.sleep(0.1)
    if busy:
        raise Broken(
            f"processes are left in {busy[0]}", system=f"lab {name}", operation="down", hint="Look at its cgroup.procs."
        )
    await asyncio.to_thread(shutil.rmtree, state.folder)
    return True


async def _gone(pids: list[int]) -> None:
    for _ in range(200):
        if not any(_alive(pid) for pid in pids):
            return
        await asyncio.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
