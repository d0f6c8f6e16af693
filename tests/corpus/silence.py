"""What an unknown, or another finding, must not hide; and what it may."""

from corpus.case import ESO, JETSTACK, STRANGE, Case, Told, namespace, release, thing, unit

TOKEN = thing(
    "external-secrets.io/v1", "ExternalSecret", "dns-token", "cert-manager",
    "spec:\n  secretStoreRef: {kind: ClusterSecretStore, name: central}\n  target: {name: dns-token}\n"
    "  data:\n  - {secretKey: token, remoteRef: {key: castle/dns, property: token}}\n",
)  # fmt: skip
CERT_MANAGER = namespace("cert-manager") + release(
    "cert-manager", "cert-manager", "v1.19.1", JETSTACK, "{crds: {enabled: true}}"
)
STORE = thing(
    "external-secrets.io/v1", "ClusterSecretStore", "central", body=(
        "spec:\n  provider:\n    vault:\n      server: https://vault.castle.example:8200\n      path: secret\n      version: v2\n"
        "      auth: {kubernetes: {mountPath: kubernetes, role: eso}}\n"
    )
)  # fmt: skip
OPERATOR = namespace("external-secrets") + release(
    "external-secrets", "external-secrets", "0.20.4", ESO, "{installCRDs: true}"
)
CERTIFICATE = thing(
    "cert-manager.io/v1", "ClusterIssuer", "own", body="spec: {selfSigned: {}}\n"
)  # fmt: skip

NOBODY = Case(
    "a kind that nothing brings: beside a chart that is known",
    {
        "clusters/x/all.yaml": unit("cert-manager") + unit("next", "cert-manager"),
        "cert-manager/token.yaml": TOKEN,
        "cert-manager/release.yaml": CERT_MANAGER,
        "next/all.yaml": namespace("next"),
    },
    (Told("cert-manager/token.yaml"),),
)
HEALTH = Case(
    "a health check of what is not there: without a namespace, beside a chart that is not known",
    {
        "clusters/x/all.yaml": unit(
            "app",
            "",
            "healthChecks: [{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: app}]",
            wait=False,
        ),
        "app/all.yaml": namespace("home") + release("app", "home", "1.0.0", STRANGE),
    },
    (Told("clusters/x/all.yaml", "healthChecks"),),
)
STORES = Case(
    "a store that nothing makes: beside a chart that is not known",
    {
        "clusters/x/all.yaml": unit("eso") + unit("other") + unit("stores", "eso") + unit("app", "stores"),
        "eso/all.yaml": OPERATOR,
        "other/all.yaml": namespace("other") + release("other", "other", "1.0.0", STRANGE),
        "stores/all.yaml": STORE,
        "app/all.yaml": namespace("cert-manager") + TOKEN.replace("name: central", "name: centrla"),
    },
    (Told("app/all.yaml", "name: centrla", by_luck=True),),
)
MASK = Case(
    "two faults: a HelmRepository that is not there, and a kind before its CRD elsewhere",
    {
        "clusters/x/all.yaml": unit("web") + unit("certificates"),
        "web/all.yaml": namespace("web")
        + release("web", "web", "1.0.0", STRANGE).replace(
            "kind: HelmRepository, name: web}", "kind: HelmRepository, name: webs}"
        ),
        "certificates/all.yaml": CERT_MANAGER + CERTIFICATE,
    },
    (Told("web/all.yaml", "name: webs", by_luck=True), Told("certificates/all.yaml")),
)
LITERAL = Case(
    "a variable that stays as it is: a host name, where the Kustomization has no postBuild",
    {
        "clusters/x/all.yaml": namespace("home")
        + thing("v1", "ConfigMap", "cluster-settings", "flux-system", "data: {DOMAIN: castle.example}\n")
        + unit("app"),
        "app/all.yaml": thing(
            "networking.k8s.io/v1", "Ingress", "web", "home",
            "spec:\n  rules:\n  - host: web.${DOMAIN}\n    http: {paths: [{path: /, pathType: Prefix, backend: "
            "{service: {name: web, port: {number: 80}}}}]}\n",
        )
        + thing("v1", "Service", "web", "home", "spec: {type: ExternalName, externalName: web.elsewhere.example, ports: [{port: 80}]}\n"),
    },
    (Told("app/all.yaml", "host: web.${DOMAIN}"),),
)  # fmt: skip
SUSPENDED = Case(
    "waits for what is suspended: a Kustomization",
    {
        "clusters/x/all.yaml": unit("monitoring", "", "suspend: true") + unit("dashboards", "monitoring"),
        "monitoring/all.yaml": namespace("monitoring"),
        "dashboards/all.yaml": namespace("dashboards"),
    },
    (Told("clusters/x/all.yaml", "dependsOn"),),
)
GENERATOR = Case(
    "an ArtifactGenerator: copies a folder of this repository",
    {
        "clusters/x/flux-system/gotk-sync.yaml": thing(
            "source.toolkit.fluxcd.io/v1", "GitRepository", "flux-system", "flux-system",
            "spec: {interval: 1m, url: 'https://git.example/x', ref: {branch: main}}\n",
        )
        + unit("flux-system", path="clusters/x", wait=False),
        "clusters/x/generator.yaml": thing(
            "source.extensions.fluxcd.io/v1beta1", "ArtifactGenerator", "apps", "flux-system",
            "spec:\n  sources: [{alias: repo, kind: GitRepository, name: flux-system}]\n"
            "  artifacts: [{name: apps, copy: [{from: '@repo/apps/**', to: '@artifact/'}]}]\n",
        ),
        "apps/all.yaml": namespace("apps"),
    },
)  # fmt: skip
REMOTE = Case(
    "a file that is not here: CRDs from the network hide no missing source",
    {
        "clusters/x/all.yaml": unit("crds") + unit("app", "crds"),
        "crds/kustomization.yaml": "resources:\n- https://github.com/example/operator/releases/download/v1.0.0/crds.yaml\n",
        "app/all.yaml": namespace("home")
        + release("app", "home", "1.0.0", STRANGE).replace(
            "kind: HelmRepository, name: app}", "kind: HelmRepository, name: apps}"
        ),
    },
    (Told("app/all.yaml", "name: apps", by_luck=True),),
)

