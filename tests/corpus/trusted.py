"""What was reported falsely on repositories that nobody had looked at: what operators fill, what copiers fill, what is over."""

from corpus.case import ESO, STRANGE, Case, Told, namespace, pods, release, thing, unit
from corpus.silence import OPERATOR, STORE

PLACED = "postBuild: {substituteFrom: [{kind: Secret, name: settings, optional: true}]}"
_ROUTE = "spec: {rules: [{host: 'wiki.${DOMAIN}'}]}\n"


def filled(keys: str, more: str = "") -> str:
    target = f"target: {{name: settings, template: {{data: {{{keys}}}}}}}" if keys else "target: {name: settings}"
    spec = f"spec: {{refreshInterval: 1h, secretStoreRef: {{kind: ClusterSecretStore, name: central}}, {target}, {more}}}\n"
    return thing("external-secrets.io/v1", "ExternalSecret", "settings", "flux-system", spec)


_FILLED = "variables of a Secret that an operator fills"
FILLED = Case(
    f"{_FILLED}: a host",
    {
        "clusters/x/all.yaml": unit("eso") + unit("store", "eso") + unit("settings", "store") + unit("app", "settings", PLACED),
        "eso/all.yaml": OPERATOR,
        "store/all.yaml": STORE,
        "settings/all.yaml": filled("DOMAIN: '{{ .DOMAIN }}'", "dataFrom: [{extract: {key: settings}}]"),
        "app/all.yaml": namespace("wiki") + thing("networking.k8s.io/v1", "Ingress", "wiki", "wiki", _ROUTE),
    },
)  # fmt: skip
_KEYED = "a Secret that is pulled in from another namespace"
KEYED = Case(
    f"{_KEYED}: made by hand there",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": "".join(
            namespace(name)
            + thing("v1", "Secret", "backup", name, "type: Opaque\n").replace(
                "metadata: {name: backup,", "metadata: {name: backup, annotations: {reflector.v1.k8s.emberstack.com/reflects: vault/backup},"
            )
            + pods("Deployment", name, name, "envFrom: [{secretRef: {name: backup}}]")
            for name in ("wiki", "blog", "mail", "chat", "shop")
        ),
    },
    (Told("app/all.yaml", "reflects", by_luck=True),),
)  # fmt: skip
_TOKENS = "a Secret beside that nobody reads"
TOKENS = Case(
    f"{_TOKENS}: the token of an account",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: wiki-secrets}}]"),
        "app/rbac.yaml": thing("v1", "ServiceAccount", "wiki-remote", "wiki")
        + thing("v1", "Secret", "wiki-remote", "wiki", "type: kubernetes.io/service-account-token\n").replace(
            "metadata: {", "metadata: {annotations: {kubernetes.io/service-account.name: wiki-remote}, "
        ),
    },
    (Told("app/all.yaml", "wiki-secrets", by_luck=True),),
)  # fmt: skip
_OVER = "a cluster that is over"
OVER = Case(
    f"{_OVER}: its folder lies in an archive",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("wiki"),
        "archive/clusters/y/flux-system/gotk-sync.yaml": unit("flux-system", path="clusters/y"),
        "archive/clusters/y/all.yaml": unit("gone"),
    },
)
_BOOTED = "what `flux bootstrap` applies"
BOOTED = Case(
    f"{_BOOTED}: a Kustomization over its folder",
    {
        "clusters/x/kustomization.yaml": "resources: [flux.yaml]\n",
        "clusters/x/flux.yaml": unit("flux", path="clusters/x/flux-system", wait=False),
        "clusters/x/flux-system/kustomization.yaml": "resources: [gotk-sync.yaml]\n",
        "clusters/x/flux-system/gotk-sync.yaml": thing(
            "source.toolkit.fluxcd.io/v1", "GitRepository", "flux-system", "flux-system",
            "spec: {interval: 1m, url: 'https://git.castle.example/castle.git'}\n",
        )
        + unit("flux-system", path="clusters/x", wait=False),
    },
)  # fmt: skip
_SUPER = "a Secret of the superuser of a database"
SUPER = Case(
    f"{_SUPER}: who may not log in",
    {
        "clusters/x/all.yaml": unit("cnpg") + unit("db", "cnpg"),
        "cnpg/all.yaml": namespace("cnpg")
        + release("cloudnative-pg", "cnpg", "0.26.0", "https://cloudnative-pg.github.io/charts"),
        "db/all.yaml": namespace("db")
        + thing(
            "postgresql.cnpg.io/v1", "Cluster", "db", "db",
            "spec: {instances: 1, storage: {size: 1Gi}, superuserSecret: {name: db-super}}\n",
        ),
    },
)  # fmt: skip
_NAMED = "a Secret that a script creates"
NAMED = Case(
    f"{_NAMED}: its namespace before its name",
    {
        "clusters/x/all.yaml": unit("app", "", "postBuild: {substituteFrom: [{kind: Secret, name: settings}]}"),
        "app/all.yaml": namespace("wiki") + thing("v1", "Secret", "settings", "flux-system", "stringData: {A: b}\n"),
        "setup.sh": "kubectl create secret generic -n flux-system settings --from-literal A=b\n",
    },
)
_HOOK = "a file that a command of a helmfile's hook names"
HOOK = Case(
    f"{_HOOK}: inside of a script",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "resources: [all.yaml]\n",
        "app/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: wiki-login}}]"),
        "app/login.yaml": thing("v1", "Secret", "wiki-login", "wiki", "stringData: {A: x}\n"),
        "bootstrap/helmfile.yaml": (
            f"releases:\n- name: wiki\n  namespace: wiki\n  chart: {STRANGE}/wiki\n  hooks:\n  - events: [presync]\n    command: bash\n"
            "    args:\n    - -c\n    - |\n      sops -d ../app/login.yaml | kubectl apply -f -\n"
        ),
    },
    (Told("app/login.yaml", "", by_luck=True),),
)  # fmt: skip
_KINDS = "kinds of the web in a bootstrap folder"
KINDS = Case(
    f"{_KINDS}: those of External Secrets",
    {
        "clusters/x/all.yaml": unit("eso"),
        "eso/all.yaml": namespace("external-secrets") + release("external-secrets", "external-secrets", "0.20.4", ESO) + STORE,
        "bootstrap/crds/kustomization.yaml": (
            "resources:\n- https://raw.githubusercontent.com/external-secrets/external-secrets/main/config/crds/bases/"
            "external-secrets.io_clustersecretstores.yaml\n"
        ),
    },
)  # fmt: skip

