"""Edges of releases, webhooks, CRDs and operators; charts on disk."""

import asyncio
import os
import shutil

import pytest

from rebirth.commands import Commands
from rebirth.proof.charts.install import install
from rebirth.proof.prove import prove
from rebirth.proof.reading.scopes import plural
from rebirth.proof.things import Extent, Need, Scope, Strength
from rebirth.secrets import Redaction

KUSTOMIZATION = """
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 10m
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
"""
RELEASE = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: default}
spec:
  interval: 10m
  chart:
    spec:
      chart: ./charts/web
      sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "example.org/web:1"}]
"""


@pytest.fixture
def edges(tree):
    def run(release=RELEASE, **files):
        root = tree(
            {
                "clusters/x/apps.yaml": KUSTOMIZATION,
                "apps/release.yaml": release,
                "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
                "charts/web/templates/web.yaml": DEPLOYMENT,
                **files,
            }
        )
        graph = asyncio.run(prove(root, clusters=["clusters/x"])).graph
        return {(str(e.by), str(e.needs)): e for e in graph.all_edges()}, graph

    return run


def test_a_release_is_ready_when_its_workloads_are(edges):
    found, _ = edges()
    edge = found["HelmRelease default/web is Ready", "Deployment default/web is Ready"]
    assert (edge.strength, edge.patience) == (Strength.BOUNDED, 300.0)
    assert ("HelmRelease default/web has started", "GitRepository flux-system/flux-system is Ready") in found


def test_retries_and_time_out_bound_its_patience(edges):
    found, _ = edges(RELEASE + "  timeout: 2m\n  install: {remediation: {retries: 3}}\n")
    assert found["HelmRelease default/web is Ready", "Deployment default/web is Ready"].patience == 480.0


@pytest.mark.parametrize("install", ["{remediation: {retries: -1}}", "{strategy: {name: RetryOnFailure}}"])
def test_some_try_for_ever(edges, install):
    found, _ = edges(RELEASE + f"  install: {install}\n")
    assert found["HelmRelease default/web is Ready", "Deployment default/web is Ready"].strength is Strength.SOFT


def test_nobody_waits_where_waiting_is_switched_off(edges):
    found, _ = edges(RELEASE + "  install: {disableWait: true}\n")
    assert ("HelmRelease default/web is Ready", "Deployment default/web is Ready") not in found


def test_only_a_target_namespace_is_made(edges):
    found, _ = edges(RELEASE + "  targetNamespace: sites\n  install: {createNamespace: true}\n")
    assert ("Namespace sites exists", "HelmRelease default/web has started") in found
    found, _ = edges(RELEASE + "  install: {createNamespace: true}\n")
    assert ("Namespace default exists", "HelmRelease default/web has started") not in found


def test_values_are_needed_unless_optional(edges):
    found, _ = edges(RELEASE + "  valuesFrom: [{kind: Secret, name: a}, {kind: ConfigMap, name: b, optional: true}]\n")
    edge = found["HelmRelease default/web has started", "Secret default/a is materialised"]
    assert edge.need is Need.VALUES
    assert not [one for one in found if "ConfigMap default/b" in one[1]]


def test_what_goes_to_another_cluster_makes_nothing_here(edges):
    found, graph = edges(RELEASE + "  kubeConfig: {secretRef: {name: there}}\n")
    assert not [one for one in found if "Deployment" in one[0]]
    assert not graph.unknowns
    assert ("HelmRelease default/web has started", "Secret default/there is materialised") in found


def hidden(graph):
    return [(unknown.extent, unknown.namespace) for unknown in graph.unknowns]


def test_a_chart_that_is_not_known_hides_its_namespace(edges):
    release = RELEASE.replace("./charts/web", "web").replace(
        "GitRepository, name: flux-system", "HelmRepository, name: charts"
    )
    _, graph = edges(release)
    assert hidden(graph) == [(Extent.CHART, "default")]


def test_values_of_a_secret_leave_a_chart_on_disk_unknown(edges):
    _, graph = edges(RELEASE + "  valuesFrom: [{kind: Secret, name: a}]\n")
    assert hidden(graph) == [(Extent.CHART, "default")]


def test_hooks_stand_before_and_after_the_wait(edges):
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {0}, annotations: {{helm.sh/hook: {0}-install}}}}\nspec:\n"
        "  template:\n    spec: {{restartPolicy: Never, containers: [{{name: a, image: example.org/a}}]}}\n"
    )
    found, _ = edges(
        **{f"charts/web/templates/{when}.yaml": job.format(when) for when in ("pre", "post")},
        **{"charts/web/templates/test.yaml": job.format("x").replace("x-install", "test")},
    )
    assert found["HelmRelease default/web is applied", "Job default/pre is Ready"].need is Need.HOOK
    assert ("Job default/post exists", "HelmRelease default/web serves") in found
    assert ("HelmRelease default/web serves", "Deployment default/web is Ready") in found
    assert not [one for one in found if one[0] == "Job default/x exists"]


def test_a_suspended_release_is_noted(edges):
    _, graph = edges(RELEASE + "  suspend: true\n")
    assert [remark.words for remark in graph.marked("suspended")] == ["HelmRelease default/web is suspended"]


def test_a_helmfile_comes_before_flux(edges):
    helmfile = "releases:\n- {name: web, namespace: default, chart: example/web}\n- {name: lb, namespace: lb, chart: metallb/metallb}\n"
    _, graph = edges(
        **{"bootstrap/helmfile.yaml": helmfile, "Taskfile.yaml": "  - helmfile -f bootstrap/helmfile.yaml apply\n"}
    )
    first = {str(thing) for thing in graph.starts}
    assert {"HelmRelease default/web is applied", "Helm release lb/lb is applied"} <= first
    assert "CRD metallb.io/IPAddressPool is established" in {str(thing) for thing in graph.settle().order}


@pytest.mark.parametrize("text", ["releases: {{ .Values.x }}\n{{ if a }}\n", "releases: 1\n", "a: [\n", ""])
def test_a_helmfile_that_cannot_be_read_says_nothing(edges, text):
    _, graph = edges(**{"helmfile.yaml": text, "Makefile": "up:\n\thelmfile apply\n"})
    assert not [thing for thing in graph.starts if thing.kind == "HelmRelease"]


POST_RENDERED = """  postRenderers:
  - kustomize:
      patches:
      - target: {kind: Deployment, name: web}
        patch: |
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: web}
          spec: {template: {spec: {volumes: [{name: a, secret: {secretName: patched-in}}]}}}
