"""The private folder of a rehearsal: gone with it, however it ends, at the latest when the next one begins."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rebirth.store.files import locked

_PREFIX = "rehearsal-"  # short: the name of a Unix socket in it has at most 107 bytes
_LOCK = "lock"  # held as long as somebody rehearses in the folder; the kernel lets go of it when he is killed


@contextmanager
def private_folder(parent: Path | None = None) -> Iterator[Path]:
    """A new folder that only its owner enters. Those that killed rehearsals have left behind are removed first."""
    above = parent or Path(tempfile.gettempdir())
    sweep(above)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above))
    try:
        with locked(folder / _LOCK, alone=True):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(above: Path) -> None:
    """Removes the folders of rehearsals that are no more; what is another user's cannot be, and stays."""
    for folder in above.glob(f"{_PREFIX}*"):
        try:
            held = folder / _LOCK
            if held.is_file():  # one without is just being made
                with locked(held, alone=True) as gone:
                    if gone:
                        shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
