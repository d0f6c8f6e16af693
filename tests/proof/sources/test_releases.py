"""Releases: their names, charts and values, and the objects of charts that are known."""

from pathlib import Path

import pytest
import yaml

from rebirth.proof.charts import app_template, knowledge, known_charts, releases
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.things import Atomicity, Milestone


def manifest(text):
    return Manifest(yaml.safe_load(text), "/repository/file.yaml", 1)


def model(*texts):
    made = Model(Path("/repository"))
    unit = Unit(
        thing("Kustomization", "flux-system", "a", Milestone.APPLIED), thing("Kustomization", "flux-system", "a", Milestone.READY),
        Atomicity.FLUX, made.at(), members=[manifest(text) for text in texts],
    )  # fmt: skip
    made.units.append(unit)
    made.index()
    return made


def release(spec, namespace="apps"):
    return manifest(
        yaml.safe_dump(
            {
                "apiVersion": "helm.toolkit.fluxcd.io/v2",
                "kind": "HelmRelease",
                "metadata": {"name": "web", "namespace": namespace},
                "spec": spec,
            }
        )
    )


@pytest.mark.parametrize(
    ("spec", "name", "namespace"),
    [
        ({}, "web", "apps"),
        ({"targetNamespace": "sites"}, "sites-web", "sites"),
        ({"targetNamespace": "sites", "releaseName": "www"}, "www", "sites"),
    ],
)
def test_the_name_that_a_chart_sees(spec, name, namespace):
    assert releases.release_name(release(spec)) == name
    assert releases.target_namespace(release(spec)) == namespace


