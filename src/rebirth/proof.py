"""The proof: reads everything that holds a dependency, makes one graph of it, and asks the rules. Creates nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rebirth.commands import Commands
from rebirth.graph import Graph
from rebirth.providers.kustomize import Kustomize
from rebirth.rules import Finding, judge
from rebirth.secrets import Redaction
from rebirth.seeds import plant
from rebirth.sources import SOURCES
from rebirth.sources.manifest import Model
from rebirth.spec import Castle
from rebirth.spec.load import FILE
from rebirth.survey import survey


@dataclass(frozen=True)
class Proof:
    model: Model
    graph: Graph
    findings: list[Finding]


async def prove(
    repository: Path, *, clusters: Sequence[str] = (), castle: Castle | None = None, directory: Path | None = None
) -> Proof:
    """Proves the bootstrap of a repository, and of the castle in `directory` that follows it."""
    kustomize = Kustomize(commands=Commands(Redaction()))
    file = directory.resolve() / FILE if directory else None
    read = await survey(
        repository, [castle.gitops.path] if castle and not clusters else clusters, kustomize, castle, file
    )
    plant(read.model)
    graph = assemble(read.model)
    graph.remarks[:0] = read.remarks
    graph.unknowns[:0] = read.unknowns
    return Proof(read.model, graph, judge(graph))


def assemble(model: Model) -> Graph:
    """The graph that all sources make together."""
    graph = Graph(whole=model.castle is not None)
    for source in SOURCES:
        source(model, graph)
    graph.close()
    return graph
