"""What was missed, or said where it was not to be edited, on repositories that no rule had been tried on (`unseen.toml`)."""

from corpus.case import ESO, STRANGE, Case, Told, crd, namespace, pods, release, thing, unit

ROOT = {"clusters/x/all.yaml": unit("app")}
TWO = {"clusters/x/all.yaml": unit("app") + unit("more", "app")}
BJW = "https://bjw-s-labs.github.io/helm-charts"
ROUTES = thing(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "httproutes.gateway.networking.k8s.io", body=(
        "spec:\n  group: gateway.networking.k8s.io\n  scope: Namespaced\n  names: {kind: HTTPRoute, plural: httproutes}\n  versions:\n"
        "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n"
    )
)  # fmt: skip
PART = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [part.yaml]\n"


def routed(values: str) -> str:
    return namespace("wiki") + release("app-template", "wiki", "4.0.0", BJW, values)


def patched(target: str, path: str, more: str = "") -> str:
    return (
        f"resources: [all.yaml]\npatches:\n- target: {{kind: {target}}}\n  patch: |-\n"
        f"    - op: add\n      path: {path}\n      value: x\n{more}"
    )


def secret(name: str, where: str) -> str:
    """A Secret as SOPS leaves it."""
    hidden = "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]"
    return thing(
        "v1",
        "Secret",
        name,
        where,
        f"stringData: {{a: '{hidden}'}}\nsops: {{age: [{{recipient: age1, enc: x}}], mac: '{hidden}'}}\n",
    )


def reads(name: str, where: str = "wiki") -> str:
    return pods("Deployment", "wiki", where, f"envFrom: [{{secretRef: {{name: {name}}}}}]")


COMPONENT = Case(
    "a list that is not the entry's: a Component below resources",
    ROOT | {
        "app/kustomization.yaml": "resources:\n- all.yaml\n- ../part\n",
        "app/all.yaml": namespace("wiki"),
        "part/kustomization.yaml": PART,
        "part/part.yaml": namespace("part"),
    },
    (Told("app/kustomization.yaml", "../part"),),
)  # fmt: skip
LISTED = Case(
    "a list that is not the entry's: a kustomization.yaml among objects",
    ROOT | {
        "app/kustomization.yaml": "resources:\n- models/kustomization.yaml\n",
        "app/models/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [all.yaml]\n",
        "app/models/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki"),
    },
    (Told("app/kustomization.yaml", "models/kustomization.yaml"),),
)  # fmt: skip
APPENDED = Case(
    "a JSON patch: appends to a list that is not there",
    ROOT | {
        "app/kustomization.yaml": patched("Namespace", "/metadata/finalizers/-"),
        "app/all.yaml": namespace("wiki"),
    },
    (Told("app/kustomization.yaml", "patch:"),),
)  # fmt: skip
SEALED = Case(
    "a file that no kustomization lists: an encrypted one, as others that are listed",
    {
        "clusters/x/all.yaml": unit("app", "", "decryption: {provider: sops, secretRef: {name: sops-age}}")
        + unit("more", "", "decryption: {provider: sops, secretRef: {name: sops-age}}"),
        "Makefile": "bootstrap:\n\tkubectl -n flux-system create secret generic sops-age --from-file=age.agekey\n",
        "app/kustomization.yaml": "resources:\n- all.yaml\n",
        "app/all.yaml": namespace("wiki") + reads("wiki"),
        "app/secret.sops.yaml": secret("wiki", "wiki"),
        "more/kustomization.yaml": "resources:\n- all.yaml\n- secret.sops.yaml\n",
        "more/all.yaml": namespace("blog"),
        "more/secret.sops.yaml": secret("blog", "blog"),
    },
    (Told("app/kustomization.yaml", "resources:"),),
)
HOST = Case(
    "a variable that nothing fills: the host of a route in a chart's values",
    TWO | {
        "app/crds.yaml": ROUTES,
        "more/all.yaml": routed("{route: {main: {hostnames: ['wiki.${DOMAIN}']}}}"),
    },
    (Told("more/all.yaml", "DOMAIN"),),
)  # fmt: skip
EMPTY = Case(
    "a variable that nothing fills: the host of a route in a chart's values, empty",
    {
        "clusters/x/all.yaml": unit("app") + unit("more", "app", "postBuild: {substitute: {APP: wiki}}"),
        "app/crds.yaml": ROUTES,
        "more/all.yaml": routed("{route: {main: {hostnames: ['wiki.${DOMAIN}']}}}"),
    },
    (Told("more/all.yaml", "DOMAIN"),),
)
ZONE = Case(
    "a variable that nothing fills: the zone of an issuer",
    TWO | {
        "app/crds.yaml": crd("cert-manager.io", "ClusterIssuer", "clusterissuers", "Cluster"),
        "more/all.yaml": thing(
            "cert-manager.io/v1", "ClusterIssuer", "acme", body=(
                "spec: {acme: {server: 'https://acme.castle.example', privateKeySecretRef: {name: acme}, "
                "solvers: [{http01: {ingress: {class: web}}, selector: {dnsZones: ['${DOMAIN}']}}]}}\n"
            )
        ),
    },
    (Told("more/all.yaml", "DOMAIN"),),
)  # fmt: skip
TARGET = Case(
    "a namespace that nothing makes: named by targetNamespace",
    {
        "clusters/x/all.yaml": unit("app", "", "targetNamespace: wikki"),
        "app/all.yaml": pods("Deployment", "wiki", ""),
    },
    (Told("clusters/x/all.yaml", "targetNamespace", by_luck=True),),
)
POLICY = Case(
    "an object without a namespace: of a custom kind",
    {
        "clusters/x/all.yaml": unit("operator") + unit("more", "operator"),
        "operator/all.yaml": namespace("monitoring")
        + release(
            "prometheus-operator-crds", "monitoring", "22.0.0", "https://prometheus-community.github.io/helm-charts"
        ),
        "more/all.yaml": thing(
            "monitoring.coreos.com/v1",
            "PodMonitor",
            "wiki",
            body="spec: {selector: {}, podMetricsEndpoints: [{port: web}]}\n",
        ),
    },
    (Told("more/all.yaml", "name: wiki"),),
)
CHECKED = Case(
    "a health check: without version and namespace",
    {
        "clusters/x/all.yaml": unit("app", "", "healthChecks:", "- kind: Deployment", "  name: wiki", wait=False),
        "app/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki"),
    },
    (Told("clusters/x/all.yaml", "kind: Deployment"),),
)
SOURCE = Case(
    "a source that nothing makes: another kind has its name",
    {
        "clusters/x/all.yaml": "".join(unit(name) for name in "abcd")
        + unit("wiki").replace("GitRepository", "OCIRepository"),
        **{f"{name}/all.yaml": namespace(name) for name in "abcd"},
        "wiki/all.yaml": namespace("wiki"),
    },
    (Told("clusters/x/all.yaml", "OCIRepository"),),
)
GIVEN = Case(
    "a Secret of an operator: where the database is given one",
    TWO | {
        "app/crds.yaml": crd("postgresql.cnpg.io", "Cluster", "clusters"),
        "more/all.yaml": namespace("wiki")
        + thing("v1", "Secret", "given", "wiki", "type: kubernetes.io/basic-auth\nstringData: {username: wiki, password: wiki}\n")
        + thing(
            "postgresql.cnpg.io/v1", "Cluster", "db", "wiki",
            "spec: {instances: 1, storage: {size: 1Gi}, bootstrap: {initdb: {database: wiki, owner: wiki, secret: {name: given}}}}\n",
        )
        + pods("Deployment", "wiki", "wiki", "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db-app, key: password}}}]"),
    },
    (Told("more/all.yaml", "db-app", by_luck=True),),
)  # fmt: skip
ASKED = (
    "spec: {{secretStoreRef: {{kind: ClusterSecretStore, name: {store}}}, dataFrom: [{{extract: {{key: {name}}}}}]}}\n"
)


