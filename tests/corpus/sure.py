"""What was told as a warning and is certain, or as an error and is not."""

from corpus.case import ESO, STRANGE, Case, Told, crd, namespace, pods, release, thing, unit
from corpus.strangers import ROUTES, STORE, TWO, routed, secret

KEYED = "decryption: {provider: sops, secretRef: {name: sops-age}}"
FROM = "postBuild: {substituteFrom: [{kind: Secret, name: given}]}"
SPACES = ("flux-system", "a", "b", "c", "d")

UNREAD = STORE.but(
    "beside a chart that nobody knows",
    ("app/all.yaml", "---", release("strange", "blog", "1.0.0", STRANGE) + namespace("blog") + "---"),
    told=STORE.told,
)
OWN = Case(
    "a namespace that nothing makes: a release in it is to make it",
    {
        "clusters/x/all.yaml": unit("operator"),
        "operator/all.yaml": release("external-secrets", "secrets", "0.20.1", ESO).replace("install: {", "install: {createNamespace: true, "),
    },
    (Told("operator/all.yaml", "secrets"),),
)  # fmt: skip
FILLED = Case(
    "a variable that nothing fills: the Secret is in many another namespace",
    {
        "clusters/x/all.yaml": unit("app") + unit("more", "app", FROM).replace("flux-system}\nspec", "wiki}\nspec")
        .replace("dependsOn: [{name: app}]", "dependsOn: [{name: app, namespace: flux-system}]")
        .replace("name: flux-system}\n  dep", "name: flux-system, namespace: flux-system}\n  dep"),
        "app/all.yaml": "".join(namespace(name) for name in ("wiki", *SPACES[1:]))
        + "".join(thing("v1", "Secret", "given", name, "stringData: {DOMAIN: castle.example}\n") for name in SPACES),
        "more/all.yaml": pods("Deployment", "wiki", "wiki"),
    },
    (Told("clusters/x/all.yaml", "given"),),
)  # fmt: skip
STRAY = Case(
    "a source that nothing makes: nearly all others come from Flux's own",
    {
        "clusters/x/all.yaml": "".join(unit(name) for name in ("a", "b", "c", "d", "e"))
        + unit("wiki").replace("GitRepository, name: flux-system", "GitRepository, name: home"),
        **{f"{name}/all.yaml": namespace(name) + release(name, name, "1.0.0", STRANGE) for name in "abcde"},
        "wiki/all.yaml": namespace("wiki"),
    },
    (Told("clusters/x/all.yaml", "name: home"),),
)
KIND = Case(
    "a source that nothing makes: of another kind, which is the line to edit",
    {
        "clusters/x/all.yaml": "".join(unit(name) for name in "abcd")
        + unit("wiki").replace(
            "sourceRef: {kind: GitRepository, name: flux-system}",
            "sourceRef:\n    kind: OCIRepository\n    name: flux-system",
        ),
        **{f"{name}/all.yaml": namespace(name) for name in "abcd"},
        "wiki/all.yaml": namespace("wiki"),
    },
    (Told("clusters/x/all.yaml", "kind: OCIRepository"),),
)
UNLISTED = Case(
    "a source that nothing makes: a file that no kustomization lists would",
    {
        "clusters/x/all.yaml": "".join(unit(name) for name in "abcde"),
        **{f"{name}/all.yaml": namespace(name) + release(name, name, "1.0.0", STRANGE) for name in "abcd"},
        "e/kustomization.yaml": "resources: [all.yaml]\n",
        "e/all.yaml": namespace("e") + release("e", "e", "1.0.0", STRANGE).partition("---\n")[2].partition("---")[2].join(("---", "")),
        "e/source.yaml": "---" + release("e", "e", "1.0.0", STRANGE).split("---")[1],
    },
    (Told("e/kustomization.yaml", "resources"),),
)  # fmt: skip
GRAVEST = Case(
    "a variable that nothing fills: in a text, and in a host below it",
    {
        "clusters/x/all.yaml": unit("app") + unit("more", "app", "postBuild: {substitute: {APP: wiki}}"),
        "app/crds.yaml": ROUTES,
        "more/all.yaml": routed("{about: 'https://${DOMAIN}',\n    route: {main: {hostnames: ['wiki.${DOMAIN}']}}}"),
    },
    (Told("more/all.yaml", "route:"),),
)
OPENSHIFT = Case(
    "a namespace that nothing makes: OpenShift does",
    TWO
    | {
        "app/all.yaml": crd("operator.openshift.io", "IngressController", "ingresscontrollers")
        + "".join(namespace(name) for name in "abcdefgh"),
        "more/all.yaml": thing("operator.openshift.io/v1", "IngressController", "default", "openshift-ingress-operator")
        + thing("v1", "Secret", "password", "openshift-config", "stringData: {a: b}\n"),
    },
)
ITSELF = Case(
    "what is there before Flux: the key that an encrypted file holds for its own kind",
    {
        "clusters/x/kustomization.yaml": "resources: [all.yaml, key.sops.yaml]\n",
        "clusters/x/all.yaml": unit("x", "", KEYED, path="clusters/x") + unit("app"),
        "clusters/x/key.sops.yaml": secret("sops-age", "flux-system"),
        "app/all.yaml": namespace("wiki"),
    },
)
GUIDE = "# Bootstrap\n\n1. Apply it:\n   `kubectl apply -k clusters/<cluster>/config`\n2. `kubectl apply -f clusters/<cluster>/settings.yaml`\n"
PLACED = Case(
    "what is there before Flux: a document that has any cluster's name for a folder",
    {
        "README.md": GUIDE,
        "clusters/x/kustomization.yaml": "resources: [all.yaml, settings.yaml]\n",
        "clusters/x/settings.yaml": thing("v1", "ConfigMap", "settings", "flux-system", "data: {NAME: wiki}\n"),
        "clusters/x/all.yaml": unit("x", "", "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}", path="clusters/x"),
    },
)  # fmt: skip
SEALED = secret("wiki", "wiki")
ARGUED = Case(
    "an encrypted Secret: no key is named, and what gives Flux its arguments is not read",
    {
        "clusters/x/all.yaml": unit("flux") + unit("app", "", "decryption: {provider: sops}"),
        "flux/all.yaml": release("flux-instance", "flux-system", "0.30.0", "https://charts.strange.example").replace(
            "  interval: 30m\n", "  interval: 30m\n  valuesFrom: [{kind: ConfigMap, name: unread, optional: true}]\n"
        ),
        "app/all.yaml": namespace("wiki") + SEALED,
    },
    (Told("clusters/x/all.yaml", "decryption", by_luck=True),),
)

