"""What is known of operators: the files themselves, and how they are asked."""

import pytest

from rebirth.errors import SpecError
from rebirth.proof.charts import knowledge
from rebirth.proof.charts.knowledge import When, fill, in_range
from rebirth.proof.charts.operator_file import read_operator

# Kinds that more than one chart may bring.
SHARED = {"gateway-crds", "kube-prometheus-stack", "prometheus-operator-crds"}
POSTGRES = "postgres-operator.crunchydata.com"


@pytest.mark.parametrize("known", knowledge.operators(), ids=lambda known: known.name)
def test_every_operator_says_what_it_is_and_where_that_was_read(known):
    assert known.title
    assert known.read
    assert known.charts or known.images or known.pods or known.makes


def test_a_file_that_is_wrong_is_told_with_line_and_path_as_castle_yaml_is(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "title: mine\nread: [x]\ncharts:\n  - {name: mine, form: [a]}\nworkloads:\n  - {name: a, secrets: [s, {nam: t}]}\n"
        "makes:\n  - {by: Thing, kind: Secret}\ncomplete: maybe\n"
    )
    with pytest.raises(SpecError) as caught:
        read_operator(file)
    told = {(problem.line, problem.path, problem.message) for problem in caught.value.problems}
    assert (4, "charts[0].form", "unknown key; did you mean from?") in told
    assert (6, "workloads[0].secrets[1].nam", "unknown key; did you mean name?") in told
    assert (8, "makes[0].by") in {one[:2] for one in told}
    assert (9, "complete", "must be true or false") in told


def test_what_has_but_a_name_may_be_written_as_that(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("title: mine\nread: [x]\nstorage_classes: [a, {name: b, unless_false: [c.enabled]}]\n")
    found = read_operator(file)
    assert found.name == "mine"
    assert [(one.name, one.unless_false) for one in found.storage_classes] == [("a", ()), ("b", ("c.enabled",))]


def test_no_two_operators_have_the_same_kind():
    seen = {}
    for known in knowledge.operators():
        if known.name in SHARED:
            continue
        for crds in known.crds:
            for kind in crds.kinds:
                assert (crds.group, kind) not in seen, (known.name, seen[crds.group, kind])
                seen[crds.group, kind] = known.name


@pytest.mark.parametrize("known", knowledge.operators(), ids=lambda known: known.name)
def test_custom_resources_are_of_kinds_that_the_operator_brings(known):
    for entry in (*known.makes, *known.reads, *known.reports):
        assert known.knows(entry.group, entry.by)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("quay.io/jetstack/cert-manager-controller:v1.19.1", "cert-manager"),
        ("ghcr.io/external-secrets/external-secrets@sha256:0123", "external-secrets"),
        ("harbor.example:5000/proxy/jetstack/cert-manager-controller:v1", "cert-manager"),
        ("docker.io/traefik:v3.6", "traefik"),
        ("traefik", "traefik"),
    ],
)
def test_an_operator_is_known_by_its_image(image, name):
    assert knowledge.of_image(image).name == name


@pytest.mark.parametrize("image", ["", "ghcr.io/example/web:1", "quay.io/jetstack/cert-manager-webhook:v1"])
def test_other_images_are_no_operator(image):
    assert knowledge.of_image(image) is None


@pytest.mark.parametrize(
    ("image", "args", "made"),
    [
        ("registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.0", ["create", "--secret-name=s"], ["s"]),
        ("registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.0", ["create", "--secret-name", "s"], ["s"]),
        ("registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.0", ["patch", "--secret-name=s"], []),
        ("registry.k8s.io/ingress-nginx/controller:v1.6.0", ["create", "--secret-name=s"], []),
        ("ghcr.io/jkroepke/kube-webhook-certgen:1", [], []),
        ("quay.io/metallb/controller:v0.15.2", ["--port=1"], ["memberlist"]),
    ],
)
def test_what_pods_make_themselves(image, args, made):
    container = {
        "image": image,
        "args": args,
        "env": [{"name": "METALLB_ML_SECRET_NAME", "value": "memberlist"}, {"name": "X"}],
    }
    assert [(one.kind, one.namespace, one.name) for one in knowledge.made_by_pod(container, "ns")] == [
        ("Secret", "ns", name) for name in made
    ]


