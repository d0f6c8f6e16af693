"""What may be meant by a name that nothing has: the only other one that lies beside who asks, and that nobody asks for; a class that
is called so, and a word more or less.
"""

import re
from collections.abc import Mapping, Sequence

from rebirth.proof.graph import Graph
from rebirth.proof.rules.slips import is_mistyped
from rebirth.proof.things import Edge, Need, Thing, Unknown
from rebirth.proof.words import pieces

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SHARED = 2  # pieces of a class' name that are another's, too
_APPLYING = frozenset({Need.APPLIED_BY, Need.MADE_BY, Need.HEALTH})  # no use of what is in it


def unused_beside(graph: Graph, thing: Thing, use: Edge, needed: Mapping[Thing, Sequence[Edge]]) -> str:
    """The name of a Secret or ConfigMap of the same namespace, made by a file beside the one that needs `thing`, of which a word is
    shared and which nobody is known to read; "" where there is none, or several. What a chart's values name is read by it.
    """
    if thing.kind not in {"Secret", "ConfigMap"}:
        return ""
    folder, words = use.place.file.rpartition("/")[0], pieces(thing.name)
    read = {text for unknown in graph.unknowns for text in unknown.names}
    found = [
        other.name
        for other in graph.made
        if other[:2] == thing[:2] and other.milestone is thing.milestone and other != thing
        if any(edge.place.file.rpartition("/")[0] == folder for edge in graph.makers(other))
        and words & pieces(other.name) and other.name not in read
        and all(edge.need in _APPLYING for edge in needed.get(other, ()))
    ]  # fmt: skip
    return found[0] if len(found) == 1 else ""


def near_class(graph: Graph, of: Thing) -> str:
    """A class that the values of another chart, perhaps the one that makes it, call nearly so."""
    if not of.kind.endswith("Class"):
        return ""
    named = {text for unknown in graph.unknowns if of.name not in unknown.names for text in unknown.names}
    return next((text for text in sorted(named) if is_mistyped(of.name, text)), "")


def class_made_like(graph: Graph, of: Thing) -> str:
    """A class of volumes that is made here, and is called as this one, but for words."""
    if of.kind != "StorageClass":
        return ""
    return _like(of, {one.name for one in graph.made if one[:2] == of[:2] and graph.makers(one)})


def is_like_ours(graph: Graph, of: Thing, charts: Sequence[Unknown]) -> bool:
    """Whether a class is called as one that is made, used or named by others, and a word more or less."""
    names = {one.name for one in graph.things if one[:2] == of[:2] and one.name != of.name}
    return bool(_like(of, names | {text for chart in charts for text in chart.names if _NAME.fullmatch(text)}))


def _like(of: Thing, names: set[str]) -> str:
    found = pieces(of.name)
    for name in sorted(names):
        shared = found & pieces(name)
        if len(shared) >= _SHARED and shared in (found, pieces(name)):
            return name
    return ""