ARCHIVED = Case(
    "a helmfile that nobody runs: in an archive",
    {
        "clusters/x/all.yaml": unit(
            "app",
            "",
            "healthChecks: [{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: spegel, namespace: kube-system}]",
            wait=False,
        ),
        "app/all.yaml": namespace("home"),
        "archive/helmfile.yaml": "repositories: [{name: spegel, url: 'https://charts.spegel.example'}]\n"
        "releases: [{name: spegel, namespace: kube-system, chart: spegel/spegel, version: 0.4.0}]\n",
    },
    (Told("clusters/x/all.yaml", "healthChecks"),),
)
ROOTS = Case(
    "two clusters, one that nobody bootstrapped: only the one with flux-system is sure",
    {
        "clusters/a/flux-system/gotk-sync.yaml": thing(
            "source.toolkit.fluxcd.io/v1",
            "GitRepository",
            "flux-system",
            "flux-system",
            "spec: {interval: 1m, url: 'https://git.example/x', ref: {branch: main}}\n",
        )
        + unit("flux-system", path="clusters/a", wait=False),
        "clusters/a/all.yaml": unit("app", "flux-system"),
        "clusters/b/all.yaml": unit("app", "flux-system"),
        "app/all.yaml": namespace("home"),
    },
)
NOT_LISTED = Case(
    "a store that no kustomization lists: needed by an ExternalSecret",
    {
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("app", "stores"),
        "eso/all.yaml": OPERATOR,
        "stores/kustomization.yaml": "resources: [settings.yaml]\n",
        "stores/settings.yaml": namespace("stores"),
        "stores/store.yaml": STORE,
        "app/all.yaml": namespace("cert-manager") + TOKEN,
    },
    (Told("stores/kustomization.yaml", "resources:"),),
)

