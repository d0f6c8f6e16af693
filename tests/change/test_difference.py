"""Findings of two states of a tree: what is new, gone, and the same in another place."""

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from rebirth.change.difference import compare, of_clusters
from rebirth.change.snapshot import courses, marks
from rebirth.findings.places import Places
from rebirth.findings.verdict import weigh
from rebirth.proof.prove import prove
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.rules.finding import grouped
from rebirth.proof.things import Edge, Milestone, Need, Place, Thing
from trees import lay


def of(*names: str) -> tuple[Edge, ...]:
    things = [Thing("Kustomization", "flux-system", name, Milestone.READY) for name in names]
    return tuple(Edge(one, other, Need.DEPENDS_ON, Place("")) for one, other in itertools.pairwise(things))


def finding(file: str, message: str, chain: tuple[Edge, ...] = (), *, closed: bool = False) -> Finding:
    return Finding("R14", Severity.ERROR, message, Place(f"/r/{file}", 1), chain, closed=closed)


def compared(before: list[Finding], now: list[Finding], *there: str):
    places = Places(here=Path("/r"))
    return compare(marks(before, places), now, marks(now, places), lambda file: file in there)


def test_the_same_elsewhere_in_the_file_is_the_same():
    one = finding("a.yaml", "x is missing")
    found = compared([one], [replace(one, place=one.place._replace(line=7))], "a.yaml")
    assert (found.new, found.same, found.gone) == ((), 1, ())


def test_twice_where_it_was_once_is_new_once():
    one = finding("a.yaml", "a key twice")
    found = compared([one], [one, one], "a.yaml")
    assert (len(found.new), found.same, len(found.gone)) == (1, 1, 0)


def test_a_new_place_of_a_cause_that_is_known_is_new():
    one, other, third = (replace(finding(f"{name}.yaml", f"{name} is encrypted"), cause="no key") for name in "abc")
    found = compared(grouped([one, other]), grouped([one, other, third]), "a.yaml", "b.yaml")
    assert (found.new, found.same, found.gone) == ((third,), 1, ())
    found = compared(grouped([one, other, third]), grouped([other, third]), "a.yaml", "b.yaml")
    assert (found.new, found.same, [mark.file for mark in found.gone]) == ((), 1, ["a.yaml"])


@pytest.mark.parametrize(("there", "new"), [(("b.yaml",), 0), (("a.yaml", "b.yaml"), 1)])
def test_words_alone_move_with_their_file(there, new):
    found = compared([finding("a.yaml", "a key twice")], [finding("b.yaml", "a key twice")], *there)
    assert (len(found.new), len(found.gone)) == (new, new)


def test_a_chain_between_the_same_things_is_the_same_wherever_it_is_written():
    before = finding("a.yaml", "x waits for y", of("x", "m", "y"))
    now = finding("b.yaml", "x waits for y, two ways", of("x", "n", "y"))
    assert compared([before], [now], "a.yaml", "b.yaml").same == 1
    other = finding("a.yaml", "x waits for y", of("x", "m", "z"))
    assert compared([before], [other], "a.yaml").new == (other,)


def test_a_cycle_is_its_things_wherever_it_begins():
    before = finding("a.yaml", "a cycle", of("x", "y", "x"), closed=True)
    now = finding("b.yaml", "a cycle", of("y", "x", "y"), closed=True)
    assert compared([before], [now], "a.yaml", "b.yaml").same == 1
    longer = finding("a.yaml", "a cycle", of("x", "y", "z", "x"), closed=True)
    assert compared([before], [longer], "a.yaml").new == (longer,)


def bootstrap(root: Path):
    proof = asyncio.run(prove(root, clusters=["clusters/x"]))
    weigh(proof, Places(here=root))
    return courses(proof, None), proof.worlds


def test_units_and_needs_that_come_and_go(tmp_path):
    before, _ = bootstrap(lay(tmp_path / "before", a="", b="a", c="", gone=""))
    after, worlds = bootstrap(lay(tmp_path / "after", a="", b="c", c="", d="b"))
    (found,) = of_clusters(before, after, worlds)
    name = "Kustomization flux-system/{}".format
    assert (found.added, found.removed) == ([name("d")], [name("gone")])
    assert found.needed_by_added == {name("d"): [name("b")]}
    assert [(need.by, need.needs) for need in found.needs] == [(name("b"), name("c"))]
    (edge,) = found.needs[0].chain
    assert (edge.need, edge.place.file) == (Need.DEPENDS_ON, str(tmp_path / "after" / "clusters" / "x" / "b.yaml"))
    assert found.no_longer == [(name("b"), name("a"))]
    assert found.after.seconds > before["clusters/x"].seconds
    assert [step.label for step in found.after.longest][-3:] == [name("c"), name("b"), name("d")]


def test_what_cannot_come_up_needs_what_it_needed(tmp_path):
    before, _ = bootstrap(lay(tmp_path / "before", a="", b="a", c="b"))
    after, worlds = bootstrap(lay(tmp_path / "after", a="c", b="a", c="b"))
    (found,) = of_clusters(before, after, worlds)
    name = "Kustomization flux-system/{}".format
    assert [(need.by, need.needs) for need in found.needs] == [(name("a"), name("c"))]
    assert found.no_longer == []
    assert set(found.after.never) >= {name("a"), name("b"), name("c")}


def test_the_same_bootstrap_is_no_change(tmp_path):
    root = lay(tmp_path, a="", b="a")
    assert not [*of_clusters(bootstrap(root)[0], *bootstrap(root))]


def test_a_cluster_that_was_not_there(tmp_path):
    after, worlds = bootstrap(lay(tmp_path, a=""))
    (found,) = of_clusters({}, after, worlds)
    assert found.before is None
    assert len(found.added) == 2
    assert found.needs == ()