def test_a_chart_is_known_by_its_name_and_repository():
    assert knowledge.of_chart("metallb", "https://metallb.github.io/metallb").name == "metallb"
    assert knowledge.of_chart("metallb", "https://charts.example.org") is None
    assert knowledge.of_chart("metallb", None).name == "metallb"


def test_a_postgres_cluster_makes_a_secret_for_each_user():
    cluster = {
        "kind": "PostgresCluster",
        "metadata": {"name": "db", "namespace": "data"},
        "spec": {"users": [{"name": "grafana"}, {"name": "web"}]},
    }
    made = {(one.kind, one.namespace, one.name) for one in knowledge.made_by(POSTGRES, cluster)}
    assert {("Secret", "data", "db-pguser-grafana"), ("Secret", "data", "db-pguser-web")} <= made
    assert ("Secret", "data", "db-pguser-db") not in made


def test_without_users_there_is_one_with_the_name_of_the_cluster():
    cluster = {"kind": "PostgresCluster", "metadata": {"name": "db", "namespace": "data"}, "spec": {}}
    made = list(knowledge.made_by(POSTGRES, cluster))
    assert "db-pguser-db" in {one.name for one in made}
    assert "password" in next(one.keys for one in made if one.name == "db-pguser-db")


def test_the_nameserver_of_the_tailnet_stands_in_the_operators_namespace():
    config = {
        "kind": "DNSConfig",
        "metadata": {"name": "ts"},
        "spec": {"nameserver": {"service": {"clusterIP": "10.96.0.101"}}},
    }
    service = next(one for one in knowledge.made_by("tailscale.com", config, "vpn") if one.kind == "Service")
    assert (service.namespace, service.name, service.address) == ("vpn", "nameserver", "10.96.0.101")


CONTEXT = {"a": {"b": "x", "list": [{"n": "1"}, {"n": "2"}], "empty": ""}, "c": "y"}


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("plain", ["plain"]),
        ("{a.b}-{c}", ["x-y"]),
        ("{a.list.*.n}", ["1", "2"]),
        ("{a.none|c}", ["y"]),
        ("{a.none|'text'}", ["text"]),
        ("{a.empty|c}", ["y"]),
        ("{a.none}-{c}", []),
        ("{a.list}", []),
    ],
)
def test_templates(template, texts):
    assert list(fill(template, CONTEXT)) == texts


@pytest.mark.parametrize(
    ("when", "values", "whole", "holds"),
    [
        (When(), {}, True, True),
        (When(only_if=("crds.enabled",)), {}, True, False),
        (When(only_if=("crds.enabled", "installCRDs")), {"installCRDs": True}, True, True),
        (When(only_if=("crds.enabled",)), {}, False, None),
        (When(unless=("oauth.clientId",)), {"oauth": {"clientId": "k1"}}, True, False),
        (When(unless=("oauth.clientId",)), {}, False, None),
        (When(unless_false=("webhook.create",)), {}, True, True),
        (When(unless_false=("webhook.create",)), {"webhook": {"create": False}}, False, False),
        (When(unless_false=("webhook.create",)), {"webhook": {"create": "false"}}, True, False),
        (When(unless_false=("webhook",)), {"webhook": {"create": False}}, True, True),
    ],
)
def test_conditions(when, values, whole, holds):
    assert when.holds(values, whole=whole) is holds


@pytest.mark.parametrize(
    ("version", "inside"),
    [
        ("0.20.4", True),
        ("v0.20.4", True),
        ("0.16.1", False),
        ("1.0.0", False),
        ("0.x", True),
        ("", True),
        ("0.20.4-rc1", True),
    ],
)
def test_a_version_that_cannot_be_read_lies_in_every_range(version, inside):
    assert in_range(version, "0.17", "1.0") is inside
