"""Files and folders on this machine that destroy takes away."""

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from rebirth.run.facts import Made


def made_of(files: Iterable[Path]) -> list[Made]:
    """Those that are there."""
    return [Made("file", str(file), "", partial(_remove, file)) for file in files if file.exists()]


async def _remove(file: Path) -> None:
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)