REPOSITORIES = "".join(
    thing("source.toolkit.fluxcd.io/v1", "HelmRepository", name, "flux-system", "spec: {interval: 1h, url: 'https://charts.strange.example'}\n") + "---"
    for name in ("one", "two")
).split("------\n")  # fmt: skip


def released(name: str) -> str:
    found = release(name, name, "1.0.0", STRANGE).replace(
        f"name: {name}}}\n", f"name: {name}, namespace: flux-system}}\n"
    )
    return namespace(name) + "---" + found.split("---")[2]


NOTHING = Case(
    "a kustomization that lists nothing: all sources lie below it",
    {
        "clusters/x/all.yaml": unit("meta") + unit("app", "meta"),
        "meta/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: flux-system\n",
        "meta/repos/kustomization.yaml": "resources: [one.yaml, two.yaml]\n",
        "meta/repos/one.yaml": REPOSITORIES[0],
        "meta/repos/two.yaml": REPOSITORIES[1],
        "app/all.yaml": released("one") + released("two"),
    },
    (Told("meta/kustomization.yaml"),),
)
RENAMED = Case(
    "an object that is there twice: a Namespace that kustomize calls like another",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "resources: [all.yaml]\ncomponents: [../part]\nnamespace: wiki\n",
        "app/all.yaml": namespace("wiki"),
        "part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [part.yaml]\n",
        "part/part.yaml": namespace("not-used"),
    },
    (Told("app/kustomization.yaml", "namespace: wiki"),),
)
MANIFESTS = thing(
    "source.toolkit.fluxcd.io/v1", "OCIRepository", "flux-manifests", "flux-system",
    "spec: {interval: 1h, url: 'oci://ghcr.io/fluxcd/flux-manifests', ref: {tag: v2.7.5}}\n",
) + unit("flux", path=".").replace("GitRepository, name: flux-system", "OCIRepository, name: flux-manifests") + thing(
    "source.toolkit.fluxcd.io/v1", "GitRepository", "flux-system", "flux-system",
    "spec: {interval: 1h, url: 'https://github.com/somebody/castle', ref: {branch: main}}\n",
)  # fmt: skip

SELF = Case(
    "a list that is not the entry's: the kustomization itself",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- all.yaml\n- kustomization.yaml\n",
        "app/all.yaml": namespace("wiki"),
    },
    (Told("app/kustomization.yaml", "- kustomization.yaml"),),
)
CEPH = Case(
    "a ConfigMap that nothing makes: Rook does, for a cluster",
    {
        "clusters/x/all.yaml": unit("operator") + unit("app", "operator") + unit("more", "app"),
        "operator/all.yaml": namespace("rook-ceph") + release("rook-ceph", "rook-ceph", "v1.18.0", "https://charts.rook.io/release"),
        "app/all.yaml": namespace("a")
        + thing("ceph.rook.io/v1", "CephCluster", "rook-ceph", "rook-ceph", "spec: {dataDirHostPath: /var/lib/rook, mon: {count: 3}}\n")
        + "".join(thing("v1", "ConfigMap", f"c{number}", "rook-ceph", "data: {a: b}\n") for number in range(5)),
        "more/all.yaml": pods("Deployment", "mount", "rook-ceph", "envFrom: [{configMapRef: {name: rook-ceph-mon-endpoints}}]"),
    },
)  # fmt: skip
BEFORE = Case(
    "a Secret of an operator: the password of the database before",
    TWO | {
        "app/crds.yaml": crd("postgresql.cnpg.io", "Cluster", "clusters"),
        "more/all.yaml": namespace("wiki")
        + thing("v1", "Secret", "password", "wiki", "stringData: {password: wiki}\n")
        + thing(
            "postgresql.cnpg.io/v1", "Cluster", "db", "wiki",
            "spec: {instances: 1, storage: {size: 1Gi}, bootstrap: {initdb: {import: {type: monolith, databases: [wiki], source: {externalCluster: old}}}},\n"
            "  externalClusters: [{name: old, connectionParameters: {host: old.example}, password: {name: old, key: password}}]}\n",
        ),
    },
    (Told("more/all.yaml", "old", by_luck=True),),
)  # fmt: skip

