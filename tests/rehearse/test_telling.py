"""What a rehearsal has seen, as text, data, SARIF, JUnit and annotations; and where it disagrees with the proof."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from rebirth.diagnosis.root_cause import Cause, Outlook
from rebirth.findings.places import Places
from rebirth.proof.prove import prove
from rebirth.proof.things import NOWHERE, Place
from rebirth.rehearse import forms, telling
from rebirth.rehearse.disagreements import disagreements
from rebirth.rehearse.result import Dropped, OnPaper, Rehearsed, Stop
from trees import lay

APPS, INFRA = ("Kustomization", "flux-system", "apps"), ("Kustomization", "flux-system", "infra")
REFUSED = Cause(APPS, "Deployment/default/blog dry-run failed (Invalid): spec.replicas", Outlook.FINAL)


def rehearsed(*stops: Stop, waiting=(), ready=((INFRA, 4.0),), **more) -> Rehearsed:
    steps = (("start the control plane", 0.0, 2.0), ("converge", 2.0, 8.0))
    return Rehearsed(
        cluster="clusters/x", seconds=10.0, ready=dict(ready), waiting=waiting, suspended=(), stops=stops, memory=2**29,
        steps=steps, started=0.0, **more,
    )  # fmt: skip


def stopped(tmp_path: Path) -> Rehearsed:
    file = tmp_path / "apps.yaml"
    file.write_text("kind: Deployment\n")
    stop = Stop(REFUSED, Place(str(file), 1), (APPS,), "Remove the quotes.")
    return rehearsed(stop, waiting=(APPS,), on_paper=(OnPaper("chart traefik", "nothing is known of it"),))


def test_text_says_the_root_its_line_and_the_verdict(tmp_path: Path):
    said = telling.text(stopped(tmp_path), Places(here=tmp_path), width=100, verbose=False, against=None)
    assert "error: Kustomization flux-system/apps: Deployment/default/blog dry-run failed" in said
    assert "  at apps.yaml:1\n  hint: Remove the quotes.\n" in said
    assert "chart traefik (nothing is known of it)" in said
    assert said.rstrip().endswith("Not Ready: 1 Kustomization; Ready: 1 Kustomization (10.0 s, 512 MiB in all)")


def test_a_field_that_flux_leaves_out_is_a_warning_in_every_form(tmp_path: Path):
    (tmp_path / "apps.yaml").write_text("kind: Deployment\n")
    lost = Dropped(
        ("Deployment", "web", "web"), ".spec.ports: field not declared in schema", Place(str(tmp_path / "apps.yaml"), 1)
    )
    done, places = rehearsed(dropped=(lost,)), Places(here=tmp_path, asked=tmp_path)
    said = telling.text(done, places, width=120, verbose=False, against=None)
    assert (
        "warning: Deployment web/web: .spec.ports: field not declared in schema\n  at apps.yaml:1\n  hint: Flux leaves"
        in said
    )
    assert telling.data(done, places, None)["dropped"][0]["file"] == "apps.yaml"
    assert forms.FORMS["github"](done, places).startswith("::warning file=apps.yaml,line=1")
    assert json.loads(forms.FORMS["sarif"](done, places))["runs"][0]["results"][0]["level"] == "warning"


def test_text_of_what_came_up_says_after_how_long(tmp_path: Path):
    said = telling.text(rehearsed(), Places(here=tmp_path), width=100, verbose=False, against=[])
    ready = "Ready after 4.0 s: 1 Kustomization (10.0 s, 512 MiB in all)\n"
    assert said == f"0 disagreements with `rebirth check`\n\n{ready}"


def test_long_lists_are_cut_unless_all_is_asked_for(tmp_path: Path):
    done = rehearsed(missing=tuple(f"chart c{number}" for number in range(12)))
    brief = telling.text(done, Places(), width=100, verbose=False, against=None)
    assert "and 4 more (-v shows them)" in brief
    assert "chart c11" not in brief
    assert "chart c11" in telling.text(done, Places(), width=100, verbose=True, against=None)


def test_data_holds_everything(tmp_path: Path):
    data = telling.data(stopped(tmp_path), Places(here=tmp_path), None)
    assert data["ready"] is False
    assert data["stops"][0] | {} == {
        "object": "Kustomization flux-system/apps", "message": REFUSED.message, "outlook": "will not fix itself",
        "hint": "Remove the quotes.", "holds_up": ["Kustomization flux-system/apps"], "file": "apps.yaml", "line": 1,
    }  # fmt: skip
    assert {"node": "Kustomization flux-system/infra", "ready": 4.0} in data["nodes"]
    json.dumps(data)


def test_sarif_and_annotations_name_file_and_line(tmp_path: Path):
    places = Places(here=tmp_path, asked=tmp_path)
    result = json.loads(forms.FORMS["sarif"](stopped(tmp_path), places))["runs"][0]["results"][0]
    assert (result["ruleId"], result["level"]) == ("rehearsal", "error")
    physical = result["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == ("apps.yaml", 1)
    assert forms.FORMS["github"](stopped(tmp_path), places).startswith(
        "::error file=apps.yaml,line=1,title=rehearsal::"
    )


def test_junit_has_a_case_a_node_and_a_failure_for_each_that_waits(tmp_path: Path):
    suite = ET.fromstring(forms.FORMS["junit"](stopped(tmp_path), Places(here=tmp_path)))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["flux-system/apps"]
    assert "apps.yaml:1" in suite.find("testcase/failure").get("message")


def test_the_page_shows_the_graph_and_what_failed(tmp_path: Path):
    page = forms.page(stopped(tmp_path))
    assert "flux-system/infra" in page
    assert "dry-run failed" in page


async def test_an_error_of_the_proof_although_all_came_up_is_a_disagreement(tmp_path: Path):
    proof = (await prove(lay(tmp_path, apps="nowhere"))).worlds[0]
    assert [f.rule for f in proof.findings if f.severity == "error"]
    found = disagreements(proof, proof.findings, rehearsed())
    assert len(found) == 1
    assert "all came up" in found[0].words


async def test_a_stop_that_no_error_foresaw_is_a_disagreement(tmp_path: Path):
    proof = (await prove(lay(tmp_path, apps=""))).worlds[0]
    found = disagreements(proof, proof.findings, stopped(tmp_path))
    assert [one.words for one in found] == [f"the proof did not foresee that it stopped: {REFUSED}"]


async def test_a_stop_that_an_error_foresaw_is_none(tmp_path: Path):
    proof = (await prove(lay(tmp_path, apps="nowhere"))).worlds[0]
    cause = Cause(("Kustomization", "flux-system", "nowhere"), "does not exist", Outlook.STUCK)
    assert not disagreements(proof, proof.findings, rehearsed(Stop(cause, NOWHERE, (APPS,)), waiting=(APPS,)))
