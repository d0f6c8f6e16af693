"""One cause, one finding: its other places stand below it, and every form names them."""

import json

import pytest

from flux_trees import node
from rebirth.findings import baseline, data, github, sarif
from rebirth.findings.text import Text
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.rules.finding import grouped
from rebirth.proof.things import NOWHERE
from trees import lay, write

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: web}}\ndata: {{a: ENC}}\nsops: {{version: 3.9.0}}\n"
SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: web}}\ndata: {{a: b}}\n"


@pytest.fixture
def encrypted(tmp_path):
    """Seven Secrets in two Kustomizations that decrypt nothing."""
    for name in ("a", "b"):
        write(tmp_path, f"clusters/x/{name}.yaml", node(name, f"./{name}"))
    write(tmp_path, "a/space.yaml", SPACE)
    for number in range(7):
        write(tmp_path, f"{'ab'[number % 2]}/s{number}.yaml", SECRET.format(name=f"s{number}"))
    return tmp_path


def of(verdict, rule):
    return [finding for finding in verdict.findings if finding.rule == rule]


def test_places_of_one_cause_stand_below_it(encrypted, judged):
    verdict, places = judged(encrypted)
    (found,) = of(verdict, "R47")
    assert len(found.more) == 6
    brief, whole = (Text(places, width=100).finding(found, verbose=verbose) for verbose in (False, True))
    assert brief[1:4] == ["  at a/s0.yaml:5", "  and 6 more places:", brief[3]]
    assert brief[3].startswith("    a/s2.yaml:5  Secret web/s2 is encrypted")
    assert "    and 2 more (-v lists them)" in brief
    assert all(any(f"s{number}.yaml:5" in line for line in whole) for number in range(7))
    assert not any("-v" in line for line in whole)


def test_programs_get_all_of_them(encrypted, judged):
    verdict, places = judged(encrypted)
    found = next(one for one in json.loads(data.render(verdict, places))["findings"] if one["rule"] == "R47")
    assert sorted(one["file"] for one in found["more"]) == [
        "a/s2.yaml", "a/s4.yaml", "a/s6.yaml", "b/s1.yaml", "b/s3.yaml", "b/s5.yaml",
    ]  # fmt: skip
    (result,) = [r for r in json.loads(sarif.render(verdict, places))["runs"][0]["results"] if r["ruleId"] == "R47"]
    assert len(result["relatedLocations"]) == 6
    assert github.render(verdict, places).count("R47") == 1


def test_what_is_ignored_at_one_place_is_told_at_the_others(encrypted, judged):
    write(encrypted, "a/s0.yaml", SECRET.format(name="s0").replace("sops", "# rebirth: ignore R47 by hand\nsops"))
    verdict, _ = judged(encrypted)
    (found,) = of(verdict, "R47")
    assert found.place.file.endswith("a/s2.yaml")
    assert (len(found.more), len(verdict.ignored)) == (5, 1)


def test_a_baseline_knows_each_place_of_a_cause(encrypted, judged, tmp_path):
    file = tmp_path.parent / f"{tmp_path.name}.json"
    baseline.write(file, *judged(encrypted))
    verdict, places = judged(encrypted)
    assert not of(baseline.without(verdict, places, baseline.read(file)), "R47")
    write(encrypted, "b/s9.yaml", SECRET.format(name="s9"))
    (found,) = of(baseline.without(*judged(encrypted), baseline.read(file)), "R47")
    assert (found.place.file.rpartition("/")[2], found.more) == ("s9.yaml", ())


def test_only_what_has_the_same_cause_and_weight_goes_together():
    def finding(rule, cause, severity=Severity.ERROR):
        return Finding(rule, severity, "words", NOWHERE, cause=cause)

    one, other = finding("R46", "a"), finding("R46", "b")
    assert [len(f.more) for f in grouped([one, other, finding("R46", "a"), finding("R46", "a", Severity.INFO)])] == [
        1,
        0,
        0,
    ]
    assert len(grouped([finding("R46", ""), finding("R46", "")])) == 2


def test_who_depends_on_one_that_is_late_is_late_for_the_same_reason(tmp_path, judged):
    write(tmp_path, "clusters/x/spaces.yaml", node("spaces", "./spaces"))
    write(tmp_path, "spaces/space.yaml", SPACE)
    for name, needs in (("a", ""), ("b", "a"), ("c", "b"), ("d", "")):
        write(tmp_path, f"clusters/x/{name}.yaml", node(name, f"./{name}", needs and f"dependsOn: [{{name: {needs}}}]"))
        write(tmp_path, f"{name}/config.yaml", CONFIG.format(name=name))
    verdict, _ = judged(tmp_path)
    (found,) = of(verdict, "R54")
    assert "flux-system/a" in found.message
    assert ["flux-system/d" in one.message for one in found.more] == [True]
    assert len(found.fixes) == 2


def test_two_makers_are_drawn_side_by_side(tmp_path, judged):
    secret = SECRET.replace("sops: {{version: 3.9.0}}\n", "")
    for name in ("a", "b"):
        write(tmp_path, f"clusters/x/{name}.yaml", node(name, f"./{name}"))
        write(tmp_path, f"{name}/secret.yaml", secret.format(name="same").replace("ENC", f"{name * 4}"))
    write(tmp_path, "a/space.yaml", SPACE)
    verdict, places = judged(tmp_path)
    (found,) = of(verdict, "R07")
    drawn = Text(places, width=100).finding(found)
    begin = drawn.index("      Secret web/same")
    assert drawn[begin : begin + 5] == [
        "      Secret web/same",
        "      ├─▶ applied by: Kustomization flux-system/a",
        "      │   a/secret.yaml:3",
        "      ╰─▶ applied by: Kustomization flux-system/b",
        "          b/secret.yaml:3",
    ]


def test_cycles_through_one_link_are_told_together(tmp_path, judged):
    verdict, places = judged(lay(tmp_path, base="top", one="base", two="base", top="one two"))
    (found,) = of(verdict, "R13")
    assert found.cut
    assert found.cut.by.name == "base"
    shown = Text(places, width=100).finding(found)
    assert "  1 more cycle through the same link:" in shown
    (told,) = [one for one in json.loads(data.render(verdict, places))["findings"] if one["rule"] == "R13"]
    assert [len(cycle) for cycle in told["also"]] == [len(found.also[0])]


def test_files_that_are_no_manifests_in_one_folder(tmp_path, judged):
    write(tmp_path, "clusters/x/a.yaml", node("a", "./a"))
    for name in ("one", "two"):
        write(tmp_path, f"a/{name}.yaml", "packages: [curl]\n")
    verdict, _ = judged(tmp_path)
    (found,) = of(verdict, "R40")
    assert len(found.more) == 1
