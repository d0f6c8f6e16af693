"""A castle whose repository keeps no manifests of Flux: what a phase makes then still comes before all that Flux applies."""

import json
import shutil
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.findings.places import Places
from rebirth.plan import drawing, schedule, text
from rebirth.proof.prove import prove
from rebirth.proof.things import Milestone, Thing
from trees import change, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
CLUSTER = "gitops/clusters/tazlab-k8s"


@pytest.fixture
def castle(tmp_path: Path) -> Path:
    castle = tmp_path / "castle"
    shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
    shutil.rmtree(castle / CLUSTER / "flux-system")
    change(castle, f"{CLUSTER}/kustomization.yaml", "  - flux-system\n", "")
    write(
        castle,
        "gitops/infrastructure/bridge/early.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: early, namespace: external-secrets}\n",
    )
    change(castle, "gitops/infrastructure/bridge/kustomization.yaml", "resources:\n", "resources:\n  - early.yaml\n")
    return castle


async def test_namespaces_of_phases_are_there_before_flux(castle):
    proof = await prove(castle / "gitops", castle=load(castle), directory=castle)
    assert [finding.rule for finding in proof.findings if finding.severity != "info"] == ["R71"]


async def test_a_plan_says_which_program_is_needed(castle):
    proof = await prove(castle / "gitops", castle=load(castle), directory=castle)
    found = schedule.plan(proof.model, proof.graph)
    assert "create needs the program `flux`" in text.render(found, Places(here=castle))
    assert len(json.loads(drawing.plan_json(found, Places()))["notes"]) == 1


async def test_all_that_flux_applies_comes_after_flux(castle):
    graph = (await prove(castle / "gitops", castle=load(castle), directory=castle)).graph
    bootstrapped = Thing("phase", "", "bootstrap_flux", Milestone.READY)
    applied = [t for t in graph.things if t.kind == "Kustomization" and t.milestone is Milestone.APPLIED]
    assert len(applied) == 11
    assert all(bootstrapped in graph.before(thing) for thing in applied)
