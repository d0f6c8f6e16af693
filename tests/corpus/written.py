"""What is written wrong: kustomizations, substitutions, names; and on which line."""

from corpus.case import JETSTACK, STRANGE, Case, Told, namespace, release, thing, unit

EMPTY = Case(
    "a kustomization without anything: that another one lists",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "resources: [web, queue]\n",
        "app/web/kustomization.yaml": "resources: [all.yaml]\n",
        "app/web/all.yaml": namespace("home"),
        "app/queue/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  # - broker.yaml\n",
    },
    (Told("app/queue/kustomization.yaml"),),
)
TEXT = Case(
    "a text that Flux cannot substitute: deep inside an object",
    {
        "clusters/x/all.yaml": unit("app", "", "postBuild: {substitute: {DOMAIN: castle.example}}"),
        "app/all.yaml": namespace("home")
        + thing("v1", "ConfigMap", "settings", "home", "data:\n  host: ${DOMAIN}\n  link: ${__value.raw}\n"),
    },
    (Told("app/all.yaml", "${__value.raw}"),),
)
HIDDEN = Case(
    "an address of a chart by another namespace: of a repository that is there",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + release("web", "home", "1.0.0", STRANGE).replace("name: web}\n", "name: web, namespace: flux-system}\n").replace(
            "HelmRepository\nmetadata: {name: web, namespace: flux-system}", "HelmRepository\nmetadata: {name: web, namespace: home}"
        ),
    },
    (Told("app/all.yaml", "sourceRef", by_luck=True),),
)  # fmt: skip

SOURCE = Case(
    "a source of another namespace: that nobody names",
    {
        "clusters/x/flux-system/gotk-sync.yaml": thing(
            "source.toolkit.fluxcd.io/v1", "GitRepository", "flux-system", "flux-system",
            "spec: {interval: 1m, url: 'https://git.example/x', ref: {branch: main}}\n",
        )
        + unit("flux-system", path="clusters/x", wait=False),
        "clusters/x/all.yaml": namespace("home") + unit("app").replace("name: app, namespace: flux-system", "name: app, namespace: home"),
        "app/all.yaml": thing("v1", "ConfigMap", "settings", "home", "data: {a: b}\n"),
    },
    (Told("clusters/x/all.yaml", "sourceRef"),),
)  # fmt: skip
TWICE = Case(
    "one object twice in one build: far below its top",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "resources: [web, queue]\n",
        "app/web/kustomization.yaml": "resources: [all.yaml]\n",
        "app/web/all.yaml": namespace("web"),
        "app/queue/kustomization.yaml": "resources:\n- ../../base\n- namespace.yaml\n",
        "app/queue/namespace.yaml": namespace("queue"),
        "base/kustomization.yaml": "resources: [all.yaml]\n",
        "base/all.yaml": namespace("queue"),
    },
    (Told("app/queue/kustomization.yaml", "namespace.yaml"),),
)
BY_ITSELF = Case(
    "one object twice in one build: of files that Flux collects by itself",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/queue.yaml": namespace("queue"),
        "app/web.yaml": "---\n" + namespace("queue"),
    },
    (Told("app/web.yaml", "name: queue"),),
)
ISSUED = Case(
    "a Secret of two makers: a file, and the Certificate",
    {
        "clusters/x/all.yaml": unit("by") + unit("app", "by"),
        "by/all.yaml": namespace("cert-manager", "privileged") + release("cert-manager", "cert-manager", "v1.19.1", JETSTACK, "{crds: {enabled: true}}"),
        "app/all.yaml": namespace("web")
        + thing("cert-manager.io/v1", "ClusterIssuer", "own", body="spec: {selfSigned: {}}\n")
        + thing("cert-manager.io/v1", "Certificate", "web", "web", "spec:\n  secretName: web-tls\n  dnsNames: [web.example]\n  issuerRef: {kind: ClusterIssuer, name: own}\n")
        + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: web-tls, namespace: web, labels: {app: web}}\n",
    },
    (Told("app/all.yaml", "web"),),
)  # fmt: skip

CASES = [
    BY_ITSELF,
    BY_ITSELF.but("of two names", ("app/web.yaml", "name: queue", "name: queues")),
    ISSUED,
    ISSUED.but("empty, for CloudNativePG to look at", ("app/all.yaml", "{app: web}", "{cnpg.io/reload: ''}")),
    SOURCE,
    SOURCE.but("named", ("clusters/x/all.yaml", "name: flux-system}", "name: flux-system, namespace: flux-system}")),
    TWICE,
    TWICE.but("of another name", ("base/all.yaml", "name: queue", "name: queues")),
    EMPTY,
    EMPTY.but("with an empty list", ("app/queue/kustomization.yaml", "resources:\n  # - broker.yaml\n", "resources: []\n")),
    EMPTY.but("with a namespace", ("app/queue/kustomization.yaml", "resources:\n", "namespace: home\nresources:\n")),
    EMPTY.but("that nobody lists", ("app/kustomization.yaml", "[web, queue]", "[web]")),
    TEXT,
    TEXT.but("escaped", ("app/all.yaml", "${__value", "$${__value")),
    TEXT.but("nothing is substituted", ("clusters/x/all.yaml", "  postBuild: {substitute: {DOMAIN: castle.example}}\n", "")),
    HIDDEN,
    HIDDEN.but("in its own", ("app/all.yaml", "name: web, namespace: flux-system}\n", "name: web}\n")),
]  # fmt: skip
