"""What tests share: `lay` runs phases as create does, `serve` puts a stand-in behind a real server."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from declaring import as_phase
from rebirth.events import Event, Events
from rebirth.run.engine import Engine, Outcome
from rebirth.run.journal import Journal
from rebirth.run.phase import Phase, declared
from serving import keys, serve
from watching import outside_the_schema, published

__all__ = ["keys", "lay", "outside_the_schema", "published", "serve"]


@pytest.fixture
def lay(tmp_path: Path):
    """Runs phases the way create does: lay.run(...) -> Outcome; lay.events holds what happened."""
    seen: list[Event] = []

    async def run(phases, *, connections=(), given=None, **options) -> Outcome:
        with Journal(tmp_path / "state") as journal:
            ready = [phase if isinstance(phase, Phase) else as_phase(phase) for phase in phases]
            declarations = [declared(connection) for connection in connections]
            return await Engine(ready, declarations, given or {}, journal, Events(seen.append), **options).run()

    return SimpleNamespace(run=run, events=seen, state=tmp_path / "state")


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder in which there may be sockets, whose paths have 107 bytes at most."""
    with TemporaryDirectory(prefix="rebirth-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def no_cached_charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof renders charts that were fetched, or that helm has in its cache: what a test finds does not hang on what this
    machine has."""
    monkeypatch.setenv("HELM_REPOSITORY_CACHE", str(tmp_path / "no-charts"))
    monkeypatch.setenv("REBIRTH_FETCHED", str(tmp_path / "fetched"))
