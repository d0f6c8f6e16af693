"""Names that nothing can have, names of variables among them; what is meant by a name that nothing has."""

from corpus.case import ESO, STRANGE, Case, Told, namespace, pods, release, thing, unit

ROOT = {"clusters/x/all.yaml": unit("app")}
BACKSLASH = Case(
    "a name that nothing can have: a backslash at its end",
    {
        "clusters/x/all.yaml": unit("wiki").replace("name: wiki,", "name: wiki\\,") + unit("app"),
        "wiki/all.yaml": namespace("wiki") + thing("v1", "ConfigMap", "wiki\\", "wiki", "data: {a: b}\n"),
        "app/all.yaml": namespace("app"),
    },
    (Told("clusters/x/all.yaml", "name: wiki\\"),),
)
PLACEHOLDER = Case(
    "a name that nothing can have: a placeholder as namespace",
    ROOT
    | {"app/all.yaml": namespace("wiki") + thing("v1", "ConfigMap", "settings", "'<namespace>'", "data: {a: b}\n")},
    (Told("app/all.yaml", "<namespace>"),),
)
LABEL = Case(
    "a name that nothing can have: a label with a blank",
    ROOT
    | {
        "app/all.yaml": namespace("wiki")
        + "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: wiki\n  labels:\n    team: home lab\ndata:\n  a: b\n"
    },
    (Told("app/all.yaml", "home lab"),),
)
DATA = Case(
    "a name that nothing can have: a key with a slash",
    ROOT
    | {"app/all.yaml": namespace("wiki") + thing("v1", "ConfigMap", "settings", "wiki", "data:\n  conf/app.ini: b\n")},
    (Told("app/all.yaml", "conf/app.ini"),),
)
INLINE = Case(
    "a name that no variable has: a colon at its end",
    {
        "clusters/x/all.yaml": unit("app", "", "postBuild:", "  substitute:", "    CLAIM:: wiki"),
        "app/all.yaml": namespace("wiki"),
    },
    (Told("clusters/x/all.yaml", "CLAIM::"),),
)
FROM = Case(
    "a name that no variable has: a key of the settings",
    {
        "clusters/x/all.yaml": unit("app", "", "postBuild:", "  substituteFrom: [{kind: ConfigMap, name: settings}]")
        + thing(
            "v1", "ConfigMap", "settings", "flux-system", "data:\n  DOMAIN: castle.example\n  time-zone: Europe/Rome\n"
        ),
        "app/all.yaml": namespace("wiki"),
    },
    (Told("clusters/x/all.yaml", "time-zone"),),
)
EXCHANGED = Case(
    "a Secret that nothing makes: name and key are exchanged, in a chart's values",
    ROOT
    | {
        "app/all.yaml": namespace("wiki")
        + release("wiki", "wiki", "1.0.0", STRANGE, "{auth: {apiKeySecretRef: {key: wiki-login, name: API_KEY}}}")
        + thing("v1", "Secret", "wiki-login", "wiki", "stringData: {API_KEY: x}\n")
    },
    (Told("app/all.yaml", "API_KEY"),),
)


def given(name: str) -> str:
    return thing(
        "external-secrets.io/v1", "ExternalSecret", f"{name}-backup", "home",
        f"spec: {{secretStoreRef: {{kind: ClusterSecretStore, name: vault}}, target: {{name: {name}-backup}}, data: [{{secretKey: key, remoteRef: {{key: {name}, property: key}}}}]}}\n",
    )  # fmt: skip


