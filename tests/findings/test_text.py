"""Findings for people: chains, folding, colours."""

import re

import pytest

from rebirth.findings.places import Places
from rebirth.findings.text import Text
from rebirth.findings.verdict import Seen, Verdict
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.rules.finding import Listed
from rebirth.proof.things import NOWHERE, Edge, Milestone, Need, Place, Thing
from trees import lay, write


def thing(kind, name, milestone=Milestone.READY):
    return Thing(kind, "flux-system", name, milestone)


def test_a_circle_is_drawn_to_where_it_began(circle, judged):
    verdict, places = judged(circle)
    shown = Text(places, width=100).render(verdict)
    assert shown.splitlines()[:10] == [
        "error R13: dependsOn closes a cycle",
        "  at clusters/x/a.yaml:8",
        "",
        "  ╭─▶ Kustomization flux-system/a",
        "  │     ↓ depends on (dependsOn b)  clusters/x/a.yaml:8  ✂ cheapest to cut",
        "  │   Kustomization flux-system/b is Ready",
        "  │     ↓ depends on (dependsOn a)  clusters/x/b.yaml:8",
        "  ╰── Kustomization flux-system/a, where it began",
        "",
        "  why:     Each waits for the other to be Ready, so none is ever applied.",
    ]
    assert "1 error\nread 4 files: 3 Kustomizations" in shown


@pytest.mark.parametrize("width", [60, 80, 100])
def test_nothing_is_wider_than_the_terminal_but_a_single_word(circle, judged, width):
    verdict, places = judged(circle)
    for line in Text(places, width=width).render(verdict, verbose=True).splitlines():
        assert len(line) <= width or " ✂ " in line


def test_colours_change_no_word(circle, judged):
    verdict, places = judged(circle)
    plain = Text(places, width=80).render(verdict)
    coloured = Text(places, width=80, colours=True).render(verdict)
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_the_same_again(circle, judged):
    assert len({Text(p, width=80).render(v) for v, p in (judged(circle) for _ in range(3))}) == 1


def test_a_chain_that_ends_and_a_step_that_nobody_wrote(tmp_path):
    file = write(tmp_path, "a.yaml", "a: 1\nb: 2\n")
    chain = (
        Edge(thing("Kustomization", "a"), thing("Secret", "s"), Need.SECRET, Place(str(file), 1, ("b",)), "key x"),
        Edge(thing("Secret", "s"), thing("Secret", "s", Milestone.EXISTS), Need.MADE_BY, NOWHERE),
        Edge(thing("Secret", "s", Milestone.EXISTS), thing("ExternalSecret", "e"), Need.MADE_BY, NOWHERE),
    )
    finding = Finding("R14", Severity.ERROR, "x", Place(str(file), 1), chain, cut=chain[0])
    shown = Text(Places(here=tmp_path)).finding(finding)
    assert shown[3:] == [
        "      Kustomization flux-system/a",
        "        ↓ reads the Secret (key x)  a.yaml:2  ✂ cheapest to cut",
        "      Secret flux-system/s is Ready",
        "        ↓ made by",
        "      ExternalSecret flux-system/e is Ready",
    ]


def test_a_patch_is_shown_as_it_is(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("resources:\n- a\n")
    finding = Finding("R14", Severity.WARNING, "x", NOWHERE, fixes=(Listed(str(file), "b"),))
    shown = Text(Places(here=tmp_path)).finding(finding)
    assert shown[-6:] == [
        "    --- a/x.yaml",
        "    +++ b/x.yaml",
        "    @@ -1,2 +1,3 @@",
        "     resources:",
        "     - a",
        "    +- b",
    ]


def test_places_far_away_keep_their_whole_path(tmp_path):
    here = tmp_path / "a" / "b" / "c" / "d"
    places = Places(here=here)
    assert places.file(Place(str(here / "x.yaml"))) == "x.yaml"
    assert places.file(Place(str(tmp_path / "a" / "b" / "x.yaml"))) == "../../x.yaml"
    assert places.file(Place(str(tmp_path / "x.yaml"))) == str(tmp_path / "x.yaml")
    assert places.file(NOWHERE) == ""
    assert Places(root=tmp_path, here=here).file(Place(str(tmp_path / "x.yaml"))) == "x.yaml"


def test_unknown_things_are_counted_and_listed_when_asked_for(tmp_path, judged):
    root = lay(tmp_path, a="")
    write(root, "a/kustomization.yaml", "resources: [settings.yaml, https://github.com/a/b//c?ref=v1]\n")
    verdict, places = judged(root)
    gap = "Not fully checked: https://github.com/a/b//c?ref=v1 (a remote base is not fetched)"
    assert gap in " ".join(Text(places).render(verdict).split())
    assert "unknown: https://github.com/a/b//c?ref=v1: a remote base" in Text(places).render(verdict, verbose=True)


def test_many_infos_of_one_rule_are_folded(tmp_path):
    findings = tuple(Finding("R18", Severity.INFO, f"number {at}", NOWHERE) for at in range(5))
    verdict = Verdict(findings, (), Seen(1, 1, 0, 1, 1, 1), (), True)
    shown = Text(Places(here=tmp_path)).render(verdict)
    assert re.findall(r"number \d", shown) == ["number 0", "number 1", "number 2"]
    assert "and 2 more infos of R18 (-v shows them)\n\n5 infos\n" in shown
    assert len(re.findall(r"number \d", Text(Places(here=tmp_path)).render(verdict, verbose=True))) == 5
