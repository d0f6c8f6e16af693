"""What chains of dependencies cost in polling.

What it finds:
    A long chain of `dependsOn`; a Kustomization that is retried only after a long interval although its order is left to
    retries.

Why it cannot work:
    It works, and costs time. Flux looks at unmet dependencies every 30 seconds, so each link of a chain costs 15 seconds on
    average and up to 30. A Kustomization that fails, because a kind or a Secret is not there yet, is retried after
    `retryInterval`, which defaults to `interval`: often an hour.

Example:
    A cluster that takes an hour because every failure waits for the next interval (fluxcd/flux2#4739).

Instead:
    Set `retryInterval: 30s`, declare the order where there is one, and remove every `dependsOn` that nothing needs.
"""

from collections import defaultdict
from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.after import After
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Edge, Need, Remark, Thing

_POLL = 30  # seconds: kustomize-controller's --requeue-dependency
_LONG = 6  # links


def r18_cost_of_a_chain(graph: Graph) -> Iterator[Finding]:
    chain = _longest(graph)
    if len(chain) >= _LONG:
        yield Finding(
            "R18",
            Severity.INFO,
            f"a chain of {len(chain)} dependsOn costs up to {len(chain) * _POLL} s of polling: {tell(chain)}",
            chain[0].place,
            chain,
            why=f"Flux looks at a dependency that is not Ready every {_POLL} s.",
            instead="Remove dependencies that nothing needs; let branches start in parallel.",
        )
    yield from _slow(graph)


def _longest(graph: Graph) -> tuple[Edge, ...]:
    """The longest chain of dependsOn between Kustomizations, without steps inside one."""
    after: dict[str, list[Edge]] = {}
    for edge in graph.of_need(Need.DEPENDS_ON):
        if edge.by.kind == "Kustomization" and edge.needs.kind == "Kustomization":
            after.setdefault(edge.by.label, []).append(edge)
    best: dict[str, tuple[Edge, ...]] = {}
    for thing in graph.settled().order if after else ():  # what is needed comes first
        if thing.kind != "Kustomization":
            continue
        for edge in after.get(thing.label, ()):
            chain = (edge, *best.get(edge.needs.label, ()))
            if len(chain) > len(best.get(thing.label, ())):
                best[thing.label] = chain
    return max(best.values(), key=len, default=())


def _slow(graph: Graph) -> Iterator[Finding]:
    """Units that come too early, and are tried again late; those that wait for the same maker are reported once."""
    slow = {remark.about: remark for remark in graph.marked("slow-retry") if remark.about}
    found: dict[Thing, list[tuple[Edge, Remark]]] = defaultdict(list)
    after = graph.about(After) if slow else None
    for by, remark in slow.items():
        edge = next(_unordered(graph, after, by), None) if after else None
        if edge is not None:
            found[graph.makers(edge.needs)[0].needs].append((edge, remark))
    for maker, early in found.items():
        edge, remark = early[0]
        more = f" and {len(early) - 1} more" if len(early) > 1 else ""
        yield Finding(
            "R18",
            Severity.INFO,
            f"{edge.by.label}{more} may be applied before {maker.label}, and is then retried only after {remark['interval']}",
            remark.place,
            (edge, *graph.makers(edge.needs)[:1]),
            why=f"Nothing orders it after {edge.needs.label}, and `retryInterval` is not set.",
            instead="Set `retryInterval: 30s`, or depend on what installs the CRD.",
        )


def _unordered(graph: Graph, after: After, by: Thing) -> Iterator[Edge]:
    """Kinds that a unit holds, that somebody brings, and that nothing orders it after."""
    gates = [e.needs for e in _of_start(graph, by) if e.need in {Need.DEPENDS_ON, Need.APPLIED_BY}]
    for edge in graph.edges.get(by, ()):
        if edge.need is not Need.CRD or not graph.makers(edge.needs) or edge.needs in graph.starts:
            continue
        if any(maker.needs in graph.starts for maker in graph.makers(edge.needs)):
            continue
        if not any(after.is_there(edge.needs, gate) for gate in gates):
            yield edge


def _of_start(graph: Graph, applied: Thing) -> Iterator[Edge]:
    for edge in graph.edges.get(applied, ()):
        if edge.needs.label == applied.label:
            yield from graph.edges.get(edge.needs, ())
