"""The plan for people: it fits the terminal."""

from pathlib import Path

import pytest

from rebirth.findings.places import Places
from rebirth.plan import schedule
from rebirth.plan.text import render
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model, Unit
from rebirth.proof.things import NOWHERE, Atomicity, Milestone, Need, Place, Thing


def chain_of(*names):
    """A plan in which each needs the one before."""
    graph, model = Graph(), Model(Path("/"))
    before = None
    for name in names:
        applied, ready = (Thing("Kustomization", "flux-system", name, m) for m in (Milestone.APPLIED, Milestone.READY))
        model.units.append(Unit(applied, ready, Atomicity.FLUX, Place("/x.yaml", 1)))
        graph.needs(ready, applied, Need.HEALTH, NOWHERE)
        graph.edges.setdefault(applied, [])
        graph.seconds[applied] = 30.0
        if before:
            graph.needs(applied, before, Need.SOURCE, Place("/x.yaml", 1))
        before = ready
    return schedule.plan(model, graph)


@pytest.mark.parametrize("width", [60, 80, 130])
def test_every_line_fits(width):
    lines = render(chain_of("a", "b" * 120, "c"), Places(), width=width).splitlines()
    assert "critical path, all ready after 1:30:" in lines
    assert all(len(line) <= width and line == line.rstrip() for line in lines)


def test_what_a_router_has_to_reserve_is_said():
    cards = {"cp-1": ("02:00:00:00:00:01", "192.168.7.11"), "worker": ("02:00:00:00:00:02", "192.168.7.21")}
    words = render(chain_of("a"), Places(), cards=cards)
    assert "  cp-1    02:00:00:00:00:01  192.168.7.11\n  worker  02:00:00:00:00:02  192.168.7.21\n" in words
    assert "reservations" not in render(chain_of("a"), Places())
