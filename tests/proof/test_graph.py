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
