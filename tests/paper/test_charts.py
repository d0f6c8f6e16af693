"""Charts on paper: what they hold, and which of their versions Flux would take. The real helm and API server: test_accepted.py."""

import gzip
import io
import json
import tarfile

import pytest
import yaml

from rebirth.paper.charts import paper_charts
from releases import APP, CA, known, model, release, root
from trees import write


class Nothing:
    def chart(self, url, name, version):
        return None

    def git(self, url):
        return None


class All:
    def chart(self, url, name, version):
        return "there"

    def git(self, url):
        return "there"


def files(chart):
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(chart.archive))) as archive:
        return {entry.name: archive.extractfile(entry).read().decode() for entry in archive}


def objects(chart):
    """Everything that the chart holds, by kind and name."""
    texts = [text for name, text in files(chart).items() if "/objects/" in name or "/crds/" in name]
    found = [document for text in texts for document in yaml.safe_load_all(text) if document]
    return {(item["kind"], item["metadata"]["name"]): item for item in found}


@pytest.fixture
def tree(tmp_path):
    return root(tmp_path)


def made(tree, store=None):
    return paper_charts(model(tree), store or Nothing(), CA)


def one(tree):
    charts, _ = made(tree)
    assert len(charts) == 1
    return charts[0]


def test_what_is_known_of_an_operator(tree):
    release(tree, "cert-manager", "cert-manager", "https://charts.jetstack.io/", "v1.15.3", "crds: {enabled: true}")
    charts, stand_ins = made(tree)
    found = objects(charts[0])
    assert (charts[0].url, charts[0].name, charts[0].version) == (
        "https://charts.jetstack.io", "cert-manager", "v1.15.3",
    )  # fmt: skip
    assert ("Deployment", "cert-manager-webhook") in found
    crd = found["CustomResourceDefinition", "certificates.cert-manager.io"]
    assert [version["name"] for version in crd["spec"]["versions"]] == ["v1"]
    assert crd["spec"]["scope"] == "Namespaced"
    assert found["CustomResourceDefinition", "clusterissuers.cert-manager.io"]["spec"]["scope"] == "Cluster"
    webhook = found["ValidatingWebhookConfiguration", "webhook.cert-manager.io"]["webhooks"][0]
    assert webhook["rules"][0]["resources"] == ["*"]
    assert webhook["clientConfig"]["caBundle"]
    (stand_in,) = stand_ins
    assert (stand_in.release, stand_in.chart) == ("HelmRelease apps/cert-manager", "cert-manager")
    assert stand_in.made_from == "knowledge of cert-manager"


def test_the_proofs_own_marks_stay_inside(tree):
    known(tree)
    for chart in made(tree)[0]:
        assert "rebirth/" not in "".join(files(chart).values())