_CRDS = "a helmfile of kinds"
CRDS = Case(
    f"{_CRDS}: called after them",
    {
        "clusters/x/all.yaml": unit("eso"),
        "eso/all.yaml": namespace("external-secrets") + release("external-secrets", "external-secrets", "0.20.4", ESO) + STORE,
        "bootstrap/crds.helmfile.yaml": (
            "releases:\n- name: external-secrets\n  namespace: external-secrets\n"
            "  chart: oci://ghcr.io/external-secrets/charts/external-secrets\n  version: 0.20.4\n"
        ),
    },
)  # fmt: skip
_ASLEEP = "a health check of what nothing makes"
ASLEEP = Case(
    f"{_ASLEEP}: of what is suspended",
    {
        "clusters/x/all.yaml": unit(
            "app", "", "suspend: true",
            "healthChecks: [{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: gone, namespace: wiki}]", wait=False,
        ),
        "app/all.yaml": namespace("wiki"),
    },
)  # fmt: skip
_CLONED = "a Secret that a policy copies"
CLONED = Case(
    f"{_CLONED}: of a database into the namespace of who reads it",
    {
        "clusters/x/all.yaml": unit("cnpg") + unit("kyverno") + unit("db", "cnpg") + unit("policies", "kyverno") + unit("app", "db policies"),
        "cnpg/all.yaml": namespace("cnpg")
        + release("cloudnative-pg", "cnpg", "0.26.0", "https://cloudnative-pg.github.io/charts"),
        "kyverno/all.yaml": namespace("kyverno") + release("kyverno", "kyverno", "3.5.2", "https://kyverno.github.io/kyverno"),
        "db/all.yaml": namespace("db")
        + thing("postgresql.cnpg.io/v1", "Cluster", "db", "db", "spec: {instances: 1, storage: {size: 1Gi}}\n"),
        "policies/all.yaml": thing(
            "kyverno.io/v1", "ClusterPolicy", "sync", body=(
                "spec:\n  rules:\n  - name: sync\n    match: {any: [{resources: {kinds: [Namespace], names: [wiki]}}]}\n    generate:\n"
                "      {apiVersion: v1, kind: Secret, name: db-app, namespace: x, synchronize: true, clone: {namespace: db, name: db-app}}\n"
            ),
        ),
        "app/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: db-app}}]"),
    },
)  # fmt: skip
_SHELL = "an address in a script"
SHELL = Case(
    f"{_SHELL}: one that it sets for later",
    {
        "clusters/x/all.yaml": unit("base") + unit("panels", "base"),
        "panels/all.yaml": namespace("panels") + pods("Deployment", "panels", "panels")
        + thing("v1", "Service", "panels", "panels", "spec: {selector: {app: panels}, ports: [{port: 80}]}\n"),
        "base/all.yaml": namespace("base")
        + thing(
            "batch/v1", "Job", "settings", "base", (
                "spec:\n  ttlSecondsAfterFinished: 60\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: settings\n        image: 'nginx:1.29'\n"
                "        command: [bash, -c, 'dashboard set-grafana-api-url http://panels.panels.svc.cluster.local']\n"
            ),
        ),
    },
)  # fmt: skip
_TASKS = "a file that one task file names, and another applies"
TASKS = Case(
    f"{_TASKS}: variables of all",
    {
        "k8s/prod/all.yaml": unit("app", "", "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}"),
        "k8s/prod/flux-system/gotk-sync.yaml": unit("flux-system", path="k8s/prod"),
        "app/all.yaml": namespace("wiki") + thing("v1", "ConfigMap", "settings", "flux-system", "data: {A: b}\n"),
        "vars/settings.yaml": thing("v1", "ConfigMap", "settings", "flux-system", "data: {A: b}\n"),
        "Taskfile.yml": "vars:\n  SETTINGS_FILE: vars/settings.yaml\n",
        ".taskfiles/flux/Taskfile.yaml": "tasks:\n  up:\n    cmds:\n    - kubectl apply --filename {{.SETTINGS_FILE}}\n",
    },
)
_SPACED = "a Secret that a script creates in a namespace that a variable names"
SPACED = Case(
    f"{_SPACED}: said above",
    {
        "clusters/x/all.yaml": unit("app", "", "postBuild: {substituteFrom: [{kind: Secret, name: settings}]}"),
        "app/all.yaml": namespace("wiki") + thing("v1", "Secret", "settings", "flux-system", "stringData: {A: b}\n"),
        "setup.sh": 'NAMESPACE="flux-system"\nkubectl -n "${NAMESPACE}" create secret generic settings --from-literal A=b\n',
    },
)

