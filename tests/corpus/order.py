"""Order that nobody declared: kinds before their CRDs, stores, certificates, objects of Flux, releases."""

from corpus.case import CILIUM, ESO, JETSTACK, STRANGE, Case, Told, crd, namespace, release, thing, unit
from corpus.silence import CERT_MANAGER, OPERATOR, STORE, TOKEN

GATEWAY = "gateway.networking.k8s.io"
PROMETHEUS = "https://prometheus-community.github.io/helm-charts"
GATEKEEPER = "https://open-policy-agent.github.io/gatekeeper/charts"
GATEWAY_CRDS = "".join(
    crd(GATEWAY, kind, plural, scope)
    for kind, plural, scope in (
        ("GatewayClass", "gatewayclasses", "Cluster"), ("Gateway", "gateways", "Namespaced"), ("HTTPRoute", "httproutes", "Namespaced"),
        ("GRPCRoute", "grpcroutes", "Namespaced"), ("ReferenceGrant", "referencegrants", "Namespaced"),
    )
)  # fmt: skip
CRDS_ONLY = thing(
    "source.toolkit.fluxcd.io/v1", "GitRepository", "eso", "flux-system",
    "spec: {interval: 1h, ref: {tag: v0.20.4}, url: 'https://github.com/external-secrets/external-secrets'}\n",
) + unit("eso-crds", path="config/crds/bases").replace("name: flux-system}\n", "name: eso}\n")  # fmt: skip
FRONT = namespace("edge") + thing(
    f"{GATEWAY}/v1", "Gateway", "front", "edge", "spec:\n  gatewayClassName: cilium\n  listeners: [{name: http, protocol: HTTP, port: 80}]\n"
)  # fmt: skip
WEBHOOKS = (
    "{installCRDs: true, webhook: {certManager: {enabled: true, cert: {create: true, issuerRef: "
    "{group: cert-manager.io, kind: ClusterIssuer, name: castle-own}}}}}"
)

