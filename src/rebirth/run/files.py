"""Files and folders on this machine that a run takes away."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from rebirth.run.facts import Made


def made_of(files: Iterable[Path]) -> list[Made]:
    """Those that are there."""
    return [Made("file", str(file), "", partial(_remove, file)) for file in files if file.exists()]


def sweep(folder: Path) -> None:
    """Takes away a folder that holds scratch files, and whatever else may stand there."""
    if folder.is_dir():  # rmtree would open whatever is there, and a FIFO never ends
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with suppress(OSError):  # there is none, or whoever needs one says why it cannot be had
            folder.unlink()


async def _remove(file: Path) -> None:
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)
