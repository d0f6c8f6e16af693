"""The graph as DOT, Mermaid and JSON: what is run, or all of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rebirth.findings.data import edge_data, thing_data
from rebirth.findings.places import Places
from rebirth.plan.schedule import Plan
from rebirth.proof.graph import Graph


@dataclass(frozen=True)
class Arrow:
    """`by` needs `needs`."""

    by: str
    needs: str
    words: str


def of_plan(plan: Plan) -> tuple[list[str], list[Arrow]]:
    """Phases and units, and whom each needs in order to start, or to be ready."""
    arrows = [Arrow(n.label, other, "to start") for n in plan.nodes for other in n.starts_after]
    arrows += [Arrow(n.label, other, "to be ready") for n in plan.nodes for other in n.ready_after]
    return [node.label for node in plan.nodes], arrows


def of_graph(graph: Graph) -> tuple[list[str], list[Arrow]]:
    """Every thing, and every need."""
    arrows = [Arrow(str(e.by), str(e.needs), e.need.value) for e in graph.all_edges()]
    return [str(thing) for thing in graph.things], list(dict.fromkeys(arrows))


def dot(names: list[str], arrows: list[Arrow]) -> str:
    lines = ["digraph bootstrap {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines += [f"  {_quoted(name)};" for name in names]
    styles = {"to be ready": ", style=dashed"}
    lines += [
        f"  {_quoted(a.needs)} -> {_quoted(a.by)} [label={_quoted(a.words)}{styles.get(a.words, '')}];" for a in arrows
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mermaid(names: list[str], arrows: list[Arrow]) -> str:
    ids = {name: f"n{at}" for at, name in enumerate(names)}
    lines = ["flowchart LR", *(f'  {ids[name]}["{_escaped(name)}"]' for name in names)]
    for arrow in arrows:
        line = "-.->" if arrow.words == "to be ready" else "-->"
        words = f"|{_escaped(arrow.words)}|" if arrow.words not in {"to start", "to be ready"} else ""
        lines.append(f"  {ids[arrow.needs]} {line}{words} {ids[arrow.by]}")
    return "\n".join(lines) + "\n"


def _escaped(words: str) -> str:
    return words.replace("#", "#35;").replace('"', "#quot;").replace("|", "#124;")


def plan_json(plan: Plan, places: Places, more: Mapping[str, object] | None = None) -> str:
    """`more`: what else is to be said, by name."""
    nodes = [
        {
            "name": node.label,
            "wave": node.wave,
            "start": _rounded(node.start),
            "ready": _rounded(node.ready),
            "after": node.after,
            "starts_after": node.starts_after,
            "ready_after": node.ready_after,
        }
        for node in plan.nodes
    ]
    held = [
        {"name": h.node, "waits_for": h.by, "seconds": _rounded(h.seconds), "file": places.file(h.edge.place)}
        | {"line": places.line(h.edge.place)}
        for h in plan.held
    ]
    longest = [{"name": step.label, "seconds": _rounded(step.seconds)} for step in plan.longest]
    found = {"version": 1, "nodes": nodes, "longest": longest, "held": held}
    return _told(
        found
        | {"online": _rounded(plan.online), "total": _rounded(plan.total)}
        | {"assumed": [thing_data(thing) for thing in plan.assumed], "notes": plan.notes}
        | dict(more or {})
    )


def graph_json(graph: Graph, places: Places) -> str:
    things = [
        thing_data(thing) | {"made": thing in graph.made, "given": graph.starts.get(thing, ("",))[0]}
        for thing in graph.things
    ]
    edges = [edge_data(edge, places) for edge in graph.all_edges()]
    return _told({"version": 1, "things": things, "edges": edges})


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _told(found: object) -> str:
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


FORMS: dict[str, Callable[[list[str], list[Arrow]], str]] = {"dot": dot, "mermaid": mermaid}