BEHIND_CRDS = Case(
    "a webhook's server is not waited for: objects behind the CRDs only",
    {
        "clusters/x/all.yaml": CRDS_ONLY + unit("operator", "eso-crds", wait=False) + unit("objects", "eso-crds"),
        "operator/all.yaml": namespace("external-secrets") + release("external-secrets", "external-secrets", "0.20.4", ESO, "{installCRDs: false}"),
        "objects/all.yaml": STORE + namespace("cert-manager") + TOKEN,
    },
    (Told("clusters/x/all.yaml", by_luck=True),),
)  # fmt: skip
CILIUM_FIRST = Case(
    "a controller that starts before its kinds: Cilium before the Gateway API",
    {
        "clusters/x/all.yaml": unit("cilium") + unit("gateway-crds", "cilium") + unit("edge", "gateway-crds"),
        "cilium/all.yaml": release(
            "cilium", "kube-system", "1.18.4", CILIUM, "{kubeProxyReplacement: true, gatewayAPI: {enabled: true}}"
        ),
        "gateway-crds/all.yaml": GATEWAY_CRDS,
        "edge/all.yaml": FRONT,
    },
    (Told("cilium/all.yaml"),),
)
OWN_KIND = Case(
    "an operator's own kind beside its release: a dashboard",
    {
        "clusters/x/all.yaml": unit("grafana"),
        "grafana/all.yaml": namespace("grafana")
        + release("grafana-operator", "grafana", "5.18.0", "https://grafana.github.io/helm-charts")
        + thing(
            "grafana.integreatly.org/v1beta1",
            "GrafanaDashboard",
            "nodes",
            "grafana",
            "spec: {instanceSelector: {}, json: '{}'}\n",
        ),
    },
    (Told("grafana/all.yaml", "kind: GrafanaDashboard"),),
)
MONITORS = Case(
    "a chart's values switch on a kind: a ServiceMonitor",
    {
        "clusters/x/all.yaml": unit("cert-manager") + unit("monitoring", "cert-manager"),
        "cert-manager/all.yaml": namespace("cert-manager")
        + release("cert-manager", "cert-manager", "v1.19.1", JETSTACK, "{crds: {enabled: true}, prometheus: {enabled: true, servicemonitor: {enabled: true}}}"),
        "monitoring/all.yaml": namespace("monitoring", "privileged") + release("kube-prometheus-stack", "monitoring", "79.1.0", PROMETHEUS),
    },
    (Told("cert-manager/all.yaml"),),
)  # fmt: skip
CONSTRAINT = Case(
    "a kind that an object makes: a constraint beside its template",
    {
        "clusters/x/all.yaml": unit("gatekeeper") + unit("policies", "gatekeeper"),
        "gatekeeper/all.yaml": namespace("gatekeeper-system", "privileged") + release("gatekeeper", "gatekeeper-system", "3.20.0", GATEKEEPER),
        "policies/all.yaml": thing(
            "templates.gatekeeper.sh/v1", "ConstraintTemplate", "k8srequiredlabels",
            body="spec:\n  crd: {spec: {names: {kind: K8sRequiredLabels}}}\n  targets: [{target: admission.k8s.gatekeeper.sh, rego: 'package x'}]\n",
        )
        + thing("constraints.gatekeeper.sh/v1beta1", "K8sRequiredLabels", "owner", body="spec: {match: {}}\n"),
    },
    (Told("policies/all.yaml"),),
)  # fmt: skip
ISSUER = Case(
    "a certificate of an issuer that nothing makes: a webhook's",
    {
        "clusters/x/all.yaml": unit("cert-manager") + unit("eso", "cert-manager"),
        "cert-manager/all.yaml": CERT_MANAGER,
        "eso/all.yaml": namespace("external-secrets")
        + release("external-secrets", "external-secrets", "0.20.4", ESO, WEBHOOKS),
    },
    (Told("eso/all.yaml", by_luck=True),),
)
ONCE = Case(
    "tried once: a release with cold pulls that others wait for",
    {
        "clusters/x/all.yaml": unit("policies") + unit("edge", "policies"),
        "policies/all.yaml": namespace("kuadrant")
        + release(
            "kuadrant", "kuadrant", "1.3.0", "https://kuadrant.io/helm-charts", chart="kuadrant-operator", once=True
        ),
        "edge/all.yaml": namespace("edge"),
    },
    (Told("policies/all.yaml", by_luck=True),),
)
SET = Case(
    "a ResourceSet waits for a CRD: that nothing brings",
    {
        "clusters/x/all.yaml": unit("operator") + unit("sets", "operator"),
        "operator/all.yaml": release("flux-operator", "flux-system", "0.33.0", "https://charts.castle.example"),
        "sets/all.yaml": thing(
            "fluxcd.controlplane.io/v1", "ResourceSet", "flux-operator", "flux-system",
            "spec:\n  dependsOn:\n  - {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, name: scaledobjects.keda.sh}\n"
            "  resources:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: done, namespace: flux-system}}\n",
        ),
    },
    (Told("sets/all.yaml", by_luck=True),),
)  # fmt: skip
CHILDREN = Case(
    "variables out of a Secret that needs them: every child substitutes what a child makes",
    {
        "clusters/x/all.yaml": unit("eso", "", "postBuild: {substituteFrom: [{kind: Secret, name: settings}]}")
        + unit("settings", "eso", "postBuild: {substituteFrom: [{kind: Secret, name: settings}]}"),
        "eso/all.yaml": OPERATOR,
        "settings/all.yaml": STORE
        + TOKEN.replace("cert-manager", "flux-system").replace("name: dns-token}", "name: settings}").replace("target: {name: dns-token}", "target: {name: settings}"),
    },
    (Told("clusters/x/all.yaml", "substituteFrom"),),
)  # fmt: skip
SEALED = Case(
    "a kind before its CRD: a SealedSecret beside its operator",
    {
        "clusters/x/all.yaml": unit("all"),
        "all/all.yaml": release(
            "sealed-secrets", "flux-system", "2.17.0", "https://bitnami-labs.github.io/sealed-secrets"
        )
        + thing("bitnami.com/v1alpha1", "SealedSecret", "pg", "default", "spec: {encryptedData: {a: AgB}}\n"),
    },
    (Told("all/all.yaml", "kind: SealedSecret"), Told("all/all.yaml", "spec:", by_luck=True)),
)

