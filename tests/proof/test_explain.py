"""Things found by how people call them."""

import pytest

from rebirth.errors import SpecError
from rebirth.proof.explain import explain, find
from rebirth.proof.graph import Graph
from rebirth.proof.things import ALWAYS, NOWHERE, Milestone, Need, Thing

KS = Thing("Kustomization", "flux-system", "apps", Milestone.READY)
SECRET = Thing("Secret", "apps", "db", Milestone.MATERIALISED)
TWIN = Thing("Secret", "other", "db", Milestone.MATERIALISED)
PLACE = Thing("Namespace", "", "apps", Milestone.EXISTS)
PHASE = Thing("phase", "", "converge", Milestone.READY)
HOST = Thing("Kubernetes API", "", "https://192.168.50.11:6443", Milestone.ANSWERS)


@pytest.fixture
def graph():
    graph = Graph()
    graph.needs(KS, SECRET, Need.SECRET, NOWHERE)
    graph.needs(SECRET, PHASE, Need.PHASE, NOWHERE, scope=ALWAYS)
    for thing in (TWIN, PLACE, HOST, KS._replace(milestone=Milestone.APPLIED)):
        graph.edges.setdefault(thing, [])
    return graph


@pytest.mark.parametrize(
    ("words", "thing"),
    [
        ("Kustomization flux-system/apps", KS),
        ("kustomization/flux-system/apps", KS),
        ("Kustomization/apps", KS),
        ("flux-system/apps", KS),
        ("apps", KS),  # a phase or unit goes before a Namespace
        ("Namespace apps", PLACE),
        ("namespace:apps", PLACE),
        ("Secret apps/db", SECRET),
        ("other/db", TWIN),
        ("phase:converge", PHASE),
        ("converge", PHASE),
        ("https://192.168.50.11:6443", HOST),
        ("Kubernetes API https://192.168.50.11:6443", HOST),
    ],
)
def test_a_thing_is_found(graph, words, thing):
    assert {t.label for t in find(graph, words, {KS.label, PHASE.label})} == {thing.label}


@pytest.mark.parametrize("words", ["db", "Secret db", "secret/db"])
def test_several_are_listed(graph, words):
    with pytest.raises(SpecError, match="matches 2 things: Secret apps/db, Secret other/db"):
        find(graph, words, set())


def test_nothing_is_called_so(graph):
    with pytest.raises(SpecError, match="nothing is named convrge") as raised:
        find(graph, "convrge", set())
    assert "converge" in raised.value.hint


def test_both_ways(graph):
    there = explain(graph, "Kustomization/apps", "converge")
    assert [edge.needs for edge in there.chain] == [SECRET, PHASE]
    back = explain(graph, "converge", "Kustomization/apps")
    assert back.chain is None
    assert back.back == there.chain
    nothing = explain(graph, "other/db", "converge")
    assert (nothing.chain, nothing.back) == (None, None)
