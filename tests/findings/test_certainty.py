"""The verdict in three words, and what it would take to tell."""

import json

import pytest

from flux_trees import node
from rebirth.findings import data, github, sarif
from rebirth.findings.certainty import Word
from rebirth.findings.text import Text
from trees import lay, write

RELEASE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: a, namespace: default}
spec: {interval: 1h, url: https://charts.strange.example}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a, namespace: default}
spec: {interval: 1h, chart: {spec: {chart: strange, version: '1', sourceRef: {kind: HelmRepository, name: a}}}}
"""
KNOWN = RELEASE.replace("chart: strange", "chart: metallb").replace(
    "charts.strange.example", "metallb.github.io/metallb"
)


@pytest.fixture
def said(tmp_path, judged):
    """The verdict of a tree whose Kustomization a applies that text; `spec` is more of its spec."""

    def run(text, spec="", **more):
        lay(tmp_path, b="")
        write(tmp_path, "clusters/x/a.yaml", node("a", "./a", spec))
        write(tmp_path, "a/a.yaml", text)
        for path, other in more.items():
            write(tmp_path, path.replace("__", "/") + ".yaml", other)
        return judged(tmp_path)

    return run


def test_all_is_read(said):
    verdict, _ = said("")
    assert (verdict.word, verdict.needed) == (Word.CAN, ())


def test_an_error(said):
    verdict, _ = said("", "dependsOn: [{name: none}]")
    assert verdict.word is Word.CANNOT


def test_a_chart_for_which_nothing_waits_does_not_matter(said):
    verdict, _ = said(RELEASE)
    assert verdict.unknown
    assert verdict.word is Word.CAN


@pytest.mark.parametrize(
    "spec",
    [
        "wait: true",
        "healthChecks: [{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: a, namespace: default}]",
    ],
)
def test_a_chart_that_something_waits_for(said, spec):
    verdict, places = said(RELEASE, spec)
    assert verdict.word is Word.CANNOT_TELL
    assert verdict.needed == ("the chart strange (`rebirth fetch` gets it)",)
    text = Text(places).render(verdict)
    assert text.endswith("verdict: cannot tell\n  it takes the chart strange (`rebirth fetch` gets it)\n")
    assert json.loads(data.render(verdict, places))["verdict"] == {"word": "cannot tell", "needed": [*verdict.needed]}
    (run,) = json.loads(sarif.render(verdict, places))["runs"]
    assert run["properties"]["verdict"] == "cannot tell"
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "strange" in told["message"]["text"]
    assert github.render(verdict, places).splitlines()[-1].startswith("::notice title=rebirth::cannot tell")


def test_of_a_chart_that_is_known_in_part_what_others_need_is_known(said):
    verdict, _ = said(KNOWN.replace("strange", "metallb"), "wait: true")
    assert verdict.word is Word.CAN


def test_a_chart_that_likely_makes_what_something_needs(said):
    claim = "apiVersion: zoo.strange.example/v1\nkind: Zebra\nmetadata: {name: z, namespace: default}\n"
    verdict, _ = said(RELEASE, clusters__x__c=node("c", "./c", "dependsOn: [{name: a}]"), c__c=claim)
    assert verdict.word is Word.CANNOT_TELL


def test_another_repository_that_something_waits_for(said):
    other = node("other", "./", source="OCIRepository other")
    verdict, _ = said("", "dependsOn: [{name: other}]", clusters__x__other=other)
    assert verdict.needed == ("Kustomization flux-system/other (is fetched from OCIRepository flux-system other)",)
    verdict, _ = said("", clusters__x__other=other)
    assert verdict.word is Word.CAN
