"""What is said of a folder that kustomize rejects: that, and what would be so without it."""

from corpus.case import Case, Told, namespace, pods, thing, unit

ROOT = {"clusters/x/all.yaml": unit("app")}
DOMAINED = thing(
    "networking.k8s.io/v1", "Ingress", "wiki", "wiki",
    "spec: {rules: [{host: 'wiki.${DOMAIN}', http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: wiki, port: {number: 80}}}}]}}]}\n",
) + thing("v1", "Service", "wiki", "wiki", "spec: {selector: {app: wiki}, ports: [{port: 80}]}\n") + pods("Deployment", "wiki", "wiki")  # fmt: skip
FILLED = (
    "patches:", "- target: {group: kustomize.toolkit.fluxcd.io, kind: Kustomization}", "  patch: |-",
    "    apiVersion: kustomize.toolkit.fluxcd.io/v1", "    kind: Kustomization", "    metadata: {name: any}",
    "    spec: {postBuild: {substitute: {DOMAIN: castle.example}}}",
)  # fmt: skip
REJECTED = Case(
    "a build that fails: what is patched into the Kustomizations beside it",
    {
        "clusters/x/all.yaml": unit("apps", "", *FILLED, wait=False),
        "apps/kustomization.yaml": "resources:\n- wiki\n- blog.yaml\n- again.yaml\n",
        "apps/wiki/kustomization.yaml": "resources: [ks.yaml]\n",
        "apps/wiki/ks.yaml": unit("wiki"),
        "apps/blog.yaml": namespace("blog"),
        "apps/again.yaml": namespace("blog"),
        "wiki/all.yaml": namespace("wiki") + DOMAINED,
    },
    (Told("apps/kustomization.yaml", "again.yaml"),),
)
UNPATCHED = Case(
    "a build that fails: the patch of a Kustomization itself",
    {
        "clusters/x/all.yaml": unit("apps", wait=False),
        "apps/kustomization.yaml": (
            "resources:\n- wiki.yaml\n- blog.yaml\npatches:\n- target: {kind: Kustomization, name: wiki}\n  patch: |-\n"
            "    - op: add\n      path: /spec/postBuild/substitute/DOMAIN\n      value: castle.example\n"
        ),
        "apps/wiki.yaml": unit("wiki"),
        "apps/blog.yaml": unit("blog", "wiki"),
        "wiki/all.yaml": namespace("wiki") + DOMAINED,
        "blog/all.yaml": namespace("blog") + pods("Deployment", "blog", "blog"),
    },
    (Told("apps/kustomization.yaml", "patch:"),),
)
GENERATED = Case(
    "a build that fails: what a generator would make",
    ROOT | {
        "app/kustomization.yaml": "resources: [all.yaml]\nconfigMapGenerator:\n- {name: wiki-config, namespace: wiki, literals: [a=b]}\n- {name: wiki-config, namespace: wiki, literals: [c=d]}\n",
        "app/all.yaml": namespace("wiki") + namespace("a") + namespace("b")
        + "".join(thing("v1", "ConfigMap", f"c{number}", "wiki", "data: {a: b}\n") for number in range(5))
        + pods("Deployment", "wiki", "wiki", "envFrom: [{configMapRef: {name: wiki-config}}]"),
    },
    (Told("app/kustomization.yaml"),),
)  # fmt: skip

CASES = [
    REJECTED,
    REJECTED.but(
        "what nothing fills, in what can be built",
        ("clusters/x/all.yaml", "DOMAIN: castle", "OTHER: castle"),
        told=(Told("apps/kustomization.yaml", "again.yaml"), Told("wiki/all.yaml", "DOMAIN")),
    ),
    REJECTED.but("two of different names", ("apps/again.yaml", "name: blog", "name: news")),
    UNPATCHED,
    UNPATCHED.but(
        "another fault, in what the patch is not for",
        ("blog/all.yaml", namespace("blog"), ""),
        told=(Told("apps/kustomization.yaml", "patch:"), Told("blog/all.yaml", "blog", by_luck=True)),
    ),
    UNPATCHED.but(
        "one that applies", ("apps/wiki.yaml", "  path: ./wiki", "  postBuild: {substitute: {A: b}}\n  path: ./wiki")
    ),
    GENERATED,
    GENERATED.but(
        "what no generator names",
        ("app/all.yaml", "name: wiki-config", "name: wikki"),
        told=(Told("app/kustomization.yaml"), Told("app/all.yaml", "wikki")),
    ),
    GENERATED.but(
        "a generator that can be built",
        ("app/kustomization.yaml", "\n- {name: wiki-config, namespace: wiki, literals: [c=d]}", ""),
    ),
]
