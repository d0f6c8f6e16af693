"""Findings for programs: JSON, SARIF, workflow commands, GitLab's report, JUnit; and by what they are recognised."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from rebirth.findings import data, github, gitlab, junit, sarif
from rebirth.findings.fingerprint import fingerprints
from rebirth.findings.places import Places
from rebirth.findings.verdict import Seen, Verdict
from rebirth.proof.rules import RULES, Finding, Severity
from rebirth.proof.things import NOWHERE, Place
from trees import change, lay

SEEN = Seen(1, 1, 0, 1, 1, 1)


def test_json_holds_the_chain_with_its_places(circle, judged):
    change(circle, "clusters/x/b.yaml", "  interval", "  # rebirth: ignore R13 not here\n  interval")
    found = json.loads(data.render(*judged(circle)))
    assert found["counts"] == {"error": 1, "warning": 0, "info": 1, "ignored": 0, "known": 0}
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
    assert re.fullmatch(r"[0-9a-f]{32}", result["partialFingerprints"]["rebirthFinding/v2"])


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


def test_gitlab_takes_what_it_asks_for(circle, judged):
    """The fields that its documentation calls required, a path without ./, and one of its five severities."""
    (found,) = json.loads(gitlab.render(*judged(circle)))
    assert set(found) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert found["description"].startswith("R13: dependsOn closes a cycle")
    assert (found["check_name"], found["severity"]) == ("R13", "critical")
    assert found["location"] == {"path": "clusters/x/a.yaml", "lines": {"begin": 8}}
    assert re.fullmatch(r"[0-9a-f]{32}", found["fingerprint"])


def test_gitlab_takes_none_without_a_path_and_a_line_or_twice(tmp_path):
    twice = Finding("R42", Severity.INFO, "a key twice", Place(str(tmp_path / "a.yaml")))
    findings = (Finding("R13", Severity.WARNING, "nobody wrote it", NOWHERE), twice, twice)
    found = json.loads(gitlab.render(Verdict(findings, (), SEEN, (), True), Places(here=tmp_path)))
    assert [(one["severity"], one["location"]["path"], one["location"]["lines"]) for one in found] == [
        ("minor", ".", {"begin": 1}),
        ("info", "a.yaml", {"begin": 1}),
        ("info", "a.yaml", {"begin": 1}),
    ]
    assert len({one["fingerprint"] for one in found}) == 3


def test_gitlab_of_nothing_is_an_empty_list(tmp_path):
    assert gitlab.render(Verdict((), (), SEEN, (), True), Places(here=tmp_path)) == "[]\n"


def test_junit_has_a_case_a_finding_and_one_for_each_rule_without(circle, judged):
    change(circle, "clusters/x/b.yaml", "  interval", "  # rebirth: ignore R13\n  interval")  # a warning
    suite = ET.fromstring(junit.render(*judged(circle)))
    assert (suite.tag, suite.get("name"), suite.get("errors")) == ("testsuite", "rebirth check", "0")
    assert (suite.get("tests"), suite.get("failures")) == (str(len(RULES) + 1), "1")
    assert {child.tag for child in suite} == {"testcase"}
    (failed,) = [case for case in suite if case.find("failure") is not None]
    assert failed.get("classname") == "r13_depends_on"
    assert (
        failed.get("name") == "R13 dependsOn that closes a cycle, names itself, or names nothing (clusters/x/a.yaml:8)"
    )
    assert failed.find("failure").get("message").startswith("dependsOn closes a cycle")
    assert "cheapest to cut" in failed.find("failure").text
    assert [child.tag for child in failed] == ["failure"]
    (said,) = [case for case in suite if case.find("system-out") is not None]
    assert said.get("classname") == "r00_ignore"
    assert "has no reason" in said.find("system-out").text
    strict = ET.fromstring(junit.render(*judged(circle), strict=True))
    assert strict.get("failures") == "2"


def test_junit_leaves_out_what_xml_has_not(tmp_path):
    finding = Finding("R13", Severity.ERROR, "a\x00<b> & \x1b", Place(str(tmp_path / "a.yaml")))
    suite = ET.fromstring(junit.render(Verdict((finding,), (), SEEN, (), True), Places(here=tmp_path)))
    assert suite.find("testcase/failure").get("message") == "a?<b> & ?"


def test_a_fingerprint_is_of_what_is_said_of_a_file_not_of_its_line(circle, judged):
    def marks():
        verdict, places = judged(circle)
        return fingerprints(verdict.findings, places)

    before = marks()
    change(circle, "clusters/x/a.yaml", "kind:", "# a comment\nkind:")
    assert marks() == before
    lay(circle, c="b")
    assert marks() == before, "another node that hangs on the cycle"
    lay(circle, a="c", b="a", c="a")
    assert not set(marks()) & set(before), "another cycle"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Secret a/b is needed by x (and 2 more need it)", "Secret a/b is needed by x", True),
        ("x waits 30 s, and y comes 40 s later", "x waits 30 s, and y comes 41.5 s later", True),
        ("a is empty; so are 3 more", "a is empty; so are 12 more", True),
        ("a and 3 more may be too early", "a and 1 more may be too early", True),
        ("port 80 of x is taken", "port 443 of x is taken", False),
        ("Secret a/b1 is missing", "Secret a/b2 is missing", False),
        ("10.0.0.1 is no address", "10.0.0.2 is no address", False),
    ],
)
def test_how_many_more_there_are_is_no_part_of_a_fingerprint(tmp_path, one, other, same):
    place, places = Place(str(tmp_path / "a.yaml")), Places(here=tmp_path)
    marks = [fingerprints([Finding("R14", Severity.ERROR, words, place)], places) for words in (one, other)]
    assert (marks[0] == marks[1]) is same
