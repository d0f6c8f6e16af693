"""What a Flux Kustomization needs and makes, as edges."""

import pytest

from flux_trees import config_map, git, node
from rebirth.proof.graph import Graph
from rebirth.proof.sources.flux import kustomizations
from rebirth.proof.things import Milestone, Need, Thing

APPS = {"apps/good.yaml": config_map("good", "x")}


def at(kind, namespace, name, milestone):
    return Thing(kind, namespace, name, milestone)


@pytest.fixture
def graph(tree, read):
    """The graph of a repository with the Kustomization `apps` of that spec."""

    def make(spec="", files=APPS, source="GitRepository flux-system"):
        root = tree({"clusters/x/apps.yaml": node("apps", "./apps", spec, source=source), **files})
        (survey,) = read(root, "clusters/x")
        found = Graph()
        kustomizations.read(survey.model, found)
        found.close()
        return found

    return make


def needs(graph, milestone):
    """What the Kustomization `apps` needs to come that far."""
    edges = graph.edges[at("Kustomization", "flux-system", "apps", milestone)]
    return {(edge.need, str(edge.needs)) for edge in edges}


def test_what_it_needs_to_start(graph):
    spec = (
        "dependsOn: [{name: infra}, {name: other, namespace: tenant}]\nserviceAccountName: robot\n"
        "decryption: {provider: sops, secretRef: {name: age}}\n"
        "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}, {kind: Secret, name: maybe, optional: true}]}"
    )
    assert needs(graph(spec), Milestone.STARTED) == {
        (Need.APPLIED_BY, "Kustomization flux-system/apps exists"),
        (Need.SOURCE, "GitRepository flux-system/flux-system is Ready"),
        (Need.DEPENDS_ON, "Kustomization flux-system/infra is Ready"),
        (Need.DEPENDS_ON, "Kustomization tenant/other is Ready"),
        (Need.ACCOUNT, "ServiceAccount flux-system/robot exists"),
        (Need.DECRYPTION, "Secret flux-system/age is materialised"),
        (Need.VARIABLES, "ConfigMap flux-system/settings is materialised"),
    }


def test_an_expression_decides_alone_whether_a_dependency_is_ready(graph):
    found = graph("dependsOn: [{name: infra, readyExpr: 'dep.status.x == 1'}]")
    assert (Need.DEPENDS_ON, "Kustomization flux-system/infra exists") in needs(found, Milestone.STARTED)


def test_what_is_applied_first_is_there_even_if_the_rest_is_refused(graph):
    files = {"apps/all.yaml": "---\n".join([
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: s}\nprovisioner: x\n",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n",
        config_map("c", "n"),
    ])}  # fmt: skip
    found = graph("", files)
    makers = {
        thing.name: edges[0].needs.milestone
        for thing, edges in found.edges.items()
        if thing in found.made and edges and edges[0].needs.name == "apps"
    }
    assert makers == {"n": Milestone.STARTED, "s": Milestone.STARTED, "r": Milestone.STARTED, "c": Milestone.APPLIED}


def test_with_wait_every_member_has_to_be_healthy(graph):
    assert needs(graph("wait: true\nhealthChecks: [{kind: Pod, name: p, namespace: x}]"), Milestone.READY) == {
        (Need.HEALTH, "Kustomization flux-system/apps is applied"),
        (Need.HEALTH, "ConfigMap x/good is Ready"),
    }


def test_without_wait_the_health_checks_alone(graph):
    spec = "healthChecks: [{kind: Deployment, name: d, namespace: x}, {kind: Kustomization, name: apps, namespace: flux-system}]"
    assert needs(graph(spec), Milestone.READY) == {
        (Need.HEALTH, "Kustomization flux-system/apps is applied"),
        (Need.HEALTH, "Deployment x/d is Ready"),
    }


def test_it_does_not_wait_for_itself_nor_for_what_it_leaves_to_others(graph):
    left = config_map("left", "x").replace(
        "namespace: 'x'", "namespace: 'x', annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}"
    )
    found = graph("wait: true", {"apps/left.yaml": left, "apps/self.yaml": node("apps", "./apps")})
    assert needs(found, Milestone.READY) == {(Need.HEALTH, "Kustomization flux-system/apps is applied")}
    assert at("ConfigMap", "x", "left", Milestone.EXISTS) in found.starts


@pytest.mark.parametrize(
    ("spec", "seconds"),
    [("timeout: 3m", 180), ("timeout: 5s", 30), ("", 570), ("timeout: 1h30m", 5400), ("timeout: [1]", 570)],
)
def test_how_long_it_waits(graph, spec, seconds):
    found = graph(f"wait: true\n{spec}")
    ready = at("Kustomization", "flux-system", "apps", Milestone.READY)
    assert {edge.patience for edge in found.edges[ready] if edge.needs.kind == "ConfigMap"} == {seconds}


def test_a_source_of_another_namespace_or_kind(graph):
    other = {"clusters/x/git.yaml": git("mine", "https://example.org/mine"), **APPS}
    assert (Need.SOURCE, "GitRepository flux-system/mine is Ready") in needs(
        graph("", other, source="GitRepository mine"), Milestone.STARTED
    )


def test_all_of_a_plain_repository_becomes_true(graph):
    found = graph("wait: true")
    assert not found.missing()
    assert not found.settle().stuck
