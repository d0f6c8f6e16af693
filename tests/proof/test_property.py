"""The proof accepts a graph if and only if the engine finishes it."""

import tempfile
from dataclasses import make_dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from declaring import as_phase
from proof.virtual_time import run
from rebirth.errors import NotYet
from rebirth.events import Events
from rebirth.proof.graph import Graph
from rebirth.proof.things import NOWHERE, Milestone, Need, Thing
from rebirth.run.engine import Engine
from rebirth.run.facts import Fact
from rebirth.run.journal import Journal

MOST = 9


@st.composite
def graphs(draw):
    """Who needs whom: for each node its needs, and whether one of them is enough."""
    size = draw(st.integers(1, MOST))
    nodes = []
    for number in range(size):
        # Mostly backwards, so that about half of the graphs have no cycle.
        among = range(number) if draw(st.integers(0, 9)) else range(size)
        needs = draw(st.lists(st.sampled_from(among), max_size=3, unique=True)) if among else []
        nodes.append((needs, draw(st.booleans())))
    return nodes


def thing(number):
    return Thing("node", "", str(number), Milestone.READY)


def as_graph(nodes):
    graph = Graph()
    for number, (needs, made) in enumerate(nodes):
        if made:
            graph.wanted(thing(number))
        for other in needs:
            if made:
                graph.makes(thing(other), thing(number), NOWHERE)
            else:
                graph.needs(thing(number), thing(other), Need.DEPENDS_ON, NOWHERE)
        graph.edges.setdefault(thing(number), [])
    return graph


def as_phases(nodes):
    """A phase a node, which looks at the world as real ones do: nothing in its signature tells the engine what it needs."""
    world = set()

    def phase(number, needs, made):
        fact = make_dataclass(f"Fact{number}", [], bases=(Fact,), frozen=True)
        enough = any if made else all

        async def look() -> fact:
            if not enough(other in world for other in needs):
                raise NotYet("not there")
            world.add(number)
            return fact()

        look.__name__ = f"phase{number}"
        return as_phase(look, patience=200)

    return [phase(number, *node) for number, node in enumerate(nodes)]


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_the_proof_is_clean_if_and_only_if_the_engine_finishes(nodes):
    graph = as_graph(nodes)
    clean = not graph.missing() and not graph.cycles()

    async def bootstrap():
        with tempfile.TemporaryDirectory() as scratch, Journal(Path(scratch)) as journal:
            return await Engine(as_phases(nodes), [], {}, journal, Events()).run()

    outcome, _ = run(bootstrap())
    settled = graph.settle()
    assert {t.name for t in settled.order} == {name.removeprefix("phase") for name in outcome.facts}
    wanted = {edge.needs for edge in graph.all_edges()}
    unused = {t for t in graph.made if t not in wanted and not graph.edges[t]}  # missing, but nobody's trouble
    assert (clean and not unused) == outcome.ok


@given(graphs())
@settings(max_examples=300, deadline=None)
def test_a_cycle_closes_and_is_gone_when_its_cheapest_edge_is(nodes):
    graph = as_graph(nodes)
    for cycle in graph.cycles():
        for edge, after in zip(cycle.edges, (*cycle.edges[1:], cycle.edges[0]), strict=True):
            assert edge.needs == after.by
            assert edge in graph.edges[edge.by]
        assert len({edge.by for edge in cycle.edges}) == len(cycle.edges)
        assert cycle.cheapest in cycle.edges
        for other in cycle.others:
            assert cycle.cheapest in other
            assert other != cycle.edges


@given(graphs())
@settings(max_examples=300, deadline=None)
def test_what_is_stuck_comes_free_when_every_cycle_is_cut_where_it_is_marked(nodes):
    graph = as_graph(nodes)
    cuts = [cycle.cheapest for cycle in graph.cycles()]
    for cut in cuts:
        graph.edges[cut.by].remove(cut)
    graph = replace(graph, _kept={})  # answers are of the edges that were entered, and none is ever taken out
    # What one maker is enough for has another one when it is cut from this one; what is missing is another matter.
    lacking = {thing for thing in graph.made if not graph.edges[thing]}
    assert not graph.settle(assume=lacking | {cut.by for cut in cuts if cut.by in graph.made}).stuck


@given(graphs())
@settings(max_examples=300, deadline=None)
def test_where_one_cut_is_enough_one_cycle_is_told(nodes):
    graph = as_graph(nodes)
    edges = [edge for edge in graph.all_edges() if edge.by not in graph.made]
    if not graph.made and graph.cycles() and any(not graph.settle(without=edge).stuck for edge in edges):
        (cycle,) = graph.cycles()
        assert not graph.settle(without=cycle.cheapest).stuck


@given(graphs())
@settings(max_examples=300, deadline=None)
def test_what_is_stuck_lacks_something_or_needs_itself(nodes):
    graph = as_graph(nodes)
    stuck = graph.settle().stuck
    assert not stuck or graph.missing() or graph.cycles() or all(t in graph.made and not graph.edges[t] for t in stuck)