CASES = [
    NOBODY,
    NOBODY.but(
        "beside a chart that is not known, and in no case comes before it",
        told=NOBODY.told,
        more={"next/all.yaml": namespace("next") + release("next", "next", "1.0.0", STRANGE)},
    ),
    NOBODY.but("the operator is here, and waited for", more={
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("cert-manager", "stores"),
        "eso/all.yaml": OPERATOR, "stores/all.yaml": STORE, "next/all.yaml": "",
    }),
    HEALTH,
    HEALTH.but("in another namespace", ("clusters/x/all.yaml", "name: app}]", "name: app, namespace: other}]"), told=HEALTH.told),
    HEALTH.but("in another namespace, beside an artifact that is not here", ("clusters/x/all.yaml", "name: app}]", "name: app, namespace: other}]"), told=HEALTH.told,
        more={"clusters/x/flux.yaml": thing(
            "source.toolkit.fluxcd.io/v1", "OCIRepository", "manifests", "flux-system", "spec: {interval: 1h, url: 'oci://ghcr.io/fluxcd/flux-manifests'}\n",
        ) + unit("flux", path="").replace("GitRepository, name: flux-system", "OCIRepository, name: manifests")}),
    HEALTH.but("in its namespace", ("clusters/x/all.yaml", "name: app}]", "name: app, namespace: home}]")),
    STORES,
    STORES.but("in no tree with unknown charts", told=STORES.told, more={
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("app", "stores"), "other/all.yaml": "",
    }),
    STORES.but("it is there", ("app/all.yaml", "centrla", "central")),
    MASK,
    MASK.but("only the first", told=MASK.told[:1], more={
        "clusters/x/all.yaml": unit("web") + unit("manager") + unit("certificates", "manager"),
        "manager/all.yaml": CERT_MANAGER, "certificates/all.yaml": CERTIFICATE,
    }),
    LITERAL,
    LITERAL.but("with postBuild", more={
        "clusters/x/all.yaml": LITERAL.files["clusters/x/all.yaml"]
        + "  postBuild: {substituteFrom: [{kind: ConfigMap, name: cluster-settings}]}\n",
    }),
    LITERAL.but("in a ConfigMap, of a name that the repository has settings for", told=[Told("app/all.yaml", "${DOMAIN}", by_luck=True)],
        more={"app/all.yaml": thing("v1", "ConfigMap", "web", "home", "data: {host: '${DOMAIN}'}\n")}),
    LITERAL.but("a shell script's own variable", more={
        "app/all.yaml": thing("v1", "ConfigMap", "script", "home", "data:\n  run.sh: |\n    echo ${HOME} ${1:-none}\n"),
    }),
    SUSPENDED,
    SUSPENDED.but("the one that waits is suspended", ("clusters/x/all.yaml", "  suspend: true\n", ""), (
        "clusters/x/all.yaml", "  dependsOn: [{name: monitoring}]\n", "  dependsOn: [{name: monitoring}]\n  suspend: true\n",
    )),
    GENERATOR,
    GENERATOR.but("without a place to copy to", ("clusters/x/generator.yaml", "[{from: '@repo/apps/**', to: '@artifact/'}]", "['@repo/apps/** @artifact/']"),
        told=[Told("clusters/x/generator.yaml", "copy")]),
    ARCHIVED,
    ARCHIVED.but("that the repository's own script runs", more={
        "bootstrap/helmfile.yaml": ARCHIVED.files["archive/helmfile.yaml"], "archive/helmfile.yaml": "",
        "Taskfile.yaml": "version: '3'\ntasks:\n  bootstrap:\n    cmds: [helmfile --file bootstrap/helmfile.yaml apply]\n",
    }, told=ARCHIVED.told),
    ROOTS,
    ROOTS.but("a name that neither has", ("clusters/a/all.yaml", "name: flux-system}]", "name: flux-sistem}]"), told=[Told("clusters/a/all.yaml", "flux-sistem")]),
    NOT_LISTED,
    NOT_LISTED.but("that is listed", ("stores/kustomization.yaml", "settings.yaml", "settings.yaml, store.yaml")),
    REMOTE,
    REMOTE.but("the source is there", ("app/all.yaml", "name: apps}", "name: app}")),
    REMOTE.but("its own kind, once the file is applied", more={
        "app/all.yaml": namespace("home") + thing("example.com/v1", "Widget", "one", "home", "spec: {}\n"),
    }),
]  # fmt: skip
