"""A whole lab for the tests of a module, and programs in it."""

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.world.castles import write_castle
from rebirth.lab.building.toolchain import Toolchain, components
from rebirth.lab.state import LabState, labs
from rebirth.lab.up import down, up

ENTER = """
import asyncio, sys
from rebirth.lab import enter
from rebirth.lab.state import LabState
state = LabState(sys.argv[1])
sys.exit(enter.run(state, sys.argv[2:], asyncio.run(enter.environment(state))))
"""


async def _lacking() -> list[str]:
    toolchain = Toolchain()
    folders = [await toolchain.folder(component) for component in components() if not component.optional]
    return [folder.name for folder in folders if not folder.is_dir()]


def _skip_where_it_cannot_run() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if lacking := asyncio.run(_lacking()):
        pytest.skip(f"not built: {', '.join(lacking)} (make lab)")


class Inside:
    """A running lab, and programs in it."""

    def __init__(self, state: LabState, castle: Path) -> None:
        self.state, self.castle = state, castle

    def start(self, *argv: str, **options) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", ENTER, self.state.name, *argv], **options)

    def run(self, *argv: str, cwd: Path | None = None, ok: bool = True) -> str:
        with self.start(*argv, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            said, _ = process.communicate(timeout=120)
        assert (process.returncode == 0) is ok, said
        return said.strip()

    def python(self, program: str) -> str:
        return self.run(sys.executable, "-W", "error", "-c", textwrap.dedent(program))

    def secret(self, name: str) -> str:
        return (self.state.secrets / name).read_text()


@contextmanager
def running(folders: pytest.TempPathFactory, name: str, more: str = "") -> Iterator[tuple[Inside, list[str]]]:
    """A lab of that name for a small castle, and what was said while it came up. It goes down at the end, and nothing is left.

    `more` is written behind the castle's lab.yaml, into its last section: `tailnet`.
    """
    _skip_where_it_cannot_run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folders.mktemp("state")))
        castle = write_castle(folders.mktemp("castle"))
        with (castle / "lab.yaml").open("a") as file:
            file.write(more)
        said: list[str] = []
        name = f"{name}-{os.getpid()}"
        try:
            yield Inside(asyncio.run(up(name, castle, said.append)), castle), said
        finally:
            asyncio.run(down(name))
        assert labs() == []