CASES = [
    BEHIND_CRDS,
    BEHIND_CRDS.but("behind the operator", (
        "clusters/x/all.yaml", unit("operator", "eso-crds", wait=False), unit("operator", "eso-crds")
    ), ("clusters/x/all.yaml", unit("objects", "eso-crds"), unit("objects", "operator"))),
    CILIUM_FIRST,
    CILIUM_FIRST.but("after them", more={"clusters/x/all.yaml": unit("gateway-crds") + unit("cilium", "gateway-crds") + unit("edge", "cilium")}),
    CILIUM_FIRST.but("its Gateway API is off, and another controller's class is made by hand", (
        "cilium/all.yaml", ", gatewayAPI: {enabled: true}", ""
    ), more={"edge/all.yaml": thing(f"{GATEWAY}/v1", "GatewayClass", "cilium", body="spec: {controllerName: example.com/own}\n") + FRONT}),
    OWN_KIND,
    OWN_KIND.but("in a unit that waits for it", more={
        "clusters/x/all.yaml": unit("grafana") + unit("dashboards", "grafana"),
        "grafana/all.yaml": OWN_KIND.files["grafana/all.yaml"].partition("---\napiVersion: grafana.integreatly")[0],
        "dashboards/all.yaml": "---\napiVersion: grafana.integreatly" + OWN_KIND.files["grafana/all.yaml"].partition("---\napiVersion: grafana.integreatly")[2],
    }),
    MONITORS,
    MONITORS.but("not switched on", ("cert-manager/all.yaml", "enabled: true, servicemonitor: {enabled: true}", "enabled: true, servicemonitor: {enabled: false}")),
    MONITORS.but("waits for whoever brings it", more={"clusters/x/all.yaml": unit("monitoring") + unit("cert-manager", "monitoring")}),
    CONSTRAINT,
    CONSTRAINT.but("in a unit that waits for the template", more={
        "clusters/x/all.yaml": unit("gatekeeper") + unit("templates", "gatekeeper") + unit("policies", "templates"),
        "templates/all.yaml": CONSTRAINT.files["policies/all.yaml"].partition("---\napiVersion: constraints")[0],
        "policies/all.yaml": "---\napiVersion: constraints" + CONSTRAINT.files["policies/all.yaml"].partition("---\napiVersion: constraints")[2],
    }),
    ISSUER,
    ISSUER.but("it is there, and waited for", more={
        "clusters/x/all.yaml": unit("cert-manager") + unit("issuers", "cert-manager") + unit("eso", "issuers"),
        "issuers/all.yaml": thing("cert-manager.io/v1", "ClusterIssuer", "castle-own", body="spec: {selfSigned: {}}\n"),
    }),
    ISSUER.but("the chart makes its own certificate", ("eso/all.yaml", WEBHOOKS, "{installCRDs: true}")),
    ONCE,
    ONCE.but("until it works", more={"policies/all.yaml": namespace("kuadrant") + release("kuadrant", "kuadrant", "1.3.0", "https://kuadrant.io/helm-charts", chart="kuadrant-operator")}),
    SET,
    SET.but("that Flux brings", ("sets/all.yaml", "scaledobjects.keda.sh", "helmreleases.helm.toolkit.fluxcd.io")),
    CHILDREN,
    CHILDREN.but("optional", ("clusters/x/all.yaml", "name: settings}", "name: settings, optional: true}"), ("clusters/x/all.yaml", "name: settings}", "name: settings, optional: true}")),
    SEALED,
    SEALED.but("waited for, with a key that is not here", told=[Told("all/all.yaml", by_luck=True)], more={
        "clusters/x/all.yaml": unit("sealed") + unit("all", "sealed"),
        "sealed/all.yaml": SEALED.files["all/all.yaml"].partition("---\napiVersion: bitnami")[0],
        "all/all.yaml": "---\napiVersion: bitnami" + SEALED.files["all/all.yaml"].partition("---\napiVersion: bitnami")[2],
    }),
    SEALED.but("a chart that nobody knows beside a kind that nobody knows: if it brings it, it comes too late", more={
        "all/all.yaml": namespace("home") + release("widgets", "home", "1.0.0", STRANGE)
        + thing("widgets.example/v1", "Widget", "one", "home", "spec: {}\n"),
    }, told=[Told("all/all.yaml", by_luck=True)], owed="order: a kind of a group that no known maker has"),
]  # fmt: skip
