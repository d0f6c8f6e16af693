"""Why one thing needs another: things found by how people call them, and the shortest chain between them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from rebirth.errors import SpecError
from rebirth.proof.graph import Graph
from rebirth.proof.things import Edge, Thing

_SHOWN = 12  # candidates


@dataclass(frozen=True)
class Answer:
    one: str
    other: str
    chain: tuple[Edge, ...] | None  # why `one` needs `other`
    back: tuple[Edge, ...] | None = None  # where it does not: why `other` needs `one`


def explain(graph: Graph, one: str, other: str, first: Iterable[str] = ()) -> Answer:
    """Why `one` needs `other`. Raises SpecError where a name means nothing, or several things.

    A bare name means one of `first` (phases and units) where one of them is called so.
    """
    preferred = set(first)
    starts, goals = find(graph, one, preferred), find(graph, other, preferred)
    chain = _shortest(graph, starts, goals)
    back = None if chain else _shortest(graph, goals, starts)
    return Answer(starts[0].label, goals[0].label, chain, back)


def _shortest(graph: Graph, starts: list[Thing], goals: list[Thing]) -> tuple[Edge, ...] | None:
    chains = [graph.path(start, goal) for start in starts for goal in goals]
    return min((chain for chain in chains if chain), key=len, default=None)


def find(graph: Graph, words: str, preferred: set[str]) -> list[Thing]:
    """The things of one label that `words` mean: Kustomization/flux-system/apps, flux-system/apps, apps, phase:converge."""
    wanted = " ".join(re.sub(r"^([A-Za-z]+):(?!//)", r"\1 ", words).split()).casefold()
    by_label: dict[str, list[Thing]] = {}
    for thing in graph.things:
        by_label.setdefault(thing.label, []).append(thing)
    ranked: dict[int, list[str]] = {}
    for label, things in by_label.items():
        if (rank := _rank(things[0], wanted)) is not None:
            ranked.setdefault(rank if rank < 2 or label not in preferred else rank - 1, []).append(label)
    if not ranked:
        close = get_close_matches(words, {form for t in graph.things for form in (t.label, t.name)}, n=4, cutoff=0.6)
        raise SpecError(f"nothing is named {words}", hint=f"Did you mean {', '.join(close)}?" if close else "")
    labels = ranked[min(ranked)]
    if len(labels) > 1:
        more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        shown = ", ".join(sorted(labels)[:_SHOWN])
        raise SpecError(f"{words} matches {len(labels)} things: {shown}{more}", hint="Give one of them in full.")
    return by_label[labels[0]]


def _rank(thing: Thing, wanted: str) -> int | None:
    """How exactly `wanted` names it: 0 in full, 1 without its namespace; from 2 on without its kind."""
    kind, name = thing.kind.casefold(), thing.name.casefold()
    full = f"{thing.namespace}/{name}".casefold() if thing.namespace else name
    if wanted in {f"{kind} {full}", f"{kind}/{full}"}:
        return 0
    if wanted in {f"{kind} {name}", f"{kind}/{name}"}:
        return 1
    if wanted == full and thing.namespace:
        return 3
    return 5 if wanted == name else None
