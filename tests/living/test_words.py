"""What the API server, Flux and the kubelet say, as they were heard, and the sentence that explains it."""

import pytest

from rebirth.living.words import meaning

SERVED = [("apps/v1", "Deployment"), ("networking.k8s.io/v1", "Ingress"), ("apps/v1", "DaemonSet"), ("v1", "Service")]
INVALID = 'Deployment/web/web dry-run failed (Invalid): Deployment.apps "web" is invalid: '
TYPED = "Deployment/web/web dry-run failed: failed to create typed patch object (web/web; apps/v1, Kind=Deployment): "
CONVERT = (
    "Secret/web/web dry-run failed: failed to convert new object (web/web; /v1, Kind=Secret) to proper version: unable to convert "
    "unstructured object to /v1, Kind=Secret: "
)
SAID = [
    ('Deploymnet/web/web dry-run failed: no matches for kind "Deploymnet" in version "apps/v1"', "Did you mean Deployment?"),
    ('Ingress/web/web dry-run failed: no matches for kind "Ingress" in version "extensions/v1beta1"', "`apiVersion: networking.k8s.io/v1` has it"),
    ('Widget/web/web dry-run failed: no matches for kind "Widget" in version "example.org/v1"', "A CRD has to bring it"),
    (TYPED + ".spec.replicas: expected numeric (int or float), got string", "replicas must be a number"),
    (TYPED + ".spec.template.metadata.labels.version: expected string, got &value.valueUnstructured{Value:1.5}", "Without quotes 1.5 is a number"),
    (TYPED + ".spec.interval: expected string, got &value.valueUnstructured{Value:10}", "A duration has a unit"),
    (TYPED + ".spec.template.spec.containers: expected list, got &{map[]}", "begins with `- `"),
    (TYPED + ".spec.dependOn: field not declared in schema", "misspelt"),
    (CONVERT + "error decoding from json: illegal base64 data at input byte 7", "`stringData`"),
    (CONVERT + "quantities must match the regular expression '^x$'", "10Gi"),
    (INVALID + "spec.template.spec.containers[0].image: Required value", "`image:`"),
    (INVALID + "spec.ports: Required value", "spec.ports is missing"),
    (INVALID + 'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"', "no volume data"),
    (INVALID + 'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`', "agree"),
    (INVALID + 'x.resources.requests: Invalid value: "64Mi": must be less than or equal to memory limit of 32Mi', "more memory"),
    (INVALID + 'ports[0].name: Invalid value: "a-very-long-name": must be no more than 15 characters', "15 characters"),
    (INVALID + 'metadata.name: Invalid value: "My_Web": a lowercase RFC 1123 subdomain must consist of', "no capitals"),
    (INVALID + 'spec.rules[0].host: Invalid value: "web.${DOMAIN}": a lowercase RFC 1123 subdomain must', "DOMAIN was not replaced"),
    (INVALID + "spec.selector: Invalid value: {}: field is immutable", "cannot be changed"),
    (INVALID + 'spec.type: Unsupported value: "Loadbalancer": supported values: "ClusterIP", "LoadBalancer"', "listed"),
    ('CronJob.batch "x" is invalid: spec.schedule: Invalid value: "0 3 * *": expected exactly 5 fields, found 4', "five fields"),
    ("deployment/web/web dry-run failed (BadRequest): invalid object type: apps/v1, Kind=deployment", "Did you mean Deployment?"),
    (TYPED + '.spec.ports[port="80",protocol="TCP"].port: expected numeric (int or float), got string', "port must be a number"),
    (TYPED + '.spec.containers[name="web"].env: duplicate entries for key [name="PORT"]', "the same name, PORT"),
    (INVALID + 'spec.ports[0].targetPort: Invalid value: "8080": must contain at least one letter (a-z)', "remove the quotes"),
    (INVALID + 'spec.template.labels: Invalid value: "my web": a valid label must be an empty string', "no spaces"),
    (INVALID + 'metadata.name: Invalid value: "x": must be no more than 63 characters', "at most 63"),
    (INVALID + 'backend: Invalid value: "": resource or service backend is required', "`service: {name: ..."),
    (INVALID + "spec.selector: Required value, spec.template.metadata.labels: `selector` does not match template `labels`", "is missing"),
    ("image Web:1 cannot be pulled: couldn't parse image name: repository name (Web) must be lowercase", "small letters"),
    ("image web:9 cannot be pulled: not found", "imagePullSecrets"),
    ('invalid chart reference: failed to get chart version for remote reference: improper constraint: "latest"', "range such as 1.x"),
    ("invalid chart reference: no 'web' chart with version matching '9.9.9' found", "no chart of that name and version"),
    ("Deployment/web namespace not specified: the server could not find the requested resource", "`namespace:`"),
    ('namespaces "webs" not found', "namespace webs"),
    ("Secret/web/web is SOPS encrypted, configuring decryption is required for this secret to be reconciled", "spec.decryption"),
    ("kustomize build failed: accumulating resources: open /tmp/x/web.yaml: no such file or directory", "lists a file"),
    ("kustomization path not found: stat /tmp/x/webs: no such file or directory", "`spec.path`"),
    ("kustomize build failed: MalformedYAMLError: yaml: line 8: found character that cannot start any token", "the tab"),
    ("kustomize build failed: MalformedYAMLError: yaml: line 8: mapping values are not allowed in this context", "indented"),
    ('post build failed for \'Deployment.v1.apps/web\': yaml: line 15: mapping key "labels" already defined at line 13', "twice"),
    ('post build failed for \'ConfigMap.v1.[noGrp]/a\': envsubst error: variable substitution failed: variable not set (strict mode): "DOMAIN"', "`${DOMAIN:=value}`"),
    ("may not add resource with an already registered id: Service.v1.[noGrp]/web.web", "Service web is there twice"),
    ("invalid Helm repository URL: 'oci' URL scheme cannot be used with 'default' HelmRepository type", "`type: oci`"),
    ("could not resolve ConfigMap chart values reference 'web/values' with key 'values.yaml': key not found", "ConfigMap values"),
    ("container web: CreateContainerConfigError: couldn't find key titel in ConfigMap web/settings", "no key titel"),
    ('container web: CreateContainerConfigError: configmap "settings" not found', "Nothing makes the configmap settings"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "piece"), SAID, ids=lambda text: text[-40:])
def test_what_is_meant(said, piece):
    assert piece in meaning(said, SERVED)


@pytest.mark.parametrize(
    "said", ["", "Reconciliation in progress", "0 of 1 replicas are available", "dial tcp: timeout"]
)
def test_of_what_is_plain_nothing_is_said(said):
    assert meaning(said, SERVED) == ""


@pytest.mark.parametrize(("kind", "version", "words"), [
    ("MutatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "does not serve it; another version may"),
    ("ServiceMonitor", "monitoring.coreos.com/v1", "A CRD has to bring it"),
    ("Deploymnet", "apps/v1", "Did you mean Deployment?"),
])  # fmt: skip
def test_a_kind_that_is_not_served(kind, version, words):
    served = [
        ("apps/v1", "Deployment"),
        ("v1", "ServiceAccount"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ]
    assert words in meaning(f'no matches for kind "{kind}" in version "{version}"', served)
