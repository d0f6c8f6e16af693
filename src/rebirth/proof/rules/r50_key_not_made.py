"""A key of a Secret or ConfigMap is read that its maker does not make.

What it finds:
    A variable, volume item, single mounted file, store, issuer or handover that names a key which is not among the keys
    that the Secret or ConfigMap is made with.

Why it cannot work:
    A container that wants a missing key is not started (CreateContainerConfigError), a volume with a missing item is not
    mounted; a single file mounted from a missing key is an empty folder. Flux asks a Git server over HTTPS as anybody does where the
    Secret has nothing for that: without a castle this is a warning, since the repository may be public.

Example:
    The ExternalSecret makes `GRAFANA_DB_PASSWORD`, and the Deployment reads `password`.

Instead:
    Use one name for both. The operator's documentation lists the keys of a database's Secret.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Edge, Milestone, Reading, Thing


def r50_key_not_made(graph: Graph) -> Iterator[Finding]:
    told: set[tuple[Thing, Thing]] = set()
    for reading in graph.readings:
        if reading.of.milestone is not Milestone.MATERIALISED or reading.of.kind == "vault path":
            continue
        holdings = graph.holdings.get(reading.of)
        if not holdings or len(graph.makers(reading.of)) > len(holdings):
            continue  # somebody makes it whose keys are not known
        keys: set[str] = set()
        if any(holding.keys is None for holding in holdings):
            continue
        for holding in holdings:
            keys |= holding.keys or set()
        if not keys & set(reading.key.split("|")) and "${" not in reading.key:
            free = bool(reading.beside) and reading.beside not in keys  # it asks without, which may be enough
            if free and (reading.by, reading.of) in told:
                continue
            told.add((reading.by, reading.of))
            yield _finding(graph, reading, keys, sure=graph.whole or not free)


def _finding(graph: Graph, reading: Reading, keys: set[str], *, sure: bool) -> Finding:
    listed = ", ".join(sorted(keys)[:8]) or "none"
    return Finding(
        "R50",
        Severity.ERROR if sure else Severity.WARNING,
        f"{reading.by.label} reads the key {reading.key.replace('|', ' or ')} of {reading.of.label}, which has: {listed}",
        reading.place,
        _chain(graph, reading),
        why="A reader of a missing key does not start, and nothing ever adds the key."
        if sure
        else "Nothing in it is used: a public repository is read without, a private one is refused.",
        instead="Name the key as its maker does.",
    )


def _chain(graph: Graph, reading: Reading) -> tuple[Edge, ...]:
    use = next((edge for edge in graph.edges.get(reading.by, ()) if edge.needs == reading.of), None)
    maker = next(iter(graph.makers(reading.of)), None)
    return tuple(edge for edge in (use, maker) if edge is not None)
