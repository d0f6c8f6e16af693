"""What a fault of a public repository was made of, and was missed: charts that are not there, what is installed before Flux, names."""

from corpus.case import CILIUM, ESO, Case, Told, namespace, pods, release, thing, unit
from corpus.inside import ADMISSION
from corpus.silence import OPERATOR, STORE

APPS = "https://bjw-s-labs.github.io/helm-charts"
MONITORING = "https://prometheus-community.github.io/helm-charts"
LAYER = "layerSelector: {mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}"


def artifact(name: str, namespace: str, url: str, tag: str) -> str:
    """An OCIRepository that holds a chart."""
    body = f"spec: {{interval: 1h, url: 'oci://{url}', ref: {{tag: '{tag}'}}, {LAYER}}}\n"
    return thing("source.toolkit.fluxcd.io/v1", "OCIRepository", name, namespace, body)


def installed(name: str, namespace: str, values: str) -> str:
    """A HelmRelease of the OCIRepository of its name."""
    return thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", name, namespace, (
        f"spec:\n  interval: 1h\n  install: {{remediation: {{retries: -1}}}}\n  chartRef: {{kind: OCIRepository, name: {name}}}\n  values: {values}\n"
    ))  # fmt: skip


def kept(name: str, where: str, *keys: str, more: str = "") -> str:
    """An ExternalSecret that makes those keys of a template."""
    data = ", ".join(f"{key}: '{{{{ .v }}}}'" for key in keys)
    return thing("external-secrets.io/v1", "ExternalSecret", name, where, (
        "spec:\n  secretStoreRef: {kind: ClusterSecretStore, name: central}\n"
        f"  target: {{name: {name}, template: {{data: {{{data}{more}}}}}}}\n  data:\n  - {{secretKey: v, remoteRef: {{key: castle/x, property: v}}}}\n"
    ))  # fmt: skip


SECRETS = {
    "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("app", "stores"),
    "eso/all.yaml": OPERATOR,
    "stores/all.yaml": STORE,
}

# -- pods of charts that are not there

APP = Case(
    "pods of a chart that its namespace rejects: a path of the machine among an app's volumes",
    {
        "talos/controlplane.yaml": ADMISSION,
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home") + release("camera", "home", "4.4.0", APPS, (
            "{controllers: {camera: {containers: {app: {image: {repository: nginx, tag: '1.29'}}}}}, "
            "persistence: {dri: {type: hostPath, hostPath: /dev/dri}}}"
        ), "app-template"),
    },
    (Told("app/all.yaml", "home"),),
)  # fmt: skip
EXPORTER = Case(
    "pods of a chart that its namespace rejects: the agents of a monitoring stack",
    {
        "talos/controlplane.yaml": ADMISSION,
        "clusters/x/all.yaml": unit("monitoring"),
        "monitoring/all.yaml": namespace("monitoring")
        + release("kube-prometheus-stack", "monitoring", "82.15.1", MONITORING, "{grafana: {enabled: false}}"),
    },
    (Told("monitoring/all.yaml", "monitoring"),),
)
LINSTOR = Case(
    "pods of a chart that its namespace rejects: what an operator runs for its resource",
    {
        "talos/controlplane.yaml": ADMISSION,
        "clusters/x/all.yaml": unit("operator") + unit("cluster", "operator"),
        "operator/all.yaml": namespace("storage") + artifact("piraeus", "storage", "ghcr.io/piraeusdatastore/piraeus-operator/piraeus", "2.10.0")
        + installed("piraeus", "storage", "{installCRDs: true}"),
        "cluster/all.yaml": thing("piraeus.io/v1", "LinstorCluster", "linstorcluster", body="spec: {}\n"),
    },
    (Told("operator/all.yaml", "storage"),),
)  # fmt: skip

# -- keys that a chart reads

FORGEJO = Case(
    "a key that a chart reads: by what is known of it",
    SECRETS | {
        "app/all.yaml": namespace("git") + kept("forgejo-secret", "git", "password")
        + artifact("forgejo", "git", "code.forgejo.org/forgejo-helm/forgejo", "15.0.0")
        + installed("forgejo", "git", "{gitea: {admin: {existingSecret: forgejo-secret}}}"),
    },
    (Told("app/all.yaml", "forgejo-secret"),),
)  # fmt: skip
GRAFANA = Case(
    "a key that a chart reads: under the name that its values give it",
    SECRETS | {
        "app/all.yaml": namespace("monitoring") + kept("grafana-login", "monitoring", "user", "admin-password")
        + release("kube-prometheus-stack", "monitoring", "82.15.1", MONITORING, "{grafana: {admin: {existingSecret: grafana-login, userKey: login}}}"),
    },
    (Told("app/all.yaml", "grafana-login"),),
)  # fmt: skip