REPOSITORY = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "https://charts.example.org"}
"""
ARTIFACT = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: web, namespace: apps}
spec: {url: "oci://ghcr.io/example/charts/web", ref: {tag: 1.2.3}}
"""
CHART = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: web, namespace: apps}
spec: {chart: web, version: 1.2.3, sourceRef: {kind: HelmRepository, name: charts}}
"""


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (
            {
                "chart": {
                    "spec": {
                        "chart": "web",
                        "version": "1.2.3",
                        "sourceRef": {"kind": "HelmRepository", "name": "charts"},
                    }
                }
            },
            ("web", "1.2.3", "https://charts.example.org"),
        ),
        ({"chartRef": {"kind": "OCIRepository", "name": "web"}}, ("web", "1.2.3", "oci://ghcr.io/example/charts/web")),
        ({"chartRef": {"kind": "HelmChart", "name": "web"}}, ("web", "1.2.3", "https://charts.example.org")),
        ({"chartRef": {"kind": "OCIRepository", "name": "elsewhere"}}, ("", "", "")),
    ],
)
def test_where_a_chart_comes_from(spec, found):
    chart = releases.chart_of(model(REPOSITORY, ARTIFACT, CHART), release(spec))
    assert (chart.name, chart.version, chart.url) == found


def test_a_chart_in_git_has_a_path_and_no_version():
    spec = {"chart": {"spec": {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "flux-system"}}}}
    chart = releases.chart_of(model(), release(spec))
    assert (chart.name, chart.path, chart.version) == ("web", "./charts/web", "")


VALUES = """
apiVersion: v1
kind: ConfigMap
metadata: {name: values, namespace: apps}
data: {values.yaml: "a: {b: 1, c: 2}"}
"""


def test_values_of_a_config_map_lie_under_the_releases_own():
    found = releases.values_of(
        model(VALUES), release({"valuesFrom": [{"kind": "ConfigMap", "name": "values"}], "values": {"a": {"c": 3}}})
    )
    assert found.data == {"a": {"b": 1, "c": 3}}
    assert found.whole


PLAIN = """
apiVersion: v1
kind: Secret
metadata: {name: plain, namespace: apps}
stringData: {host: shop.example.org, flag: "true", number: "7", text: '"7"', list: "a,b", values.yaml: "a: {c: 5}"}
data: {coded: c2hvcA==}
"""
SEALED = """
apiVersion: v1
kind: Secret
metadata: {name: sealed, namespace: apps}
stringData: {values.yaml: "ENC[AES256_GCM,data:abc]"}
"""


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        ({"valuesKey": "host", "targetPath": "ingress.host"}, {"ingress": {"host": "shop.example.org"}}),
        ({"valuesKey": "flag", "targetPath": "on"}, {"on": True}),
        ({"valuesKey": "flag", "targetPath": "on", "literal": True}, {"on": "true"}),
        ({"valuesKey": "number", "targetPath": "a"}, {"a": 7}),
        ({"valuesKey": "text", "targetPath": "a"}, {"a": "7"}),
        ({"valuesKey": "coded", "targetPath": "a"}, {"a": "shop"}),
        ({}, {"a": {"c": 5}}),
    ],
)
def test_values_of_a_secret_in_the_files(entry, values):
    own = release({"valuesFrom": [{"kind": "Secret", "name": "plain", **entry}]})
    assert releases.values_of(model(VALUES, PLAIN, SEALED), own) == releases.Values(values, whole=True)


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "Secret", "name": "values"},
        {"kind": "Secret", "name": "plain", "valuesKey": "list", "targetPath": "a"},
        {"kind": "ConfigMap", "name": "elsewhere"},
        {"kind": "ConfigMap", "name": "values", "targetPath": "a[0]"},
        {"kind": "Secret", "name": "sealed"},
    ],
)
def test_values_that_files_do_not_tell(entry):
    assert not releases.values_of(model(VALUES, PLAIN, SEALED), release({"valuesFrom": [entry]})).whole


# -- charts that are known


def known(name, values=None, *, whole=True, namespace="vpn", **spec):
    own = release({"releaseName": name, "values": values or {}, **spec}, namespace)
    chart = releases.ChartSource(name, "", "", None, own.place())
    operator = next(one for one in knowledge.operators() if one.name == name)
    return known_charts.objects(operator, own, chart, releases.Values(values or {}, whole))


def secrets_read(members):
    return {
        volume["secret"]["secretName"]
        for member in members
        if member.kind == "Deployment"
        for volume in member.at("spec", "template", "spec", "volumes")
    }


def test_the_tailscale_operator_needs_its_oauth_secret():
    members = known("tailscale-operator")
    assert secrets_read(members) == {"operator-oauth"}
    assert not [m for m in members if m.kind == "Secret"]


def test_with_credentials_in_the_values_the_chart_makes_it_itself():
    members = known("tailscale-operator", {"oauth": {"clientId": "k1", "clientSecret": "made-up"}})
    assert not secrets_read(members)
    assert [m.name for m in members if m.kind == "Secret"] == ["operator-oauth"]
    assert "made-up" not in str([m.data for m in members])


def test_where_values_are_not_known_nothing_is_asked_for():
    assert not secrets_read(known("tailscale-operator", whole=False))


def test_crds_of_the_chart_s_folder_are_left_out_on_demand():
    kinds = {m.at("spec", "names", "kind") for m in known("traefik") if m.kind == "CustomResourceDefinition"}
    assert "IngressRoute" in kinds
    assert not [m for m in known("traefik", install={"crds": "Skip"}) if m.kind == "CustomResourceDefinition"]


def test_the_crds_of_a_known_chart_are_called_what_their_resources_are():
    """A webhook is asked by the name of the resource: with another name of ours it would match nothing."""
    names = {m.at("spec", "names", "plural") for m in known("kyverno") if m.kind == "CustomResourceDefinition"}
    assert "clusterpolicies" in names
    assert not {name for name in names if name.endswith("ys")}


def test_cert_manager_brings_its_crds_only_if_asked():
    assert not [m for m in known("cert-manager") if m.kind == "CustomResourceDefinition"]
    for values in ({"crds": {"enabled": True}}, {"installCRDs": True}):
        assert [m for m in known("cert-manager", values) if m.kind == "CustomResourceDefinition"]


@pytest.mark.parametrize(
    ("release_name", "values", "name"),
    [
        ("metallb", {}, "metallb"),
        ("lb", {}, "lb-metallb"),
        ("lb", {"nameOverride": "pool"}, "lb-pool"),
        ("lb", {"fullnameOverride": "all"}, "all"),
    ],
)
def test_helm_s_usual_name(release_name, values, name):
    assert known_charts.fullname(release_name, "metallb", values) == name


# -- app-template

APP = {
    "controllers": {
        "web": {
            "containers": {
                "app": {
                    "image": {"repository": "ghcr.io/example/web", "tag": "1"},
                    "env": {"PORT": 80, "PASSWORD": {"valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}},
                    "envFrom": [
                        {"secretRef": {"name": "{{ .Release.Name }}-secret"}},
                        {"secretRef": {"name": "{{ .Values.x }}"}},
                    ],
                }
            }
        }
    },
    "service": {"app": {"ports": {"http": {"port": 80}}}},
    "persistence": {
        "config": {"existingClaim": "{{ .Release.Name }}"},
        "cache": {"type": "emptyDir"},
        "file": {"type": "secret", "name": "web-file"},
    },
}


def test_app_template_names_what_its_pods_read():
    own = release({"values": APP})
    chart = releases.ChartSource("app-template", "", "", None, own.place())
    members = {m.kind: m for m in app_template.objects(own, chart, releases.Values(APP, whole=True))}
    pods = members["Deployment"].at("spec", "template", "spec")
    container = pods["containers"][0]
    assert [one["secretRef"]["name"] for one in container["envFrom"]] == ["web-secret"]
    assert [one["name"] for one in container["env"]] == ["PASSWORD"]
    assert pods["volumes"] == [
        {"name": "config", "persistentVolumeClaim": {"claimName": "web"}},
        {"name": "file", "secret": {"secretName": "web-file"}},
    ]
    assert members["Service"].name == "web"
    assert members["Deployment"].place("spec", "template", "spec", "containers", 0).path == (
        "spec", "values", "controllers", "web", "containers", "app",
    )  # fmt: skip
