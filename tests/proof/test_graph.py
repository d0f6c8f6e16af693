"""Who is to blame where several things wait: circles are told once, and only those that really hold something up."""

from rebirth.proof.graph import Graph
from rebirth.proof.things import Milestone, Need, Place, Thing

HERE = Place("castle.yaml", 1)


def ready(name):
    return Thing("thing", "", name, Milestone.READY)


def test_a_circle_of_a_maker_is_not_told_where_another_maker_is_stuck_for_its_own_reason():
    graph = Graph()
    # `object` is made by a phase, and later by Flux, which comes out of that very object.
    graph.makes(ready("phase"), ready("object"), HERE)
    graph.makes(ready("flux"), ready("object"), HERE)
    graph.needs(ready("flux"), ready("object"), Need.SOURCE, HERE)
    # The phase waits in a circle of its own.
    graph.needs(ready("phase"), ready("address"), Need.API, HERE)
    graph.needs(ready("address"), ready("phase"), Need.ADDRESS, HERE)
    (cycle,) = graph.cycles()
    assert set(cycle.things) == {ready("phase"), ready("address")}


def test_a_circle_through_the_only_maker_is_told():
    graph = Graph()
    graph.makes(ready("flux"), ready("object"), HERE)
    graph.needs(ready("flux"), ready("object"), Need.SOURCE, HERE)
    (cycle,) = graph.cycles()
    assert set(cycle.things) == {ready("flux"), ready("object")}


def test_two_makers_in_one_circle_each_are_both_told_or_one_that_frees():
    graph = Graph()
    for name in ("one", "two"):
        graph.makes(ready(name), ready("object"), HERE)
        graph.needs(ready(name), ready("object"), Need.SECRET, HERE)
    assert len(graph.cycles()) == 1


def test_cycles_that_share_an_edge_are_told_as_one_with_the_others_beside_it():
    graph = Graph()
    for name in ("one", "two"):
        graph.needs(ready(name), ready("shared"), Need.DEPENDS_ON, HERE)
        graph.needs(ready("base"), ready(name), Need.DEPENDS_ON, HERE)
    shared = Place("shared.yaml", 1)
    graph.needs(ready("shared"), ready("base"), Need.SECRET, shared)  # dearer than each dependsOn, but it frees both
    (cycle,) = graph.cycles()
    assert cycle.cheapest.place == shared
    assert [len(other) for other in cycle.others] == [3]
    assert not graph.settle(without=cycle.cheapest).stuck


def test_a_need_that_is_written_twice_is_one_to_cut():
    graph = Graph()
    graph.needs(ready("one"), ready("two"), Need.CRD, HERE)
    graph.needs(ready("one"), ready("two"), Need.CRD, Place("castle.yaml", 2))
    graph.needs(ready("two"), ready("one"), Need.IMAGE, HERE)
    (cycle,) = graph.cycles()
    assert cycle.cheapest.need is Need.CRD


def test_what_is_needed_for_two_reasons_is_not_where_to_cut():
    graph = Graph()
    graph.needs(ready("one"), ready("two"), Need.DEPENDS_ON, HERE)
    graph.needs(ready("one"), ready("two"), Need.SECRET, HERE)
    graph.needs(ready("two"), ready("one"), Need.IMAGE, HERE)
    (cycle,) = graph.cycles()
    assert cycle.cheapest.need is Need.IMAGE


def test_a_step_inside_one_thing_is_not_where_to_cut():
    graph = Graph()
    applied = ready("one")._replace(milestone=Milestone.APPLIED)
    graph.needs(ready("one"), applied, Need.HEALTH, HERE)
    graph.needs(applied, ready("two"), Need.SECRET, HERE)
    graph.needs(ready("two"), ready("one"), Need.IMAGE, HERE)
    (cycle,) = graph.cycles()
    assert cycle.cheapest.need is Need.SECRET


def test_what_settles_without_an_edge_is_what_settles_in_a_graph_that_never_had_it():
    graph = Graph()
    for needed in ("a", "a", "b"):
        graph.needs(ready("user"), ready(needed), Need.SECRET, HERE)
    graph.needs(ready("b"), ready("b"), Need.SECRET, HERE)
    graph.makes(ready("b"), ready("made"), HERE)
    of_b = next(edge for edge in graph.edges[ready("user")] if edge.needs == ready("b"))
    assert graph.settle().stuck == {ready("user"), ready("b"), ready("made")}
    assert graph.settle(without=of_b).stuck == {ready("b"), ready("made")}
    assert graph.settle(without=graph.edges[ready("b")][0]).stuck == frozenset()
    assert graph.settle(without=graph.edges[ready("made")][0]).stuck >= {ready("made")}


def test_answers_about_the_whole_graph_follow_what_is_added():
    graph = Graph()
    graph.needs(ready("user"), ready("a"), Need.SECRET, HERE)
    assert [edge.needs for edge in graph.of_need(Need.SECRET)] == [ready("a")]
    assert graph.settled().stuck == frozenset()
    graph.needs(ready("user"), ready("user"), Need.SECRET, HERE)
    assert [edge.needs for edge in graph.of_need(Need.SECRET)] == [ready("a"), ready("user")]
    assert graph.settled().stuck == {ready("user")}
