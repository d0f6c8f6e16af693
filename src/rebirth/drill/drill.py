"""The rounds of a drill. Each command of a round is a process of its own, as an operator would run it."""

import asyncio
import gc
import json
import os
import shlex
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rebirth.commands import Commands, ProgramFailed
from rebirth.drill.faults import Fault, drawn
from rebirth.drill.resources import held
from rebirth.errors import Broken, Rebirth
from rebirth.report import drills
from rebirth.report.drills import Drill, Round, Struck


class Lab(Protocol):
    """What a drill asks of the lab that it happens in."""

    name: str
    folder: Path

    async def up(self) -> None: ...
    async def strike(self, system: str, fault: Mapping[str, Any]) -> None:
        """From now on that system misbehaves."""

    async def mend(self) -> dict[str, int]:
        """From now on everything works; how often each system has misbehaved."""

    def processes(self) -> list[int]:
        """All of the lab's, on this machine."""


@dataclass(frozen=True)
class Asked:
    directory: Path
    rounds: int
    first: int = 1  # the number of the first round: with the seed it says what goes wrong in it
    faults: str = "none"
    seed: int = 0
    budget: float | None = None  # seconds for each create
    lab_name: str = ""  # "": the castle's


@dataclass
class Course:
    """A drill in course: what it was asked for, where it runs programs, and what it says."""

    asked: Asked
    name: str
    logs: Path
    commands: Commands
    lab: Lab | None
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _at: str = field(default="", init=False)  # the step that runs

    async def run(self) -> Drill:
        """All rounds that are not recorded yet. On real systems the first failure is the end: a person has to look."""
        done = drills.begin(self.logs, self.name, lab=self.lab is not None)
        known = {one.number for one in done.rounds}
        last = self.asked.first + self.asked.rounds - 1
        if self.lab:
            await self.lab.up()
        for number in range(self.asked.first, last + 1):
            if number in known:
                continue
            one = await self._round(number)
            drills.add(self.logs, self.name, one)
            self.say(_line(one, last))
            if not one.ok and self.lab is None:
                break
        return drills.read(drills.file_of(self.logs, self.name))

    async def _round(self, number: int) -> Round:
        faults, struck = drawn(self.asked.faults, self.asked.seed, number), tuple[Struck, ...]()
        began, seconds, resources = time.time(), dict[str, float](), dict[str, int]()
        failed = error = logs = ""
        try:
            await self._timed(seconds, "destroy", self._rebirth("destroy", "--yes"))
            resources = self._held()
            answer, struck = await self._create(faults, seconds)
            logs = str(answer.get("logs", ""))
            if answer.get("online") is not None and not any(fault.kill for fault in faults):
                seconds["online"] = answer["online"]
            await self._timed(seconds, "verify", self._rebirth("verify", "--json"))
        except Rebirth as stopped:
            failed, error = self._at, str(stopped)
            if isinstance(stopped, _Struck):
                struck, logs = stopped.struck, stopped.logs
        return Round(
            number, began, not failed, {name: round(took, 2) for name, took in seconds.items()}, self._repeat(number),
            struck, failed, error, logs, resources,
        )  # fmt: skip

    async def _create(
        self, faults: Sequence[Fault], seconds: dict[str, float]
    ) -> tuple[dict[str, Any], tuple[Struck, ...]]:
        """What create answers, and which faults were met."""
        budget = [f"--budget={self.asked.budget:g}"] if self.asked.budget else []
        told = [fault for fault in faults if fault.system]
        failure: Rebirth | None = None
        answer, killed = dict[str, Any](), 0
        try:
            if self.lab:
                await self.lab.mend()
                for fault in told:
                    await self.lab.strike(fault.system, fault.body)
            after = next((fault.kill for fault in faults if fault.kill), 0.0)
            creating = self._rebirth("create", "--json", *budget)
            answer, killed = await self._timed(seconds, "create", self._killed(creating, after, budget))
        except Rebirth as error:
            failure = error
        met = await self.lab.mend() if self.lab else {}
        struck = tuple(Struck(fault.words, met.get(fault.system, 0) if fault.system else killed) for fault in faults)
        if failure:
            raise _Struck(failure, struck, self._newest())
        return answer, struck

    async def _killed(
        self, creating: Awaitable[str], after: float, budget: Sequence[str]
    ) -> tuple[dict[str, Any], int]:
        """create, killed after that many seconds and run again; what it answers in the end, and how often it was killed."""
        try:
            async with asyncio.timeout(after or None):
                return json.loads(await creating), 0
        except TimeoutError:
            return json.loads(await self._rebirth("create", "--json", *budget)), 1

    async def _timed(self, seconds: dict[str, float], step: str, work: Awaitable[Any]) -> Any:
        self._at, since = step, self.clock()
        try:
            return await work
        finally:
            seconds[step] = self.clock() - since

    async def _rebirth(self, command: str, *arguments: str) -> str:
        where = [os.fspath(self.asked.directory), *(["--lab", f"--lab-name={self.lab.name}"] if self.lab else [])]
        argv = [sys.executable, "-m", "rebirth", command, *where, *arguments]
        try:
            return await self.commands.run(argv, operation=command)
        except ProgramFailed as failed:
            raise Broken(failed.said or f"exited with {failed.status}", operation=command) from None

    def _held(self) -> dict[str, int]:
        others = self.lab.processes() if self.lab else []
        gc.collect()  # its own garbage is no leak
        return held({os.getpid(), *others}, self.lab.folder if self.lab else None)

    def _newest(self) -> str:
        """The logs of the create that failed: it has answered nothing."""
        return str(max((file.parent for file in self.logs.glob("2*/events.jsonl")), default=""))

    def _repeat(self, number: int) -> str:
        words = ["rebirth", "drill", os.fspath(self.asked.directory), "-n", "1"]
        if self.lab:
            words += ["--lab", *(["--lab-name", self.asked.lab_name] if self.asked.lab_name else [])]
            words += ["--faults", self.asked.faults, "--seed", str(self.asked.seed), "--first", str(number)]
        return shlex.join(words)


class _Struck(Broken):
    """create has failed; what it met on its way is known all the same."""

    def __init__(self, failure: Rebirth, struck: tuple[Struck, ...], logs: str) -> None:
        super().__init__(str(failure), hint=failure.hint)
        self.struck, self.logs = struck, logs


def _line(one: Round, last: int) -> str:
    met = ", ".join(struck.fault for struck in one.faults if struck.met)
    words = f"round {one.number} of {last}: "
    if one.ok:
        steps = ", ".join(f"{step} {one.seconds[step]:.1f} s" for step in drills.STEPS if step in one.seconds)
        words += f"went well: {steps}"
    else:
        words += f"{one.failed} failed: {one.error.splitlines()[0] if one.error else 'without a word'}"
    return f"{words}; met: {met}" if met else words