_MACHINES = "machine configurations of another cluster"
_HOST = "volumes: [{name: tank, hostPath: {path: /tank}}]"
MACHINES = Case(
    f"{_MACHINES}: a host path where nobody forbids it",
    {
        "kubernetes/x/flux-system/gotk-sync.yaml": unit("flux-system", path="kubernetes/x"),
        "kubernetes/x/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki", more=_HOST),
        "kubernetes/y/flux-system/gotk-sync.yaml": unit("flux-system", path="kubernetes/y"),
        "kubernetes/y/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki"),
        "talos/y/talconfig.yaml": (
            "clusterName: y\nallowSchedulingOnControlPlanes: true\ntalosVersion: v1.11.3\nendpoint: https://192.168.60.9:6443\nclusterSvcNets: [10.45.0.0/16]\nnodes:\n"
            "- hostname: one\n  ipAddress: 192.168.60.9\n  controlPlane: true\n  installDisk: /dev/sda\n"
        ),
    },
)  # fmt: skip
_COREFILE = "the configuration of a program that is made of CoreDNS"
COREFILE = Case(
    f"{_COREFILE}: a plugin of its own",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("network")
        + thing(
            "v1",
            "ConfigMap",
            "k8s-gateway",
            "network",
            "data:\n  Corefile: |\n    .:53 {\n        k8s_gateway castle.example\n    }\n",
        ),
    },
)
CASES = [
    CRDS,
    CRDS.but("of another chart's", ("bootstrap/crds.helmfile.yaml", "external-secrets/charts/external-secrets", "keda/charts/keda"), ("bootstrap/crds.helmfile.yaml", "name: external-secrets", "name: keda"), told=(Told("eso/all.yaml", "kind: ClusterSecretStore"),)),
    ASLEEP,
    ASLEEP.but("of what is not", ("clusters/x/all.yaml", "  suspend: true\n", ""), told=(Told("clusters/x/all.yaml", "healthChecks"),)),
    CLONED,
    CLONED.but("into another", ("policies/all.yaml", "names: [wiki]", "names: [blog]"), told=(Told("app/all.yaml", "db-app"),)),
    SHELL,
    SHELL.but("one that it asks", ("base/all.yaml", "dashboard set-grafana-api-url", "curl"), told=(Told("clusters/x/all.yaml", "dependsOn: [{name: base}]"),)),
    TASKS,
    TASKS.but("another", (".taskfiles/flux/Taskfile.yaml", "SETTINGS_FILE", "OTHER_FILE"), told=(Told("k8s/prod/all.yaml", "substituteFrom"),)),
    SPACED,
    SPACED.but("another", ("setup.sh", 'NAMESPACE="flux-system"', 'NAMESPACE="default"'), told=(Told("clusters/x/all.yaml", "substituteFrom"),)),
    FILLED,
    FILLED.but(
        "that it does not fill",
        ("settings/all.yaml", "DOMAIN: '", "ZONE: '"),
        told=(Told("app/all.yaml", "${DOMAIN}"),),
    ),
    MACHINES,
    MACHINES.but(
        "of this one",
        more={
            "talos/y/talconfig.yaml": "",
            "talos/x/talconfig.yaml": MACHINES.files["talos/y/talconfig.yaml"].replace("clusterName: y", "clusterName: x"),
        },
        told=(Told("kubernetes/x/all.yaml"),),
    ),
    COREFILE,
    COREFILE.but("of CoreDNS itself", ("app/all.yaml", "name: k8s-gateway", "name: coredns"), told=(Told("app/all.yaml", "k8s_gateway castle"),)),
    FILLED.but("of which nobody knows the keys", ("settings/all.yaml", filled("DOMAIN: '{{ .DOMAIN }}'", "dataFrom: [{extract: {key: settings}}]"), filled("", "dataFrom: [{extract: {key: settings}}]"))),
    KEYED,
    KEYED.but("one that nobody pulls in", ("app/all.yaml", "annotations: {reflector.v1.k8s.emberstack.com/reflects: vault/backup}", "annotations: {a: b}"), told=(Told("app/all.yaml", "reflects", by_luck=True),)),
    TOKENS,
    TOKENS.but(
        "one that a file makes",
        ("app/rbac.yaml", "type: kubernetes.io/service-account-token\n", "stringData: {A: b}\n"),
        told=(Told("app/all.yaml", "wiki-secrets"),),
    ),
    OVER,
    OVER.but(
        "of one that is not",
        more={
            "archive/clusters/y/flux-system/gotk-sync.yaml": "", "archive/clusters/y/all.yaml": "",
            "clusters/y/flux-system/gotk-sync.yaml": unit("flux-system", path="clusters/y"), "clusters/y/all.yaml": unit("gone"),
            "clusters/x/flux-system/gotk-sync.yaml": unit("flux-system", path="clusters/x"),
        },
        told=(Told("clusters/y/all.yaml", "path"),),
    ),
    BOOTED,
    BOOTED.but(
        "another source that comes from what it is to fetch",
        ("clusters/x/flux-system/gotk-sync.yaml", "sourceRef: {kind: GitRepository, name: flux-system}", "sourceRef: {kind: GitRepository, name: flux-system}"),
        ("clusters/x/flux.yaml", "name: flux-system}", "name: other}"),
        more={
            "clusters/x/flux-system/kustomization.yaml": "resources: [gotk-sync.yaml, other.yaml]\n",
            "clusters/x/flux-system/other.yaml": thing(
                "source.toolkit.fluxcd.io/v1", "GitRepository", "other", "flux-system",
                "spec: {interval: 1m, url: 'https://git.castle.example/castle.git'}\n",
            ),
        },
        told=(Told("clusters/x/flux.yaml", "sourceRef"),),
    ),
    SUPER,
    SUPER.but(
        "who may",
        ("db/all.yaml", "superuserSecret:", "enableSuperuserAccess: true, superuserSecret:"),
        told=(Told("db/all.yaml", "superuserSecret", by_luck=True),),
    ),
    NAMED,
    NAMED.but(
        "another's",
        ("setup.sh", "flux-system settings", "flux-system setting"),
        told=(Told("clusters/x/all.yaml", "substituteFrom"),),
    ),
    HOOK,
    HOOK.but(
        "that is not there",
        ("bootstrap/helmfile.yaml", "../app/login.yaml", "../app/logins.yaml"),
        told=(Told("app/kustomization.yaml", "resources:"), ),
    ),
    KINDS,
    KINDS.but(
        "in a folder of another name",
        more={"bootstrap/crds/kustomization.yaml": "", "kinds/kustomization.yaml": "resources: [https://x.example/external-secrets/crds/all.yaml]\n"},
        told=(Told("eso/all.yaml", "kind: ClusterSecretStore"),),
    ),
]  # fmt: skip
