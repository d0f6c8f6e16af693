"""The proof: reads everything that holds a dependency, makes one graph of it, and asks the rules. Creates nothing."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rebirth.commands import Commands
from rebirth.proof.charts.install import install
from rebirth.proof.graph import Graph
from rebirth.proof.reading import talos
from rebirth.proof.reading.kept import Kept, opened, put_away
from rebirth.proof.reading.kustomize import Kustomize
from rebirth.proof.reading.manifest import Model
from rebirth.proof.reading.survey import Survey, survey
from rebirth.proof.rules import Finding, judge, merged
from rebirth.proof.sources import in_order
from rebirth.secrets import Redaction

if TYPE_CHECKING:
    from rebirth.castle import Castle


# Never shown as text: asyncio makes the text of what a task returns when it puts the signal handlers back.
@dataclass(frozen=True, repr=False)
class ClusterProof:
    """One cluster: what it needs it has to find in itself."""

    cluster: str  # the folder that Flux is pointed at
    model: Model
    graph: Graph
    findings: list[Finding]


@dataclass(frozen=True, repr=False)
class Proof:
    worlds: tuple[ClusterProof, ...]  # one a cluster, at least one
    findings: list[Finding]  # of all clusters; what is found in several is reported once
    lasting: bool = False  # whether it says the same again where nothing that it reads has changed

    @property
    def model(self) -> Model:
        """Of the first cluster."""
        return self.worlds[0].model

    @property
    def graph(self) -> Graph:
        """Of the first cluster."""
        return self.worlds[0].graph


def collect_patiently() -> None:
    """For a process that leaves when it has told what was found: what is never looked for takes no time."""
    gc.set_threshold(1_000_000, 50, 1000)


@contextmanager
def patient_collector() -> Iterator[None]:
    """All that a proof makes lives to its end: looking for garbage in it again and again takes a quarter of the time.

    To be held until what was found is told.
    """
    before = gc.get_threshold()
    collect_patiently()
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def prove(
    repository: Path,
    *,
    clusters: Sequence[str] = (),
    castle: "Castle | None" = None,
    directory: Path | None = None,
    kept: Kept | None = None,
) -> Proof:
    """Proves the bootstrap of every cluster in a repository, and of the castle in `directory` that follows it.

    `kept` is what an earlier proof in this process has read, of this repository or a similar one: what has not changed since
    is not read again. Without it that is taken from the user's cache, and put there.
    """
    with patient_collector():
        if kept is not None:
            return await _prove(repository, clusters, castle, directory, kept)
        kept = opened(repository.resolve())
        done = await _prove(repository, clusters, castle, directory, kept)
        put_away(kept, repository.resolve())
        return done


async def _prove(
    repository: Path, clusters: Sequence[str], castle: "Castle | None", directory: Path | None, kept: Kept
) -> Proof:
    commands = Commands(Redaction())
    kustomize = Kustomize(commands=commands)
    file = None
    if directory is not None:
        from rebirth.castle.load import FILE

        file = directory.resolve() / FILE
    surveys = await survey(
        repository, [castle.gitops.path] if castle and not clusters else clusters, kustomize, castle, file, kept
    )
    worlds = tuple([await _world(read, commands) for read in surveys])
    lasting = not commands.failed and not any(world.graph.dated for world in worlds)
    return Proof(worlds, merged([world.findings for world in worlds]), lasting)


async def _world(read: Survey, commands: Commands) -> ClusterProof:
    _plant(read.model)
    unrendered = await install(read.model, commands)
    graph = assemble(read.model)
    graph.remarks[:0] = read.remarks
    graph.unknowns[:0] = [*read.unknowns, *unrendered]
    return ClusterProof(read.model.cluster, read.model, graph, judge(graph))


def _plant(model: Model) -> None:
    """Adds what is made besides the repository: by the castle's phases, and by Talos."""
    if model.castle is not None:
        from rebirth.proof.seeds import plant  # all that phases are made of: only a castle needs it

        plant(model)
    model.units[:0] = talos.units(model)
    model.index()


def assemble(model: Model) -> Graph:
    """The graph that all sources make together."""
    graph = Graph(whole=model.castle is not None)
    for source in in_order():
        source(model, graph)
    graph.close()
    return graph