CASES = [
    SELF,
    SELF.but("all others", ("app/kustomization.yaml", "- kustomization.yaml\n", "")),
    CEPH,
    CEPH.but("another name", ("more/all.yaml", "rook-ceph-mon-endpoints", "rook-mon-endpoints"), told=(Told("more/all.yaml", "rook-mon-endpoints"),)),
    BEFORE,
    BEFORE.but("it is there", ("more/all.yaml", "password: {name: old", "password: {name: password")),
    NOTHING,
    NOTHING.but("it lists them", ("meta/kustomization.yaml", "namespace:", "resources: [repos]\nnamespace:")),
    RENAMED,
    RENAMED.but("it has none of its own", ("app/all.yaml", namespace("wiki"), namespace("wiki").replace("Namespace", "ConfigMap"))),
    STRAY.but(
        "beside Flux's own manifests, which hold no sources",
        ("clusters/x/all.yaml", "---", MANIFESTS + "---"),
        told=STRAY.told,
    ),
    UNREAD,
    UNREAD.but("a chart that is given one of that name", ("app/all.yaml", "  chart:\n", "  values: {extra: [{kind: ClusterSecretStore, name: unheard}]}\n  chart:\n")),
    OWN,
    OWN.but("another file beside it makes it", more={"operator/namespace.yaml": namespace("secrets")}),
    OWN.but("it is not to make it", ("operator/all.yaml", "createNamespace: true, ", ""), told=(Told("operator/all.yaml", "secrets", by_luck=True),)),
    FILLED,
    FILLED.but("it is there, too", more={"app/given.yaml": thing("v1", "Secret", "given", "wiki", "stringData: {DOMAIN: castle.example}\n")}),
    FILLED.but(
        "it is in one",
        *(("app/all.yaml", f"{{name: given, namespace: {name}}}", f"{{name: other, namespace: {name}}}") for name in SPACES[1:]),
        told=(Told("clusters/x/all.yaml", "given", by_luck=True),),
    ),
    STRAY,
    STRAY.but("few come from Flux's own", *(("clusters/x/all.yaml", "GitRepository, name: flux-system", "GitRepository, name: home"),) * 3, told=(Told("clusters/x/all.yaml", "name: home", by_luck=True),)),
    KIND,
    KIND.but("the right one", ("clusters/x/all.yaml", "OCIRepository", "GitRepository")),
    UNLISTED,
    UNLISTED.but("it is listed", ("e/kustomization.yaml", "all.yaml", "all.yaml, source.yaml")),
    GRAVEST,
    GRAVEST.but("a text alone", ("more/all.yaml", "wiki.${DOMAIN}", "wiki.castle.example"), told=(Told("more/all.yaml", "about:", by_luck=True),)),
    OPENSHIFT,
    OPENSHIFT.but("another prefix", ("more/all.yaml", "openshift-config", "shift-config"), told=(Told("more/all.yaml", "shift-config"),)),
    OPENSHIFT.but(
        "on another Kubernetes",
        ("app/all.yaml", "openshift.io", "castle.example"),
        ("app/all.yaml", "openshift.io", "castle.example"),
        ("more/all.yaml", "openshift.io", "castle.example"),
        told=(Told("more/all.yaml", "openshift-ingress-operator"), Told("more/all.yaml", "openshift-config")),
    ),
    ITSELF,
    ITSELF.but(
        "a key in plain text, of what it is in",
        more={"clusters/x/key.sops.yaml": thing("v1", "Secret", "sops-age", "flux-system", "stringData: {age.agekey: x}\n")},
        told=(Told("clusters/x/all.yaml", "sops-age"),),
    ),
    PLACED,
    PLACED.but("a document that names another file", ("README.md", "/settings.yaml", "/other.yaml"), told=(Told("clusters/x/all.yaml", "settings"),)),
    ARGUED,
    ARGUED.but("all is read", ("clusters/x/all.yaml", unit("flux"), ""), more={"flux/all.yaml": ""}, told=(Told("clusters/x/all.yaml", "decryption"),)),
]  # fmt: skip
