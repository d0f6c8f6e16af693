"""A job: names and paths alone, since the engine keeps them in clear."""

import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rebirth.castle import load
from rebirth.castle.load import FILE

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Job:
    id: str
    kind: str
    directory: str  # absolute
    castle: str  # its name; the path, where castle.yaml is missing
    machine: str = ""  # the only one that may do it; "": any that has the directory
    lab: bool = False
    lab_name: str = ""  # of that lab; "": the castle's
    rounds: int = 1
    seed: int = 0
    faults: str = "none"

    def __post_init__(self) -> None:
        """Of what came out of a database: nothing in it can become an option, or a path elsewhere. Raises ValueError."""
        if not all(_NAME.fullmatch(name) for name in (self.id, self.kind, self.faults, self.lab_name or "none")):
            raise ValueError("a job's id, kind, faults and lab are names")
        if not Path(self.directory).is_absolute():
            raise ValueError("a job's directory is an absolute path")

    @property
    def key(self) -> str:
        """Of two jobs with the same key one waits: a castle is never worked on by two. A lab's castle is another one on each machine."""
        return f"{self.machine}/{self.castle}" if self.lab else self.castle

    @property
    def is_castle(self) -> bool:
        return (Path(self.directory) / FILE).exists()

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def new(kind: str, directory: Path, castle: str = "", **options: Any) -> Job:
    """A job that nobody has added yet. Raises SpecError where castle.yaml is wrong."""
    path = directory.resolve()
    if not castle:
        castle = load(path).name if (path / FILE).exists() else str(path)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return Job(f"{stamp}-{kind}-{secrets.token_hex(4)}", kind, str(path), castle, **options)
