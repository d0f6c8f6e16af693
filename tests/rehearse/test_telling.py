"""What a rehearsal has seen, as text, data, SARIF, JUnit and annotations; and where it disagrees with the proof."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rebirth.castle import load
from rebirth.diagnosis.cause import Cause, Outlook
from rebirth.errors import SpecError
from rebirth.findings.places import Places
from rebirth.proof.prove import prove
from rebirth.proof.things import NOWHERE, Place
from rebirth.rehearse import forms, telling
from rebirth.rehearse.changes import changes, earlier
from rebirth.rehearse.disagreements import disagreements, why_beyond
from rebirth.rehearse.result import Dropped, OnPaper, Rehearsed, Stop, Told
from trees import change, lay, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
APPS, INFRA = ("Kustomization", "flux-system", "apps"), ("Kustomization", "flux-system", "infra")
REFUSED = Cause(APPS, "Deployment/default/blog dry-run failed (Invalid): spec.replicas", Outlook.FINAL)


def rehearsed(*stops: Stop, waiting=(), ready=((INFRA, 4.0),), **more) -> Rehearsed:
    steps = (("start the control plane", 0.0, 2.0), ("converge", 2.0, 8.0))
    return Rehearsed(
        cluster="clusters/x", seconds=10.0, times=tuple(ready), waiting=waiting, suspended=(), stops=stops, memory=2**29,
        steps=steps, started=0.0, **more,
    )  # fmt: skip


def stopped(tmp_path: Path) -> Rehearsed:
    file = tmp_path / "apps.yaml"
    file.write_text("kind: Deployment\n")
    stop = Stop(REFUSED, Place(str(file), 1), (APPS,), "Remove the quotes.")
    return rehearsed(stop, waiting=(APPS,), on_paper=(OnPaper("chart traefik", "nothing is known of it"),))


def test_text_says_the_root_its_line_and_the_verdict(tmp_path: Path):
    said = telling.text(Told(stopped(tmp_path), Places(here=tmp_path), None, verbose=False))
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
    said = telling.text(Told(done, places, width=120))
    assert (
        "warning: Deployment web/web: .spec.ports: field not declared in schema\n  at apps.yaml:1\n  hint: Flux leaves"
        in said
    )
    assert telling.data(Told(done, places))["dropped"][0]["file"] == "apps.yaml"
    assert forms.FORMS["github"](Told(done, places)).startswith("::warning file=apps.yaml,line=1")
    assert json.loads(forms.FORMS["sarif"](Told(done, places)))["runs"][0]["results"][0]["level"] == "warning"


def test_text_of_what_came_up_says_after_how_long(tmp_path: Path):
    said = telling.text(Told(rehearsed(), Places(here=tmp_path), [], verbose=False))
    ready = "Ready after 4.0 s: 1 Kustomization (10.0 s, 512 MiB in all)\n"
    assert said == f"0 disagreements with `rebirth check`\n\n{ready}"


def test_long_lists_are_cut_unless_all_is_asked_for(tmp_path: Path):
    done = rehearsed(missing=tuple(f"chart c{number}" for number in range(12)))
    brief = telling.text(Told(done, Places(), None, verbose=False))
    assert "and 4 more (-v shows them)" in brief
    assert "chart c11" not in brief
    assert "chart c11" in telling.text(Told(done, Places(), None, verbose=True))


def test_data_holds_everything(tmp_path: Path):
    data = telling.data(Told(stopped(tmp_path), Places(here=tmp_path)))
    assert data["ready"] is False
    assert data["stops"][0] | {} == {
        "object": "Kustomization flux-system/apps", "message": REFUSED.message, "outlook": "will not fix itself",
        "hint": "Remove the quotes.", "holds_up": ["Kustomization flux-system/apps"], "file": "apps.yaml", "line": 1,
    }  # fmt: skip
    assert {"node": "Kustomization flux-system/infra", "ready": 4.0} in data["nodes"]
    json.dumps(data)


def test_sarif_and_annotations_name_file_and_line(tmp_path: Path):
    places = Places(here=tmp_path, asked=tmp_path)
    result = json.loads(forms.FORMS["sarif"](Told(stopped(tmp_path), places)))["runs"][0]["results"][0]
    assert (result["ruleId"], result["level"]) == ("rehearsal", "error")
    physical = result["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == ("apps.yaml", 1)
    assert forms.FORMS["github"](Told(stopped(tmp_path), places)).startswith(
        "::error file=apps.yaml,line=1,title=rehearsal::"
    )


def test_junit_has_a_case_a_node_and_a_failure_for_each_that_waits(tmp_path: Path):
    suite = ET.fromstring(forms.FORMS["junit"](Told(stopped(tmp_path), Places(here=tmp_path))))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["flux-system/apps"]
    assert "apps.yaml:1" in suite.find("testcase/failure").get("message")


def test_the_page_shows_the_graph_and_what_failed(tmp_path: Path):
    page = forms.FORMS["html"](Told(stopped(tmp_path), Places()))
    assert "flux-system/infra" in page
    assert "dry-run failed" in page


async def test_an_error_of_the_proof_although_all_came_up_is_a_disagreement(tmp_path: Path):
    proof = (await prove(lay(tmp_path, apps="nowhere"))).worlds[0]
    assert [f.rule for f in proof.findings if f.severity == "error"]
    found = disagreements(proof, proof.findings, rehearsed())
    assert len(found) == 1
    assert "all came up" in found[0].words


async def test_claims_of_pods_are_compared(tmp_path: Path):
    stateful = """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: a, namespace: default}
        spec:
          serviceName: a
          selector: {matchLabels: {app: a}}
          template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: "example.org/a:1"}]}}
          volumeClaimTemplates:
            - metadata: {name: a}
              spec: {storageClassName: nowhere, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
    """
    write(lay(tmp_path, apps=""), "apps/claim.yaml", stateful)
    (told,) = [f for f in (await prove(tmp_path)).findings if "StorageClass nowhere" in f.message]
    assert not why_beyond(told)


async def test_claims_that_an_operator_would_make_are_beyond_a_rehearsal(tmp_path: Path):
    shutil.copytree(EXAMPLE / "gitops", tmp_path / "gitops")
    change(tmp_path, "gitops/infrastructure/instances/database.yaml", "longhorn", "nowhere")
    done = await prove(tmp_path / "gitops", castle=load(EXAMPLE), directory=EXAMPLE)
    (told,) = [f for f in done.findings if "StorageClass nowhere" in f.message]
    assert told.severity == "error"
    assert why_beyond(told) == "its operators make no claims"


async def test_pods_that_an_operator_would_run_are_beyond_a_rehearsal(tmp_path: Path):
    shutil.copytree(EXAMPLE / "gitops", tmp_path / "gitops")
    change(tmp_path, "gitops/infrastructure/namespaces/namespaces.yaml", "enforce: privileged", "enforce: baseline")
    done = await prove(tmp_path / "gitops", castle=load(EXAMPLE), directory=EXAMPLE)
    told = [f for f in done.findings if f.rule == "R55"]
    operated = [f for f in told if "operator run" in f.message]
    assert operated
    assert {why_beyond(f) for f in operated} == {"its operators run no pods"}
    assert not [f for f in told if f not in operated and why_beyond(f)], (
        "pods of the tree itself are refused in a rehearsal, too"
    )


async def test_a_stop_that_no_error_foresaw_is_a_disagreement(tmp_path: Path):
    proof = (await prove(lay(tmp_path, apps=""))).worlds[0]
    found = disagreements(proof, proof.findings, stopped(tmp_path))
    assert [one.words for one in found] == [f"the proof did not foresee that it stopped: {REFUSED}"]


async def test_a_stop_that_an_error_foresaw_is_none(tmp_path: Path):
    proof = (await prove(lay(tmp_path, apps="nowhere"))).worlds[0]
    cause = Cause(("Kustomization", "flux-system", "nowhere"), "does not exist", Outlook.STUCK)
    assert not disagreements(proof, proof.findings, rehearsed(Stop(cause, NOWHERE, (APPS,)), waiting=(APPS,)))


RELEASE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: mine, namespace: default}
spec: {interval: 1h, url: "https://charts.example.org"}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: mine, namespace: default}
spec: {interval: 1h, chart: {spec: {chart: mine, version: 1.0.0, sourceRef: {kind: HelmRepository, name: mine}}}}
"""


@pytest.mark.parametrize(("name", "foreseen"), [("apps", True), ("other", False)])
async def test_a_stop_is_foreseen_by_an_error_of_what_its_object_needs(tmp_path: Path, name: str, foreseen: bool):
    proof = (await prove(lay(tmp_path, apps="middle", middle="nowhere", other=""))).worlds[0]
    stop = Stop(Cause(("Kustomization", "flux-system", name), "is not Ready", Outlook.STUCK), NOWHERE, ())
    assert (disagreements(proof, proof.findings, rehearsed(stop, waiting=(stop.cause.key,))) == []) is foreseen


@pytest.mark.parametrize(("name", "foreseen"), [("apps", True), ("other", False)])
async def test_a_stop_is_foreseen_by_an_error_in_a_file_that_its_kustomization_applies(
    tmp_path: Path, name: str, foreseen: bool
):
    write(
        lay(tmp_path, apps="", other=""),
        "apps/number.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n, namespace: default}\ndata: {a: 1}\n",
    )
    proof = (await prove(tmp_path)).worlds[0]
    stop = Stop(
        Cause(("Kustomization", "flux-system", name), "Reconciliation in progress", Outlook.WORKING), NOWHERE, ()
    )
    assert (disagreements(proof, proof.findings, rehearsed(stop, waiting=(stop.cause.key,))) == []) is foreseen


async def test_a_stop_of_what_the_proof_cannot_tell_is_none(tmp_path: Path):
    """A chart of which nothing is known, and what waits for it; but not what waits for nothing of it."""
    lay(tmp_path, apps="charts", charts="", other="")
    write(tmp_path, "charts/release.yaml", RELEASE)
    change(tmp_path, "clusters/x/charts.yaml", "prune: true", "prune: true\n  wait: true")
    proof = (await prove(tmp_path)).worlds[0]
    other = ("Kustomization", "flux-system", "other")
    for node, count in ((APPS, 0), (other, 1)):
        stop = Stop(Cause(node, "Reconciliation in progress", Outlook.WORKING), NOWHERE, ())
        assert len(disagreements(proof, proof.findings, rehearsed(stop, waiting=(node,)))) == count


def test_what_changed_since_an_earlier_rehearsal(tmp_path: Path):
    file = tmp_path / "base.json"
    file.write_text(forms.FORMS["json"](Told(rehearsed(ready=((INFRA, 4.0), (APPS, 5.0))), Places())))
    found = changes(earlier(file), stopped(tmp_path))
    assert found == [
        "Kustomization flux-system/apps was Ready, and is not any more",
        f"new stop: {REFUSED}",
        "on paper now: chart traefik",
    ]
    assert changes(earlier(file), rehearsed(ready=((INFRA, 4.5), (APPS, 5.0)))) == []


def test_what_is_compared_with_has_to_be_a_rehearsal(tmp_path: Path):
    file = tmp_path / "base.json"
    file.write_text("{}")
    with pytest.raises(SpecError, match="is not the answer of a rehearsal"):
        earlier(file)
    with pytest.raises(SpecError, match="No such file"):
        earlier(tmp_path / "none.json")
