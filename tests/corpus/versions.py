"""What a version of a kind or a chart knows: fields, served versions, values."""

from corpus.case import CILIUM, Case, Told, namespace, release, thing, unit
from corpus.silence import CERT_MANAGER, OPERATOR, STORE

FIELDS = "charts: fields that the API server does not know"
PODINFO = namespace("home") + release("podinfo", "home", "6.9.0", "https://stefanprodan.github.io/podinfo")

WAIT = Case(
    "a field that the kind does not have: wait in a HelmRelease",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": PODINFO.replace("  interval: 30m\n", "  interval: 30m\n  wait: true\n"),
    },
    (Told("app/all.yaml", "wait: true"),),
)
CLEANUP = Case(
    "a field in the wrong place: cleanupOnFail of upgrade under install",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": PODINFO.replace("  install: {remediation", "  install: {cleanupOnFail: false, remediation"),
    },
    (Told("app/all.yaml", "cleanupOnFail: false"),),
)
TOKEN = Case(
    "a field of a custom resource: an issuer's reference has no namespace",
    {
        "clusters/x/all.yaml": unit("cert-manager") + unit("issuers", "cert-manager"),
        "cert-manager/all.yaml": CERT_MANAGER,
        "issuers/all.yaml": thing("v1", "Secret", "cloudflare", "cert-manager", "stringData: {token: something}\n")
        + thing(
            "cert-manager.io/v1", "ClusterIssuer", "public", body=(
                "spec:\n  acme:\n    server: https://acme-v02.api.letsencrypt.org/directory\n    privateKeySecretRef: {name: public}\n"
                "    solvers:\n    - dns01:\n        cloudflare:\n          apiTokenSecretRef:\n            name: cloudflare\n            key: token\n"
                "            namespace: cert-manager\n"
            )
        ),
    },
    (Told("issuers/all.yaml", "namespace: cert-manager"),),
)  # fmt: skip
STRICT = Case(
    "a field that the operator itself rejects: replicas of a VMAuth",
    {
        "clusters/x/all.yaml": unit("operator") + unit("auth", "operator"),
        "operator/all.yaml": namespace("metrics")
        + release("victoria-metrics-operator", "metrics", "0.64.1", "https://victoriametrics.github.io/helm-charts"),
        "auth/all.yaml": thing(
            "operator.victoriametrics.com/v1beta1",
            "VMAuth",
            "auth",
            "metrics",
            "spec:\n  port: '8427'\n  replicas: 1\n",
        ),
    },
    (Told("auth/all.yaml", "replicas: 1"),),
)
VAULTS = Case(
    "a field of another type: a list where the store has a map",
    {
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso"),
        "eso/all.yaml": OPERATOR + thing("v1", "Secret", "connect", "external-secrets", "stringData: {token: something}\n"),
        "stores/all.yaml": thing(
            "external-secrets.io/v1", "ClusterSecretStore", "onepassword", body=(
                "spec:\n  provider:\n    onepassword:\n      connectHost: https://connect.example\n      vaults: [home]\n"
                "      auth: {secretRef: {connectTokenSecretRef: {name: connect, namespace: external-secrets, key: token}}}\n"
            )
        ),
    },
    (Told("stores/all.yaml", "vaults"),),
)  # fmt: skip
SERVED = Case(
    "a version that the chart's CRD does not serve: v1beta1 of External Secrets 0.20",
    {
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso"),
        "eso/all.yaml": OPERATOR,
        "stores/all.yaml": STORE.replace("external-secrets.io/v1\n", "external-secrets.io/v1beta1\n"),
    },
    (Told("stores/all.yaml"),),
)
PROXY = Case(
    "a value that the chart rejects: Cilium's kubeProxyReplacement",
    {
        "clusters/x/all.yaml": unit("cilium"),
        "cilium/all.yaml": release("cilium", "kube-system", "1.18.4", CILIUM, "{kubeProxyReplacement: strict}"),
    },
    (Told("cilium/all.yaml", "kubeProxyReplacement: strict"),),
)

_SETTINGS = "a field that a file of `configurations` cannot have"
_BUILT = "configMapGenerator:\n- name: settings\n  namespace: home\n  literals: ['a={a: b}']\nresources: [all.yaml]\nconfigurations: [names.yaml]\n"
_NAMES = "nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - kind: HelmRelease\n    path: spec/valuesFrom/name\n"
SETTINGS = Case(
    f"{_SETTINGS}: kustomize rejects it since Flux 2.3",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": _BUILT,
        "app/all.yaml": PODINFO + "  valuesFrom: [{kind: ConfigMap, name: settings, valuesKey: a}]\n",
        "app/names.yaml": _NAMES + "    apiVersion: v2\n",
    },
    (Told("app/names.yaml", "apiVersion: v2"),),
)
OLDER_SETTINGS = SETTINGS.but(
    "of a Flux that is not known",
    ("app/all.yaml", "helm.toolkit.fluxcd.io/v2\n", "helm.toolkit.fluxcd.io/v2beta2\n"),
    ("app/all.yaml", "source.toolkit.fluxcd.io/v1\n", "source.toolkit.fluxcd.io/v1beta2\n"),
    told=(Told("app/names.yaml", "apiVersion: v2", by_luck=True),),
)
KNOWN_SETTINGS = SETTINGS.but("in capitals or not", ("app/names.yaml", "    apiVersion: v2\n", "    Version: v2\n"))