"""


def test_post_renderers_patch_what_a_chart_makes(edges):
    found, graph = edges(RELEASE + POST_RENDERED)
    assert ("Deployment default/web is Ready", "Secret default/patched-in is materialised") in found
    where = graph.where[next(t for t in graph.things if str(t) == "Deployment default/web exists")]
    assert where.file.endswith("charts/web/templates/web.yaml")
    assert not graph.unknowns


def test_a_post_renderer_that_fits_nothing_leaves_the_chart_unknown(edges):
    broken = RELEASE + POST_RENDERED.replace("          metadata: {name: web}", "          metadata: [web]")
    _, graph = edges(broken)
    assert "cannot be rendered" in graph.unknowns[0].why


def test_a_chart_with_templates_needs_helm(edges, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    _, graph = edges(
        **{"charts/web/templates/web.yaml": DEPLOYMENT.replace("{name: web}", "{name: {{ .Release.Name }}}")}
    )
    assert "cannot be rendered" in graph.unknowns[0].why


@pytest.mark.skipif(not shutil.which("helm"), reason="helm is not there")
def test_a_chart_is_rendered_with_its_values(edges):
    found, graph = edges(
        RELEASE + "  values: {name: shop}\n",
        **{"charts/web/templates/web.yaml": DEPLOYMENT.replace("{name: web}", "{name: {{ .Values.name }}}", 1)},
    )
    assert not graph.unknowns
    assert ("HelmRelease default/web is Ready", "Deployment default/shop is Ready") in found
    where = graph.where[next(t for t in graph.things if str(t) == "Deployment default/shop exists")]
    assert where.file.endswith("charts/web/templates/web.yaml")


def test_installing_twice_changes_nothing(tree, read):
    root = tree({"clusters/x/apps.yaml": KUSTOMIZATION, "apps/release.yaml": RELEASE})
    model = read(root, "clusters/x")[0].model
    for _ in range(2):
        asyncio.run(install(model, Commands(Redaction())))
    assert len([unit for unit in model.units if unit.applied.kind == "HelmRelease"]) == 1


# -- webhooks

SERVER = """
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: default}
spec: {selector: {app: web}, ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: hook}
webhooks:
  - name: hook.example.org
    clientConfig: {service: {namespace: default, name: hook}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [%s]}]
"""


def webhook_edges(edges, resources, more=""):
    config = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop, labels: {a: b}}\n"
    found, _ = edges(
        "",
        **{
            "clusters/x/shop.yaml": KUSTOMIZATION.replace("apps", "shop"),
            "shop/shop.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: x}}\n" + config,
            "apps/server.yaml": SERVER % resources + more,
            "apps/web.yaml": DEPLOYMENT.replace("{name: web}", "{name: web, namespace: default}", 1),
        },
    )
    return {by: e for (by, needs), e in found.items() if needs == "webhook hook.example.org admits"}


def test_what_a_webhook_matches_needs_it(edges):
    found = webhook_edges(edges, "configmaps")
    assert set(found) == {"Kustomization flux-system/shop is applied"}


def test_pods_need_it_after_a_restart_even_if_they_are_its_own(edges):
    found = webhook_edges(edges, "pods")
    assert {by: e.scope for by, e in found.items()} == {"Deployment default/web is Ready": Scope.COLD_RESTART}


@pytest.mark.parametrize(
    "more",
    [
        "    failurePolicy: Ignore\n",
        "    namespaceSelector: {matchLabels: {team: y}}\n",
        "    namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}\n",
        "    objectSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}\n",
        "    matchConditions: [{name: x, expression: 'false'}]\n",
    ],
)
def test_what_it_leaves_out_does_not(edges, more):
    assert not webhook_edges(edges, "configmaps", more)


@pytest.mark.parametrize(
    "more",
    [
        "    failurePolicy: Fail\n",
        "    namespaceSelector: {matchLabels: {team: x}}\n",
        "    namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [shop]}]}\n",
        "    objectSelector: {matchLabels: {a: b}}\n",
    ],
)
def test_what_it_selects_does(edges, more):
    assert webhook_edges(edges, "configmaps", more)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Ingress", "ingresses"),
        ("Policy", "policies"),
        ("Gateway", "gateways"),
        ("Endpoints", "endpoints"),
        ("Pod", "pods"),
    ],
)
def test_plurals(kind, name):
    assert plural(kind) == name


def test_a_chart_is_rendered_for_the_version_of_the_cluster(edges, monkeypatch, tmp_path):
    """What is asked of Helm: a version of its own would refuse charts that the cluster's takes."""
    helm = tmp_path / "bin/helm"
    helm.parent.mkdir()
    helm.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helm.parent}:{os.environ['PATH']}")
    edges(**{"charts/web/templates/web.yaml": DEPLOYMENT + "# {{ .Release.Name }}\n"})
    assert "--kube-version 1.35.4" in (tmp_path / "asked").read_text()