def test_app_templates_values(tree):
    release(tree, "app", "app-template", "oci://ghcr.io/bjw-s-labs/helm", "4.0.1", APP)
    charts, (stand_in,) = made(tree)
    found = objects(charts[0])
    assert charts[0].url == "oci://ghcr.io/bjw-s-labs/helm/app-template"
    assert charts[0].tags == {"4.0.1"}
    assert stand_in.made_from == "app-template's values"
    deployment, service = found["Deployment", "app-main"]["spec"], found["Service", "app"]["spec"]
    assert service["selector"].items() <= deployment["template"]["metadata"]["labels"].items()
    assert deployment["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()
    assert service["ports"]
    assert found["CronJob", "app-clean"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    pods = deployment["template"]
    assert "part" not in pods["metadata"]["labels"]
    assert pods["metadata"]["labels"]["kept"] == "yes"
    (container,) = pods["spec"]["containers"]
    assert [one["name"] for one in container["env"]] == ["PASSWORD", "NODE"]
    assert container["envFrom"] == [{"secretRef": {"name": "app-secret"}}]
    assert found["HTTPRoute", "app-main"]["spec"]["hostnames"] == ["app.example"]
    assert found["PersistentVolumeClaim", "app"]["spec"]["storageClassName"] == ""
    assert found["ConfigMap", "app"]["data"] == {"text": "{{ not a template", "number": "1\n...\n"}
    assert found["Secret", "app-keys"]["stringData"] == {"password": "plain words"}


def test_a_chart_nothing_is_known_of_says_so(tree):
    release(tree, "blog", "nobody-knows", "https://charts.example")
    charts, (stand_in,) = made(tree)
    assert list(objects(charts[0])) == [("ConfigMap", "blog-on-paper")]
    assert stand_in.made_from == "nothing is known of it"


def test_releases_of_one_chart_share_it_and_each_makes_its_own(tree):
    for name in ("one", "two"):
        release(tree, name, "nobody-knows", "https://charts.example", namespace=name)
    inside = files(one(tree))
    assert '(eq .Release.Name "one")' in inside["nobody-knows/templates/one-one.yaml"]
    assert "two-on-paper" in inside["nobody-knows/objects/two/two.yaml"]


def test_two_versions_of_one_chart_hold_the_same(tree):
    """A release without a version takes the newest, which is another's."""
    release(tree, "old", "nobody-knows", "https://charts.example", "1.0.0")
    release(tree, "any", "nobody-knows", "https://charts.example")
    charts, _ = made(tree)
    assert {chart.version for chart in charts} == {"1.0.0", "0.0.0"}
    assert all({key[1] for key in objects(chart)} == {"old-on-paper", "any-on-paper"} for chart in charts)


def test_what_is_stored_is_not_on_paper(tree):
    release(tree, "blog", "nobody-knows", "https://charts.example")
    assert made(tree, All()) == ([], [])


def test_crds_have_the_versions_that_objects_are_written_in(tree):
    release(tree, "eso", "external-secrets", "https://charts.external-secrets.io")
    store = "{apiVersion: external-secrets.io/%s, kind: SecretStore, metadata: {name: %s, namespace: apps}}\n"
    write(tree, "clusters/x/stores.yaml", store % ("v1beta1", "a") + "---\n" + store % ("v1", "b"))
    versions = objects(one(tree))["CustomResourceDefinition", "secretstores.external-secrets.io"]["spec"]["versions"]
    assert [(version["name"], version["storage"]) for version in versions] == [("v1beta1", False), ("v1", True)]


def test_crds_of_the_crds_folder_stand_there(tree):
    release(tree, "traefik", "traefik", "https://traefik.github.io/charts")
    assert "traefik/crds/middlewares.traefik.io.yaml" in files(one(tree))


@pytest.mark.parametrize(("values", "default"), [("{}", "true"), ("persistence: {defaultClass: false}", None)])
def test_the_default_storage_class(tree, values, default):
    """Without it claims that name no class would wait for nothing."""
    release(tree, "longhorn", "longhorn", "https://charts.longhorn.io", values=values)
    annotations = objects(one(tree))["StorageClass", "longhorn"]["metadata"].get("annotations", {})
    assert annotations.get("storageclass.kubernetes.io/is-default-class") == default


def test_groups_of_kubernetes_say_that_they_are_not_approved(tree):
    release(tree, "gateway", "gateway-helm", "oci://docker.io/envoyproxy")
    crd = objects(one(tree))["CustomResourceDefinition", "gateways.gateway.networking.k8s.io"]
    assert crd["metadata"]["annotations"]["api-approved.kubernetes.io"].startswith("unapproved")


@pytest.mark.parametrize(
    ("ref", "tag", "version"),
    [
        ("{tag: 1.2.3}", "1.2.3", "1.2.3"),
        ('{semver: ">=2.0.0 <3"}', "2.0.0", "2.0.0"),
        ("{tag: stable}", "stable", "0.0.0"),
        ("{}", "latest", "0.0.0"),
    ],
)
def test_a_chart_that_an_oci_repository_holds(tree, ref, tag, version):
    write(
        tree,
        "clusters/x/app.yaml",
        f"""\
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: OCIRepository
        metadata: {{name: app, namespace: apps}}
        spec: {{interval: 1h, url: "oci://ghcr.io/example/charts/app", ref: {ref}}}
        ---
        apiVersion: helm.toolkit.fluxcd.io/v2
        kind: HelmRelease
        metadata: {{name: app, namespace: apps}}
        spec: {{interval: 10m, chartRef: {{kind: OCIRepository, name: app}}}}
        """,
    )
    chart = one(tree)
    assert (chart.url, chart.name, chart.version, set(chart.tags)) == (
        "oci://ghcr.io/example/charts/app", "app", version, {tag},
    )  # fmt: skip


IN_GIT = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: charts, namespace: apps}
spec: {interval: 1h, url: "ssh://git@github.com/example/charts", ref: {tag: v1}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: apps}
spec:
  interval: 10m
  chart: {spec: {chart: ./charts/app, sourceRef: {kind: GitRepository, name: charts}}}
"""


def test_a_chart_in_another_git_repository(tree):
    write(tree, "clusters/x/app.yaml", IN_GIT)
    chart = one(tree)
    assert (chart.url, chart.name, chart.path) == ("ssh://git@github.com/example/charts", "app", "charts/app")
    assert made(tree, All()) == ([], [])


@pytest.mark.parametrize(
    ("source", "named", "path"),
    [
        ("HelmRepository", "values-prod.yaml", "values-prod.yaml"),
        ("GitRepository", "./charts/app/ci/prod.yaml", "ci/prod.yaml"),
    ],
)
def test_files_of_values_that_a_release_takes_out_of_the_chart_are_there(tree, source, named, path):
    if source == "GitRepository":
        text = IN_GIT.replace("./charts/app,", f"./charts/app, valuesFiles: [{named}],")
        write(tree, "clusters/x/app.yaml", text)
    else:
        file = release(tree, "app", "app", "https://charts.example")
        file.write_text(file.read_text().replace('{"chart": "app",', f'{{"chart": "app", "valuesFiles": ["{named}"],'))
    assert files(one(tree))[f"app/{path}"] == "{}\n"


def test_a_git_repository_of_which_more_is_asked_for_is_not_made(tree):
    write(tree, "clusters/x/app.yaml", IN_GIT)
    write(
        tree,
        "clusters/x/more.yaml",
        """\
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: more, namespace: apps}
        spec: {interval: 10m, path: ./, prune: true, sourceRef: {kind: GitRepository, name: charts}}
        """,
    )
    assert made(tree) == ([], [])


def test_a_chart_of_the_repository_itself_comes_with_it(tree):
    text = IN_GIT.replace("name: charts, namespace: apps", "name: flux-system, namespace: flux-system")
    text = text.partition("---\n")[2].replace("name: charts}", "name: flux-system, namespace: flux-system}")
    write(tree, "clusters/x/app.yaml", text)
    assert made(tree) == ([], [])


def test_the_same_tree_gives_the_same_archive(tree):
    release(tree, "cert-manager", "cert-manager", "https://charts.jetstack.io")
    assert one(tree).digest == one(tree).digest
    assert json.loads(files(one(tree))["cert-manager/Chart.yaml"]) == one(tree).metadata
