"""Programs of a rehearsal that end by themselves."""

import asyncio
from pathlib import Path

import pytest

from rebirth.errors import Broken
from rebirth.rehearse.processes import Processes


def run(folder: Path, script: str, tries: int, what):
    async def all_of_it():
        processes = Processes(folder / "logs")
        try:
            await processes.start("it", ["/bin/sh", "-c", script], tries=tries)
            await what(processes)
        finally:
            await processes.stop()

    asyncio.run(all_of_it())


def test_what_ended_is_said_with_its_last_words(tmp_path: Path):
    async def ends(processes: Processes):
        with pytest.raises(Broken, match="ended with 3: no"):
            while True:
                await processes.check()
                await asyncio.sleep(0.05)

    run(tmp_path, "echo no; exit 3", 1, ends)


def test_it_is_started_again_as_often_as_it_may(tmp_path: Path):
    async def runs(processes: Processes):
        while not (tmp_path / "runs").exists():
            await processes.check()
            await asyncio.sleep(0.05)
        await processes.check()

    run(tmp_path, f"cd {tmp_path}; test -e once || {{ touch once; exit 1; }}; touch runs; sleep 100", 2, runs)


def test_it_is_not_started_for_ever(tmp_path: Path):
    async def ends(processes: Processes):
        with pytest.raises(Broken, match="ended with 1"):
            while True:
                await processes.check()
                await asyncio.sleep(0.05)

    run(tmp_path, f"echo x >> {tmp_path}/tries; exit 1", 3, ends)
    assert (tmp_path / "tries").read_text().count("x") == 3