STORE = thing(
    "external-secrets.io/v1", "ClusterSecretStore", "vault", "",
    "spec: {provider: {vault: {server: 'https://vault.castle.example', path: secret, auth: {tokenSecretRef: {name: token, namespace: external-secrets, key: token}}}}}\n",
) + thing("v1", "Secret", "token", "external-secrets", "stringData: {token: x}\n")  # fmt: skip
KEPT = {
    "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("app", "stores"),
    "eso/all.yaml": namespace("external-secrets") + release("external-secrets", "external-secrets", "0.20.4", ESO),
    "stores/all.yaml": STORE,
}
OTHERS = Case(
    "a Secret that nothing makes: made for all others like it",
    KEPT
    | {
        "app/all.yaml": namespace("home") + "".join(map(given, ("blog", "mail", "wiki", "shop"))),
        "app/more.yaml": pods("Deployment", "forum", "home", "envFrom: [{secretRef: {name: forum-backup}}]"),
    },
    (Told("app/more.yaml", "forum-backup"),),
)
KEYED = Case(
    "a Secret that nothing makes: what is read of it is in another one beside it",
    KEPT
    | {
        "app/all.yaml": namespace("home")
        + thing(
            "external-secrets.io/v1", "ExternalSecret", "paper", "home",
            "spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, target: {name: paper}, data: [{secretKey: PAPER_LOGIN_PROVIDERS, remoteRef: {key: paper, property: key}}]}\n",
        ),
        "app/more.yaml": pods("Deployment", "papers", "home", "envFrom: [{secretRef: {name: paper}}], env: [{name: A, valueFrom: {secretKeyRef: {name: login-providers, key: PAPER_LOGIN_PROVIDERS}}}]"),
    },
    (Told("app/more.yaml", "login-providers"),),
)  # fmt: skip
PRODUCT = Case(
    "a Secret that nothing makes: no other of an operator's product is meant",
    KEPT
    | {
        "app/all.yaml": namespace("rook-ceph")
        + release("rook-ceph", "rook-ceph", "v1.18.0", "https://charts.rook.io/release")
        + release("rook-ceph-cluster", "rook-ceph", "v1.18.0", "https://charts.rook.io/release").replace("spec:\n  interval: 30m", "spec:\n  dependsOn: [{name: rook-ceph}]\n  interval: 30m"),
        "app/more.yaml": thing(
            "external-secrets.io/v1", "PushSecret", "dashboard", "rook-ceph",
            "spec: {secretStoreRefs: [{kind: ClusterSecretStore, name: vault}], selector: {secret: {name: rook-ceph-dashboard-password}}, data: [{match: {secretKey: password, remoteRef: {remoteKey: ceph}}}]}\n",
        ),
    },
    (Told("app/more.yaml", "rook-ceph-dashboard-password", by_luck=True),),
)  # fmt: skip
STORES = Case(
    "a store that nothing makes: nearly all read from another one",
    KEPT
    | {
        "clusters/x/all.yaml": KEPT["clusters/x/all.yaml"] + unit("lost", path="nowhere", wait=False),
        "app/all.yaml": namespace("home") + "".join(map(given, ("blog", "mail", "wiki", "shop"))),
        "app/more.yaml": given("forum").replace("name: vault", "name: strongbox"),
    },
    (Told("app/more.yaml", "strongbox"), Told("clusters/x/all.yaml", "nowhere")),
)
ELSEWHERE = Case(
    "these need each other: the namespace of Flux, of another name",
    {
        "clusters/x/all.yaml": "".join(
            text.replace("namespace: flux-system", "namespace: gitops").replace("name: flux-system}", "name: castle}")
            for text in (unit("repos"), unit("apps", "repos"))
        ),
        "repos/all.yaml": thing("source.toolkit.fluxcd.io/v1", "HelmRepository", "charts", "gitops", f"spec: {{interval: 1h, url: '{STRANGE}'}}\n"),
        "apps/all.yaml": namespace("gitops") + namespace("wiki"),
    },
    (Told("clusters/x/all.yaml", by_luck=True),),
)  # fmt: skip
TWICE = Case(
    "a key that is there twice: what follows of it is told with it",
    {
        "clusters/x/all.yaml": unit("app", "", "targetNamespace: wiki"),
        "app/kustomization.yaml": "resources: [namespace.yaml, release.yaml, source.yaml]\n",
        "app/namespace.yaml": namespace("wiki"),
        "app/source.yaml": thing("source.toolkit.fluxcd.io/v1", "OCIRepository", "wiki", "", "spec: {interval: 1h, url: 'oci://charts.strange.example/wiki', ref: {tag: 1.0.0}}\n"),
        "app/release.yaml": thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", "wiki", "", "spec:\n  interval: 1h\n  chartRef: {kind: OCIRepository, name: wiki}\n  install: {remediation: {retries: -1}}\n  upgrade: {remediation: {retries: -1}}\n  values:\n    a: 1\n    a: 2\n"),
    },
    (Told("app/release.yaml", "a: 2"),),
)  # fmt: skip

