"""What is refused of custom kinds beyond their schema, each beside what is taken."""

import pytest
import yaml

from changing_fields import changed, with_each
from rebirth.proof.schemas.shape import dotted
from rebirth.proof.validation import refused

BASES = {
    "release": "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, spec: {interval: 1h, chart: {spec: {chart: a, sourceRef: {kind: HelmRepository, name: a}}}}}",
    "kustomization": "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, spec: {interval: 1h, sourceRef: {kind: GitRepository, name: a}}}",
    "receiver": "{apiVersion: notification.toolkit.fluxcd.io/v1, kind: Receiver, spec: {type: github, secretRef: {name: a}}}",
    "bucket": "{apiVersion: source.toolkit.fluxcd.io/v1, kind: Bucket, spec: {provider: aws, serviceAccountName: a}}",
    "instance": "{apiVersion: fluxcd.controlplane.io/v1, kind: FluxInstance, metadata: {name: flux}, spec: {}}",
    "set": "{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSet, spec: {inputsFrom: [{name: a}], resources: []}}",
    "provider": "{apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSetInputProvider, spec: {type: GitHubPullRequest, url: 'https://github.com/a/b'}}",
    "gateway": "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, spec: {gatewayClassName: a, listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: a}]}}]}}",
    "route": "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, spec: {parentRefs: [{name: a}], rules: [{matches: [{path: {type: PathPrefix, value: /}}], filters: [{type: URLRewrite, urlRewrite: {hostname: a}}], backendRefs: [{name: a, port: 80}]}]}}",
    "cluster": "{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, spec: {instances: 1, imageName: a, bootstrap: {initdb: {database: a}}}}",
    "database": "{apiVersion: postgresql.cnpg.io/v1, kind: Database, spec: {name: a}}",
    "connector": "{apiVersion: tailscale.com/v1alpha1, kind: Connector, spec: {subnetRouter: {advertiseRoutes: [10.0.0.0/8]}}}",
    "recurring": "{apiVersion: longhorn.io/v1beta2, kind: RecurringJob, spec: {cron: '0 3 * * *', task: backup}}",
}  # fmt: skip
R = "spec.rules.0"
# The object, where, what is put there, and the field that is refused then; "" where it is taken.
CASES = [
    ("release", "spec", "{interval: 1h, chartRef: {kind: OCIRepository, name: a}}", ""),
    ("release", "spec.chart.spec.sourceRef.kind", "HelmRepo", "spec.chart.spec.sourceRef.kind"),
    ("release", "spec.kubeConfig", "{secretRef: {name: a}}", ""),
    ("kustomization", "spec.kubeConfig", "{}", "spec.kubeConfig"),
    ("kustomization", "spec.sourceRef.kind", "'${KIND}'", ""),
    ("receiver", "spec.secretRef", "null", "spec.secretRef"),
    ("receiver", "spec", "{type: generic-oidc}", ""),
    ("bucket", "spec.secretRef", "{name: a}", "spec.serviceAccountName"),
    ("instance", "metadata.name", "flux-system", "metadata.name"),
    ("set", "spec.inputsFrom.0", "{kind: ResourceSetInputProvider}", "spec.inputsFrom[0]"),
    ("set", "spec.inputsFrom.0", "{selector: {matchLabels: {a: b}}}", ""),
    ("provider", "spec.url", "null", "spec.url"),
    ("provider", "spec", "{type: Static}", ""),
    ("provider", "spec.type", "OCIArtifactTag", "spec.url"),
    ("gateway", "spec.listeners.0.tls", "{mode: Terminate, certificateRefs: [{name: a}]}", "spec.listeners[0].tls"),
    ("gateway", "spec.listeners.1.tls", "{}", "spec.listeners[1].tls.certificateRefs"),
    ("gateway", "spec.listeners.1", "{name: b, port: 443, protocol: TLS, tls: {mode: Passthrough}}", ""),
    ("gateway", "spec.listeners.1", "{name: b, port: 80, protocol: HTTP}", "spec.listeners[1]"),
    ("gateway", "spec.listeners.1", "{name: b, port: 80, protocol: HTTP, hostname: a.example.com}", ""),
    ("gateway", "spec.listeners.1", "{name: b, port: 80, protocol: HTTP, hostname: '${HOST}'}", ""),
    ("route", f"{R}.backendRefs.0.port", "null", "spec.rules[0].backendRefs[0].port"),
    ("route", f"{R}.backendRefs.0", "{group: a.example.com, kind: Bucket, name: a}", ""),
    ("route", f"{R}.filters.0.type", "RequestRedirect", "spec.rules[0].filters[0].requestRedirect"),
    ("route", f"{R}.filters", "[{type: RequestRedirect, requestRedirect: {scheme: https}}]", "spec.rules[0].backendRefs"),
    ("route", R, "{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}", ""),
    ("route", f"{R}.filters.0.urlRewrite.path", "{type: ReplacePrefixMatch, replaceFullPath: /}", "spec.rules[0].filters[0].urlRewrite.path.replacePrefixMatch"),
    ("route", f"{R}.matches.0.path.value", "a", "spec.rules[0].matches[0].path.value"),
    ("route", f"{R}.matches.0.path", "{type: RegularExpression, value: a.*}", ""),
    ("route", "spec.parentRefs", "[{name: a}, {name: a}]", "spec.parentRefs[1]"),
    ("route", "spec.parentRefs", "[{name: a, sectionName: a}, {name: a, sectionName: b}]", ""),
    ("cluster", "spec.imageCatalogRef", "{kind: ImageCatalog, name: a, major: 17}", "spec.imageCatalogRef"),
    ("database", "spec.name", "postgres", "spec.name"),
    ("connector", "spec", "{hostname: a}", "spec"),
    ("connector", "spec", "{exitNode: true}", ""),
    ("recurring", "spec.cron", "0 3 * *", "spec.cron"),
    ("recurring", "spec.cron", "'@weekly'", ""),
]  # fmt: skip


@pytest.mark.parametrize("base", BASES)
def test_of_an_object_as_it_should_be_nothing_is_said(base):
    assert [*refused(yaml.safe_load(BASES[base]))] == []


@pytest.mark.parametrize(("base", "where", "value", "wanted"), CASES, ids=[f"{b} {w} {v}"[:90] for b, w, v, _ in CASES])
def test_one_field_that_is_refused_or_nearly(base, where, value, wanted):
    said = {dotted(one.path): one.words for one in refused(changed(BASES[base], where, value))}
    assert (wanted in said) if wanted else not said, said


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("other", [None, "${VALUE}", [], {}, 5, "text", ["text"], [None], [5], {"a": "b"}])
def test_whatever_stands_there_it_answers(base, other):
    """What is of another type is told by the schema."""
    for found in with_each(BASES[base], other):
        for one in refused(found):
            assert one.words


def test_whose_webhook_it_is_that_refuses_is_said():
    (told,) = refused(changed(BASES["recurring"], "spec.cron", "0 3 * *"))
    assert told.by == "Longhorn"