def asks(*names: str, store: str = "ours") -> str:
    return "".join(
        thing("external-secrets.io/v1", "ExternalSecret", name, "wiki", ASKED.format(store=store, name=name))
        for name in names
    )


STORE = Case(
    "a store that nothing makes: the others read from one that is made",
    {
        "clusters/x/all.yaml": unit("operator") + unit("app", "operator"),
        "operator/all.yaml": namespace("external-secrets")
        + release("external-secrets", "external-secrets", "0.20.1", ESO),
        "app/all.yaml": namespace("wiki")
        + thing(
            "external-secrets.io/v1",
            "ClusterSecretStore",
            "ours",
            body="spec: {provider: {fake: {data: [{key: a, value: b}]}}}\n",
        )
        + asks("a", "b", "c", "d")
        + asks("e", store="unheard"),
    },
    (Told("app/all.yaml", "unheard"),),
)
BOOTED = Case(
    "what is there before Flux: a task that names its files by variables",
    {
        "Taskfile.yaml": (
            "version: '3'\nvars:\n  SETTINGS_FILE: '{{.ROOT_DIR}}/clusters/x/vars/settings.yaml'\ntasks:\n  bootstrap:\n    cmds:\n"
            "    - kubectl apply --server-side --filename {{.SETTINGS_FILE}}\n"
        ),
        "clusters/x/kustomization.yaml": "resources: [vars/settings.yaml, all.yaml]\n",
        "clusters/x/vars/settings.yaml": thing("v1", "ConfigMap", "settings", "flux-system", "data: {NAME: wiki}\n"),
        "clusters/x/all.yaml": unit(
            "x", "", "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}", path="clusters/x"
        )
        + unit("app", "", "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}"),
        "app/all.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${NAME}\n",
    },
)

