"""Programs are kept running, left alone while nothing changes for them, and ended."""

import asyncio
import sys
from pathlib import Path

import pytest

from rebirth.lab.systems.parts import Parts

_WRITE_AND_STAY = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60)"


@pytest.fixture
async def parts(tmp_path: Path):
    made = Parts(tmp_path / "log")
    yield made
    await made.stop()


async def started(file: Path, times: int) -> None:
    async with asyncio.timeout(10):
        while not file.exists() or len(file.read_text()) < times:
            await asyncio.sleep(0.02)


def stay(file: Path, *more: str) -> list[str]:
    return [sys.executable, "-c", _WRITE_AND_STAY, str(file), *more]


async def test_the_same_again_changes_nothing(parts: Parts, tmp_path: Path):
    file = tmp_path / "starts"
    for _ in range(3):
        parts.run("p", stay(file))
    await started(file, 1)
    await asyncio.sleep(0.1)
    assert file.read_text() == "x"
    assert parts.services["p"].state == "Running"


async def test_another_argument_or_file_starts_it_anew(parts: Parts, tmp_path: Path):
    file, settings = tmp_path / "starts", tmp_path / "settings"
    settings.write_text("a")
    parts.run("p", stay(file), files=[settings])
    await started(file, 1)
    settings.write_text("b")
    parts.run("p", stay(file), files=[settings])
    await started(file, 2)
    parts.run("p", stay(file, "more"), files=[settings])
    await started(file, 3)


async def test_what_ends_is_started_again(parts: Parts, tmp_path: Path):
    file = tmp_path / "starts"
    parts.run("p", [sys.executable, "-c", "import sys; open(sys.argv[1], 'a').write('x')", str(file)])
    await started(file, 2)


async def test_ended(parts: Parts, tmp_path: Path):
    parts.run("p", stay(tmp_path / "starts"))
    await started(tmp_path / "starts", 1)
    parts.end("p")
    assert not parts.running("p")
    assert parts.services["p"].state == "Finished"
