"""What is wrong on this machine: a disk that takes no more, places that are taken, no more open files."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from faults import scenes
from faults.cell import Cell
from faults.stage import Stage


@contextmanager
def _limited(what: int, soft: int) -> Iterator[None]:
    before, hard = resource.getrlimit(what)
    resource.setrlimit(what, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(what, (before, hard))


def _full_from(size: int) -> Callable[[Stage], None]:
    """No file gets larger than that: what a write of more says is what a full disk says, in other words."""

    def arrange(stage: Stage) -> None:
        stage.during = lambda: _limited(resource.RLIMIT_FSIZE, size)

    return arrange


def _no_files(stage: Stage) -> None:
    stage.during = lambda: _limited(resource.RLIMIT_NOFILE, 3)


def _taken(name: str, make: Callable[[os.PathLike[str]], object]) -> Callable[[Stage], None]:
    """Something else stands where `name` of the castle's folder has to be."""

    def arrange(stage: Stage) -> None:
        place = stage.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        make(place)
        stage.lift = lambda: place.rmdir() if place.is_dir() else place.unlink()

    return arrange


def cells() -> list[Cell]:
    def cell(fault: str, scene: scenes.Scene, arrange: Callable[[Stage], None], names: str = "CASTLE") -> Cell:
        return Cell("this machine", fault, scene, arrange, names)

    folder, fifo = os.mkdir, os.mkfifo
    return [
        cell("the disk is full", scenes.creating, _full_from(0)),
        cell("the disk is full in the middle of a line of the journal", scenes.naming, _full_from(120)),
        cell(
            "the disk is full when a machine's configuration is written",
            scenes.configuring,
            _full_from(1200),
            "this machine",
        ),
        cell("no more open files", scenes.configuring, _no_files),
        cell("the journal is a folder", scenes.creating, _taken("state/journal.jsonl", folder)),
        cell("the journal is a FIFO", scenes.creating, _taken("state/journal.jsonl", fifo)),
        cell("the lock is a folder", scenes.creating, _taken("state/lock", folder)),
        cell("a machine's record is a folder", scenes.creating, _taken("state/machines/lushycorp-k8s", folder)),
        cell("the folder of records is a FIFO", scenes.creating, _taken("state/machines", fifo)),
        cell("the folder for scratch files is a FIFO", scenes.configuring, _taken("produced/.scratch", fifo)),
    ]