MONITORED = Case(
    "a namespace that nothing makes: only looked into",
    TWO | {
        "app/crds.yaml": crd("monitoring.coreos.com", "ServiceMonitor", "servicemonitors"),
        "app/namespaces.yaml": "".join(namespace(name) for name in "abcd"),
        "more/all.yaml": thing("v1", "Service", "metrics", "product-system", "spec: {clusterIP: None, selector: {app: product}, ports: [{port: 9091}]}\n"),
    },
    (Told("more/all.yaml", "product-system", by_luck=True),),
)  # fmt: skip

ELSEWHERE = Case(
    "a source that nothing makes: the one beside it is used by nobody, and not all is read",
    {
        "clusters/x/all.yaml": unit("app") + unit("more", path="${WHERE}/more"),
        "app/all.yaml": namespace("wiki") + release("wiki", "wiki", "1.0.0", STRANGE).replace("{kind: HelmRepository, name: wiki}", "{kind: HelmRepository, name: wiki, namespace: flux-system}"),
    },
    (Told("app/all.yaml", "flux-system"),),
)  # fmt: skip

CASES = [
    COMPONENT,
    COMPONENT.but(
        "a Component where it belongs", ("app/kustomization.yaml", "- ../part\n", "components:\n- ../part\n")
    ),
    COMPONENT.but(
        "no Component below components",
        ("app/kustomization.yaml", "- ../part\n", "components:\n- ../part\n"),
        ("part/kustomization.yaml", "v1alpha1\nkind: Component", "v1beta1\nkind: Kustomization"),
        told=(Told("app/kustomization.yaml", "../part"),),
    ),
    LISTED,
    LISTED.but("its folder", ("app/kustomization.yaml", "/kustomization.yaml", "")),
    LISTED.but(
        "Flux's own in a file of that name",
        more={
            "app/models/kustomization.yaml": unit("models", path="app/models/inner"),
            "app/models/all.yaml": "",
            "app/models/inner/all.yaml": namespace("wiki"),
        },
    ),
    APPENDED,
    APPENDED.but("to one that is there", ("app/all.yaml", "{name: wiki}", "{name: wiki, finalizers: [a]}")),
    SEALED,
    SEALED.but(
        "an encrypted one of a name of its own",
        more={"app/secret.sops.yaml": "", "app/by-hand.sops.yaml": secret("wiki", "wiki")},
        told=(Told("app/kustomization.yaml", "resources:", by_luck=True),),
    ),
    HOST,
    HOST.but("of a route that is switched off", ("more/all.yaml", "{main: {", "{main: {enabled: false, ")),
    HOST.but(
        "in a text of the program's own",
        (
            "more/all.yaml",
            "{route: {main: {hostnames: ['wiki.${DOMAIN}']}}}",
            "{config: {host: '${DOMAIN}'}}",
        ),
    ),
    EMPTY,
    EMPTY.but("a host that is given", ("clusters/x/all.yaml", "{APP: wiki}", "{APP: wiki, DOMAIN: castle.example}")),
    ZONE,
    ZONE.but(
        "a zone that is given",
        (
            "clusters/x/all.yaml",
            "  path: ./more",
            "  postBuild: {substitute: {DOMAIN: castle.example}}\n  path: ./more",
        ),
    ),
    TARGET,
    TARGET.but(
        "made beside it", ("clusters/x/all.yaml", "wikki", "wiki"), more={"app/namespace.yaml": namespace("wiki")}
    ),
    POLICY,
    POLICY.but(
        "given by targetNamespace",
        ("clusters/x/all.yaml", "  path: ./more", "  targetNamespace: default\n  path: ./more"),
    ),
    CHECKED,
    CHECKED.but(
        "with both",
        (
            "clusters/x/all.yaml",
            "- kind: Deployment",
            "- apiVersion: apps/v1\n    namespace: wiki\n    kind: Deployment",
        ),
    ),
    SOURCE,
    SOURCE.but(
        "where few come from another",
        more={"clusters/x/all.yaml": unit("a") + unit("wiki").replace("GitRepository", "OCIRepository")},
    ),
    GIVEN,
    GIVEN.but("where it is given none", ("more/all.yaml", ", secret: {name: given}", "")),
    STORE,
    STORE.but(
        "where nothing else is asked",
        ("app/all.yaml", asks("a", "b", "c", "d"), ""),
        told=(Told("app/all.yaml", "unheard", by_luck=True),),
    ),
    BOOTED,
    BOOTED.but(
        "a task that leaves that file out",
        ("Taskfile.yaml", "{{.SETTINGS_FILE}}\n", "{{.ROOT_DIR}}/clusters/x/vars/more.yaml\n"),
        told=(Told("clusters/x/all.yaml", "substituteFrom"),),
    ),
    MONITORED,
    MONITORED.but(
        "something of its own runs there",
        ("more/all.yaml", "---", pods("Deployment", "product", "product-system") + "---"),
        told=(Told("more/all.yaml", "product-system"),),
    ),
    ELSEWHERE,
    ELSEWHERE.but("the one beside it", ("app/all.yaml", ", namespace: flux-system}", "}")),
]