# -- addresses of charts

FOLDER = Case(
    "an address where its publisher has no chart: a folder",
    {
        "clusters/x/all.yaml": unit("dns"),
        "dns/all.yaml": artifact("coredns", "kube-system", "ghcr.io/coredns/charts", "1.45.0"),
    },
    (Told("dns/all.yaml", "ghcr.io/coredns"),),
)
MOVED = Case(
    "an address where its publisher has no chart: another folder",
    {
        "clusters/x/all.yaml": unit("storage"),
        "storage/all.yaml": artifact(
            "local-path", "kube-system", "ghcr.io/rancher/charts/local-path-provisioner", "0.0.35"
        ),
    },
    (Told("storage/all.yaml", "ghcr.io/rancher"),),
)

# -- before Flux

CNI = Case(
    "what is installed before Flux with values that do not work: a host without a port",
    {
        "Taskfile.yaml": "tasks:\n  up:\n    cmds:\n    - helmfile -f bootstrap/helmfile.d/core.yaml.gotmpl -e lab sync\n",
        "bootstrap/helmfile.d/core.yaml.gotmpl": (
            "environments:\n  lab: {values: [lab/values.yaml]}\n---\nrepositories:\n- {name: cilium, url: 'https://helm.cilium.io'}\n---\nreleases:\n"
            "- name: cilium\n  namespace: kube-system\n  chart: cilium/cilium\n  version: 1.18.2\n  values:\n  - ../{{ .Environment.Name }}/cilium.yaml\n"
            "  set:\n  - name: k8sServiceHost\n    value: {{ .Values.host | quote }}\n"
        ),
        "bootstrap/lab/cilium.yaml": "kubeProxyReplacement: true\n",
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home"),
    },
    (Told("bootstrap/helmfile.d/core.yaml.gotmpl"),),
)  # fmt: skip
INFLATED = Case(
    "what is installed before Flux with values that do not work: by kustomize",
    {
        ".taskfiles/talos/Taskfile.yaml": "tasks:\n  extras:\n    cmds:\n    - kubectl kustomize --enable-helm ./cni | kubectl apply --server-side -f -\n",
        "talos/cni/kustomization.yaml": (
            "helmCharts:\n- name: cilium\n  repo: https://helm.cilium.io\n  version: 1.15.0\n  releaseName: cilium\n  namespace: kube-system\n  valuesFile: values.yaml\n"
        ),
        "talos/cni/values.yaml": "---\n# the network\nipam: {mode: kubernetes}\ntunnel: disabled\n",
        "clusters/x/all.yaml": unit("cni"),
        "cni/all.yaml": release("cilium", "kube-system", "1.18.2", CILIUM, "{routingMode: native}"),
    },
    (Told("talos/cni/values.yaml", "tunnel"),),
)  # fmt: skip

# -- operators

WATCHES = Case(
    "rights that an operator's version needs: ConfigMaps",
    {
        "clusters/x/all.yaml": unit("operator"),
        "operator/all.yaml": namespace("database")
        + thing("v1", "ServiceAccount", "dragonfly", "database")
        + thing("rbac.authorization.k8s.io/v1", "ClusterRole", "dragonfly", body=(
            "rules:\n- {apiGroups: [dragonflydb.io], resources: [dragonflies], verbs: [get, list, watch]}\n- {apiGroups: [''], resources: [pods], verbs: ['*']}\n"
        ))
        + thing("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "dragonfly", body=(
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dragonfly}\n"
            "subjects:\n- {kind: ServiceAccount, name: dragonfly, namespace: database}\n"
        ))
        + pods("Deployment", "dragonfly", "database", more="serviceAccountName: dragonfly").replace("nginx:1.29", "ghcr.io/dragonflydb/operator:v1.6.1"),
    },
    (Told("operator/all.yaml", "rules:"),),
)  # fmt: skip
CALLS = Case(
    "a template that cannot be executed: a function that takes more since a version",
    SECRETS | {
        "eso/all.yaml": namespace("external-secrets") + release("external-secrets", "external-secrets", "2.6.0", ESO, "{installCRDs: true}"),
        "app/all.yaml": namespace("zot") + kept("login", "zot", more="htpasswd: '{{ htpasswd \"x\" .v }}'"),
    },
    (Told("app/all.yaml", "htpasswd"),),
)  # fmt: skip

_TWICE = '\'{{ .v | replace "a" "b" "c" }}\''

