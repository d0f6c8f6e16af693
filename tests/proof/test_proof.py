"""The example castle is proven: nothing is found, everything becomes true, and each step waits for what it waits for in the lab."""

import asyncio
import shutil
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.proof.prove import prove
from rebirth.proof.reading.yaml_files import Lines
from rebirth.proof.things import Milestone, Scope, Thing

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"
READY, EXISTS, MATERIALISED = Milestone.READY, Milestone.EXISTS, Milestone.MATERIALISED


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    castle = tmp_path_factory.mktemp("proof") / "castle"
    shutil.copytree(EXAMPLE, castle, ignore=shutil.ignore_patterns("logs", ".rebirth"))
    return asyncio.run(prove(castle / "gitops", castle=load(castle), directory=castle))


def phase(name):
    return Thing("phase", "", name, READY)


def told(edges):
    lines = Lines()
    return [(Path(edge.place.file).name, lines.line(edge.place)) for edge in edges]


def test_nothing_is_found(proof):
    assert not [finding for finding in proof.findings if finding.severity != "info"]


def test_everything_that_is_needed_is_made(proof):
    assert proof.graph.whole
    assert proof.graph.missing() == []
    assert proof.graph.settle().stuck == frozenset()


def test_after_a_power_cut_everything_comes_up_again(proof):
    assert proof.graph.missing(Scope.COLD_RESTART) == []
    assert proof.graph.cycles(Scope.COLD_RESTART) == []


def test_every_phase_and_every_node_of_flux_becomes_ready(proof):
    order = set(proof.graph.settle().order)
    wanted = {phase(one.name) for one in proof.model.phases} | {unit.ready for unit in proof.model.units}
    assert len(wanted) > len(proof.model.phases) + 10
    assert wanted <= order


@pytest.mark.parametrize(
    ("start", "goal"),
    [
        (phase("visit_sites"), Thing("Service", "traefik", "traefik", READY)),
        (phase("visit_sites"), Thing("IPAddressPool", "metallb-system", "lan", EXISTS)),
        (phase("visit_sites"), Thing("Deployment", "blog", "blog", READY)),
        (phase("visit_sites"), Thing("cluster DNS", "", "10.96.0.10", Milestone.SERVES)),
        (phase("visit_sites"), Thing("zone", "", "ts.net", Milestone.ANSWERS)),
        (phase("visit_sites"), Thing("Secret", "tailscale", "operator-oauth", MATERIALISED)),
        (phase("hand_over"), Thing("Secret", "tazlab-db", "tazlab-db-pguser-grafana", MATERIALISED)),
        (Thing("Kustomization", "flux-system", "monitoring", READY), Thing("handover", "", "grafana-database-password", Milestone.APPLIED)),
        (phase("open_vault_store"), Thing("operator", "", "tailscale-operator", READY)),
        (phase("converge"), Thing("Kustomization", "flux-system", "apps", READY)),
        (phase("install_metallb"), phase("bootstrap_kubernetes")),
        (phase("await_nodes"), Thing("pod network", "", "of the cluster", Milestone.SERVES)),
    ],
    ids=lambda thing: thing.label.replace("/", "_"),
)  # fmt: skip
def test_it_depends_on(proof, start, goal):
    chain = proof.graph.path(start, goal)
    assert chain, f"{start} does not need {goal}"
    assert all(edge.place.file or edge.by.label == edge.needs.label for edge in chain)


@pytest.mark.parametrize(
    ("start", "goal"),
    [
        (phase("install_metallb"), phase("install_external_secrets")),
        (phase("bootstrap_flux"), phase("install_external_secrets")),
        (phase("install_storage"), phase("install_metallb")),
        (phase("bootstrap_flux"), phase("install_metallb")),
        (phase("visit_sites"), phase("hand_over")),
        (Thing("Kustomization", "flux-system", "apps", READY), phase("hand_over")),
    ],
    ids=lambda thing: thing.label,
)
def test_it_does_not_wait_for(proof, start, goal):
    assert proof.graph.path(start, goal) is None


def test_what_a_phase_takes_is_told_by_its_function(proof):
    chain = proof.graph.path(phase("install_coredns"), phase("bootstrap_kubernetes"))
    edge = next(edge for edge in chain if edge.by.name != edge.needs.name)
    assert edge.words == "takes KubernetesBootstrapped through cluster"
    text = Path(edge.place.file).read_text().splitlines()[edge.place.line - 1]
    assert text.startswith("async def install_coredns(")


def test_what_castle_yaml_says_is_told_by_its_line(proof):
    castle = (EXAMPLE / "castle.yaml").read_text().splitlines()
    store = Thing("ClusterSecretStore", "", "tazlab-secrets-vault", READY)
    name = Thing("name", "", "lushycorp-vault.magellanic-gondola.ts.net", Milestone.RESOLVES)
    zone = Thing("zone", "", "ts.net", Milestone.ANSWERS)
    ((file, server),) = told(proof.graph.path(store, name))
    assert (file, castle[server - 1].split()[0]) == ("castle.yaml", "address:")
    ((file, forward),) = told(proof.graph.path(name, zone))
    assert (file, castle[forward - 1].split()[:2]) == ("castle.yaml", ["ts.net:", "[10.96.0.101]"])


def test_no_secret_value_is_in_the_model(proof):
    secrets = [member for unit in proof.model.units for member in unit.members if member.kind == "Secret"]
    assert len(secrets) >= 7
    assert {member.thing().label for member in secrets} >= {
        "Secret flux-system/flux-system",
        "Secret blog/ghcr-pull-secret",
    }