CASES = [
    TWICE,
    TWICE.but("once", ("app/release.yaml", "    a: 2\n", "    b: 2\n")),
    ELSEWHERE,
    ELSEWHERE.but("one that only they make", ("repos/all.yaml", "namespace: gitops", "namespace: wiki"), told=[Told("clusters/x/all.yaml"), Told("clusters/x/all.yaml", by_luck=True)]),
    BACKSLASH,
    BACKSLASH.but("none", ("clusters/x/all.yaml", "wiki\\", "wiki"), ("wiki/all.yaml", "wiki\\", "wiki")),
    PLACEHOLDER,
    PLACEHOLDER.but("the kustomization gives it another", more={"app/kustomization.yaml": "namespace: wiki\nresources: [all.yaml]\n"}),
    LABEL,
    LABEL.but("an annotation", ("app/all.yaml", "labels:", "annotations:")),
    LABEL.but("a role with a colon in its name", ("app/all.yaml", "home lab", "home"), more={
        "app/role.yaml": thing("rbac.authorization.k8s.io/v1", "ClusterRole", "'castle:Reader'", body="rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n")}),
    DATA,
    DATA.but("a dot", ("app/all.yaml", "conf/app.ini", "conf.app.ini")),
    INLINE,
    INLINE.but("none", ("clusters/x/all.yaml", "CLAIM::", "CLAIM:")),
    FROM,
    FROM.but("an underscore", ("clusters/x/all.yaml", "time-zone", "TIME_ZONE")),
    FROM.but("of other settings", ("clusters/x/all.yaml", "time-zone", "TIME_ZONE"), more={
        "app/more.yaml": thing("v1", "ConfigMap", "others", "wiki", "data: {time-zone: Europe/Rome}\n")}),
    EXCHANGED,
    EXCHANGED.but("the right way round", ("app/all.yaml", "{key: wiki-login, name: API_KEY}", "{key: API_KEY, name: wiki-login}")),
    EXCHANGED.but("switched off", ("app/all.yaml", "{auth: {", "{auth: {enabled: false, ")),
    EXCHANGED.but("what a chart may make", ("app/all.yaml", "name: API_KEY", "name: token")),
    OTHERS,
    OTHERS.but("made for it, too", more={"app/forum.yaml": given("forum")}),
    OTHERS.but("made for few: by hand, perhaps", ("app/all.yaml", given("shop"), ""), told=[Told("app/more.yaml", "forum-backup", by_luck=True)]),
    KEYED,
    KEYED.but("no key of its own", *((file, "PAPER_LOGIN_PROVIDERS", "password") for file in ("app/all.yaml", "app/more.yaml")), told=[Told("app/more.yaml", "login-providers", by_luck=True)]),
    PRODUCT,
    PRODUCT.but("of another name", ("app/more.yaml", "rook-ceph-dashboard-password", "keys-of-nobody"), told=[Told("app/more.yaml", "keys-of-nobody", by_luck=True)]),
    STORES,
    STORES.but("the one that all read from", ("app/more.yaml", "strongbox", "vault"), told=STORES.told[1:]),
]  # fmt: skip
