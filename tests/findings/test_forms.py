"""Findings for programs: JSON, SARIF, workflow commands."""

import json
import re

import pytest

from rebirth.findings import data, github, sarif
from rebirth.findings.places import Places
from rebirth.findings.verdict import Seen, Verdict
from rebirth.proof.rules import RULES, Finding, Severity
from rebirth.proof.things import NOWHERE, Place
from trees import change

SEEN = Seen(1, 1, 0, 1, 1, 1)


def test_json_holds_the_chain_with_its_places(circle, judged):
    change(circle, "clusters/x/b.yaml", "  interval", "  # rebirth: ignore R13 not here\n  interval")
    found = json.loads(data.render(*judged(circle)))
    assert found["counts"] == {"error": 1, "warning": 0, "info": 1, "ignored": 0}
    first = found["findings"][0]
    assert (first["rule"], first["file"], first["line"], first["closed"]) == ("R13", "clusters/x/a.yaml", 8, True)
    assert first["situation"] == "first boot"
    assert [(e["by"]["name"], e["needs"]["name"], e["file"], e["line"], e["cut"]) for e in first["chain"]] == [
        ("a", "b", "clusters/x/a.yaml", 8, True),
        ("b", "a", "clusters/x/b.yaml", 8, False),
    ]
    assert found["read"]["kustomizations"] == 3


def test_sarif_is_what_the_standard_asks_for(circle, judged):
    found = json.loads(sarif.render(*judged(circle)))
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "rebirth"
    assert {"R00", "R13"} < {rule["id"] for rule in driver["rules"]}
    assert len(driver["rules"]) == len(RULES) + 1
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
    (result,) = run["results"]
    assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "R13"
    assert result["level"] == "error"
    assert result["message"]["text"].startswith("dependsOn closes a cycle")
    physical = result["locations"][0]["physicalLocation"]
    assert physical == {
        "artifactLocation": {"uri": "clusters/x/a.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 8},
    }
    related = result["relatedLocations"]
    assert [location["id"] for location in related] == [0, 1]
    assert all(location["message"]["text"] for location in related)
    assert re.fullmatch(r"[0-9a-f]{32}", result["partialFingerprints"]["rebirthFinding/v1"])


def test_sarif_of_places_that_are_no_line(tmp_path):
    findings = (
        Finding("R13", Severity.ERROR, "nobody wrote it", NOWHERE),
        Finding("R13", Severity.INFO, "a whole folder", Place(str(tmp_path / "a b%c"))),
        Finding("R77", Severity.INFO, "far away", Place("/nowhere/x.yaml", 1)),
    )
    found = sarif.as_data(Verdict(findings, (), SEEN, (), True), Places(here=tmp_path))["runs"][0]["results"]
    assert found[0]["locations"] == []
    assert found[1]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b%25c", "uriBaseId": "%SRCROOT%"}
    }
    assert "ruleIndex" not in found[2]
    assert found[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///nowhere/x.yaml"


def test_a_workflow_command_a_finding(circle, judged):
    shown = github.render(*judged(circle))
    assert shown.startswith("::error file=clusters/x/a.yaml,line=8,title=R13::dependsOn closes a cycle")
    assert shown.count("\n") == 1
    assert "%0A- Kustomization flux-system/b: depends on (dependsOn a)" in shown


@pytest.mark.parametrize(("severity", "command"), [("error", "error"), ("warning", "warning"), ("info", "notice")])
def test_workflow_commands_are_escaped(tmp_path, severity, command):
    finding = Finding("R13", Severity(severity), "50% of\r\na: b, c", Place(str(tmp_path / "a,b:c%.yaml")))
    shown = github.render(Verdict((finding,), (), SEEN, (), True), Places(here=tmp_path))
    assert shown == f"::{command} file=a%2Cb%3Ac%25.yaml,title=R13::50%25 of%0D%0Aa: b, c\n"