CASES = [
    SETTINGS,
    OLDER_SETTINGS,
    KNOWN_SETTINGS,
    WAIT,
    WAIT.but("in its Kustomization, which has it", more={"app/all.yaml": PODINFO}),
    CLEANUP,
    CLEANUP.but("under upgrade", more={"app/all.yaml": PODINFO.replace("  upgrade: {remediation", "  upgrade: {cleanupOnFail: false, remediation")}),
    TOKEN,
    TOKEN.but("without it", ("issuers/all.yaml", "            namespace: cert-manager\n", "")),
    TOKEN.but(
        "of a newer version, which may have it", ("cert-manager/all.yaml", "v1.19.1", "v2.0.0"),
        told=(Told("issuers/all.yaml", "namespace: cert-manager", by_luck=True),),
    ),
    TOKEN.but(
        "of any version", ("cert-manager/all.yaml", "version: 'v1.19.1'", "version: '*'"),
        told=(Told("issuers/all.yaml", "namespace: cert-manager", by_luck=True),),
    ),
    WAIT.but(
        "a kind that Flux' operator adds to those that an Alert names",
        more={
            "app/all.yaml": PODINFO
            + thing("notification.toolkit.fluxcd.io/v1beta3", "Provider", "chat", "home", "spec: {type: generic, address: 'https://chat.example'}\n")
            + thing(
                "notification.toolkit.fluxcd.io/v1beta3", "Alert", "flux", "home",
                "spec: {providerRef: {name: chat}, eventSources: [{kind: FluxInstance, name: flux}]}\n",
            )
        },
    ),
    STRICT,
    STRICT.but("replicaCount", ("auth/all.yaml", "replicas", "replicaCount")),
    VAULTS,
    VAULTS.but("a map", ("stores/all.yaml", "vaults: [home]", "vaults: {home: 1}")),
    SERVED,
    SERVED.but("before it was dropped", ("eso/all.yaml", "0.20.4", "0.16.2")),
    SERVED.but("the one it serves", more={"stores/all.yaml": STORE}),
    PROXY,
    PROXY.but("a boolean", ("cilium/all.yaml", "strict", "true")),
    PROXY.but(
        "a value that is gone", ("cilium/all.yaml", "kubeProxyReplacement: strict", "tunnel: disabled"),
        told=(Told("cilium/all.yaml", "tunnel: disabled"),),
    ),
    PROXY.but("a variable", ("cilium/all.yaml", "strict", "'${KPR}'")),
    PROXY.but("of a version that took it", ("cilium/all.yaml", "1.18.4", "1.13.18")),
]  # fmt: skip
