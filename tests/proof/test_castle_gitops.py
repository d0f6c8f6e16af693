"""What section gitops places for Flux is there in the proof, under the names that the repository has for it."""

import shutil
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.proof.prove import prove
from rebirth.proof.things import Milestone, Thing
from trees import change, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
APPLIED = """apiVersion: v1
kind: ConfigMap
metadata: {name: home, namespace: flux-system}
data: {home: "${HOME_NAME}", domain: "${DOMAIN}", nothing: "${NOTHING}"}
"""
READS = """    substituteFrom:
      - {kind: ConfigMap, name: cluster-settings}
      - {kind: Secret, name: cluster-secrets}
"""
SUBSTITUTION = """
  substitution:
    config_maps: {cluster-settings: {HOME_NAME: x}}
    secrets: {cluster-secrets: {DOMAIN: {secret: domain}}}
"""
BY_SSH = "repository: ssh://git@github.com/tazlab/tazlab-k8s.git\n  ssh: {private_key: {secret: key}, known_hosts: {secret: hosts}}"


@pytest.fixture
def castle(tmp_path: Path) -> Path:
    castle = tmp_path / "castle"
    shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth", "blog"))
    return castle


async def proved(castle):
    return await prove(castle / "gitops", castle=load(castle), directory=castle)


async def test_substitution(castle):
    change(castle, "castle.yaml", "  interval: 1m\n", f"  interval: 1m{SUBSTITUTION}")
    bridge = "gitops/clusters/tazlab-k8s/bridge.yaml"
    change(castle, bridge, "    substituteFrom:\n", READS)
    write(castle, "gitops/infrastructure/bridge/home.yaml", APPLIED)
    change(castle, "gitops/infrastructure/bridge/kustomization.yaml", "resources:\n", "resources:\n  - home.yaml\n")
    proof = await proved(castle)
    (remark,) = [one for one in proof.graph.remarks if one.slug == "undefined-variable"]
    assert dict(remark.data)["names"] == "NOTHING"
    for kind, name in (("ConfigMap", "cluster-settings"), ("Secret", "cluster-secrets")):
        held = Thing(kind, "flux-system", name, Milestone.MATERIALISED if kind == "Secret" else Milestone.EXISTS)
        assert held in proof.graph.things


@pytest.mark.parametrize("followed", [True, False])
async def test_a_deploy_key_is_the_secret_that_the_source_reads(castle, followed):
    change(castle, "castle.yaml", "repository: https://github.com/tazlab/tazlab-k8s.git", BY_SSH)
    change(castle, "castle.yaml", "  token: {secret: github-token}\n", "")
    change(
        castle,
        "castle.yaml",
        "    - namespace: flux-system\n      name: flux-system\n      data: {username: git, password: {secret: github-token}}\n",
        "",
    )
    if followed:
        sync = "gitops/clusters/tazlab-k8s/flux-system/gotk-sync.yaml"
        change(castle, sync, "url: https://github.com", "url: ssh://git@github.com")
    proof = await proved(castle)
    # Over https the source looks for another key in that Secret.
    assert {finding.rule for finding in proof.findings if finding.severity == "error"} == (
        set() if followed else {"R50"}
    )


async def test_flux_by_its_operator(castle):
    shutil.rmtree(castle / "gitops/clusters/tazlab-k8s/flux-system")
    change(castle, "gitops/clusters/tazlab-k8s/kustomization.yaml", "  - flux-system\n", "")
    change(castle, "castle.yaml", "  interval: 1m\n", "  interval: 1m\n  flux: {operator: {version: 0.33.0}}\n")
    proof = await proved(castle)
    assert [finding.rule for finding in proof.findings if finding.severity != "info"] == []
    bootstrapped = Thing("phase", "", "bootstrap_flux_instance", Milestone.READY)
    applied = [t for t in proof.graph.things if t.kind == "Kustomization" and t.milestone is Milestone.APPLIED]
    assert len(applied) == 11
    assert all(bootstrapped in proof.graph.before(thing) for thing in applied)
    instance = Thing("FluxInstance", "flux-system", "flux", Milestone.EXISTS)
    assert "CRD fluxcd.controlplane.io/FluxInstance is established" in map(str, proof.graph.before(instance))