CASES = [
    APP,
    APP.but("a namespace with the level", ("app/all.yaml", namespace("home"), namespace("home", "privileged"))),
    APP.but("a volume that is switched off", ("app/all.yaml", "hostPath: /dev/dri", "hostPath: /dev/dri, enabled: false")),
    APP.but("no level that Talos sets", ("talos/controlplane.yaml", "enforce: baseline", "enforce: privileged")),
    APP.but(
        "privileges that all containers get",
        ("app/all.yaml", "{camera: {containers", "{camera: {defaultContainerOptions: {securityContext: {privileged: true}}, containers"),
        ("app/all.yaml", "persistence: {dri: {type: hostPath, hostPath: /dev/dri}}", "persistence: {}"),
        told=APP.told,
    ),
    EXPORTER,
    EXPORTER.but("agents that are left out", ("monitoring/all.yaml", "{grafana:", "{nodeExporter: {enabled: false}, grafana:")),
    EXPORTER.but("agents in a namespace of their own", ("monitoring/all.yaml", "{grafana:", "{prometheus-node-exporter: {namespaceOverride: kube-system}, grafana:")),
    LINSTOR,
    LINSTOR.but("an operator in a namespace with the level", ("operator/all.yaml", namespace("storage"), namespace("storage", "privileged"))),
    FORGEJO,
    FORGEJO.but("all its keys", ("app/all.yaml", "password: ", "username: '{{ .v }}', password: ")),
    FORGEJO.but("keys that files do not tell", ("app/all.yaml", "target: {name: forgejo-secret, template: {data: {password: '{{ .v }}'}}}\n  data:\n  - {secretKey: v, remoteRef: {key: castle/x, property: v}}", "target: {name: forgejo-secret}\n  dataFrom:\n  - {extract: {key: castle/x}}")),
    GRAFANA,
    GRAFANA.but("the name that they give", ("app/all.yaml", "user: ", "login: ")),
    FOLDER,
    FOLDER.but("the chart in it", ("dns/all.yaml", "coredns/charts'", "coredns/charts/coredns'")),
    FOLDER.but("a mirror", ("dns/all.yaml", "ghcr.io/coredns", "registry.castle.example/coredns")),
    FOLDER.but(
        "a repository of charts", more={"dns/all.yaml": thing("source.toolkit.fluxcd.io/v1", "HelmRepository", "coredns", "kube-system", "spec: {type: oci, url: 'oci://ghcr.io/coredns/charts'}\n")}
    ),
    MOVED,
    MOVED.but("where it is", ("storage/all.yaml", "rancher/charts/", "rancher/local-path-provisioner/charts/")),
    CNI,
    CNI.but("with a port", ("bootstrap/lab/cilium.yaml", "true\n", "true\nk8sServicePort: 6443\n")),
    CNI.but("looked up", ("bootstrap/helmfile.d/core.yaml.gotmpl", "{{ .Values.host | quote }}", "auto")),
    CNI.but("values that are not there", more={"bootstrap/lab/cilium.yaml": ""}),
    INFLATED,
    INFLATED.but("a value that is taken", ("talos/cni/values.yaml", "tunnel: disabled", "routingMode: native")),
    INFLATED.but("that nobody applies", (".taskfiles/talos/Taskfile.yaml", "--enable-helm ./cni", "--enable-helm ./metrics")),
    WATCHES,
    WATCHES.but("that it has", ("operator/all.yaml", "resources: [pods]", "resources: [pods, configmaps]")),
    WATCHES.but("a version without", ("operator/all.yaml", "v1.6.1", "v1.5.0")),
    WATCHES.but("of a role elsewhere", ("operator/all.yaml", "kind: ClusterRole, name: dragonfly}", "kind: ClusterRole, name: cluster-admin}")),
    CALLS,
    CALLS.but("with what it takes", ("app/all.yaml", ".v }}'}}}", ".v \"bcrypt\" }}'}}}")),
    CALLS.but("of a version before", ("eso/all.yaml", "2.6.0", "1.1.0")),
    CALLS.but("of a version that is not known", ("eso/all.yaml", "'2.6.0'", "'>=1.0.0'")),
    CALLS.but("a pipe into too many", ("app/all.yaml", "'{{ htpasswd \"x\" .v }}'", _TWICE), told=CALLS.told),
    CALLS.but("braces in a text", ("app/all.yaml", "'{{ htpasswd \"x\" .v }}'", "'{{ \"{{ include x }}\" }}{{ (fromJson .v).x | trim }}'")),
    CALLS.but("what only Helm has", ("app/all.yaml", '{{ htpasswd "x" .v }}', '{{ include "x" . }}'), told=CALLS.told),
]  # fmt: skip
