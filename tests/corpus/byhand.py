"""What somebody applies by hand, and what Flux then finds below it."""

from corpus.case import CILIUM, STRANGE, Case, Told, namespace, pods, release, thing, unit
from corpus.silence import CERT_MANAGER

PROMETHEUS = "https://prometheus-community.github.io/helm-charts"

_LED = "what lies in the path of a Kustomization that a script applies"
LED = Case(
    f"{_LED}: a dependency on a child of it",
    {
        "clusters/x/all.yaml": unit("app", "controllers"),
        "app/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki"),
        "setup/base.yaml": unit("base"),
        "setup/install.sh": 'flux install\nkubectl apply -f "$ROOT"/setup/base.yaml\n',
        "base/all.yaml": unit("controllers"),
        "controllers/all.yaml": namespace("controllers"),
    },
)
_RELEASED = "a HelmRelease that a script applies"
RELEASED = Case(
    f"{_RELEASED}: another depends on it",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": release("cilium", "kube-system", "1.18.4", CILIUM).replace(
            "  interval: 30m\n", "  interval: 30m\n  dependsOn: [{name: first}]\n"
        ),
        "setup/first.yaml": release("first", "kube-system", "1.0.0", STRANGE),
        "setup/install.sh": "kubectl apply -f setup/first.yaml\n",
    },
)
_RANGED = "a helmfile that is a template over a list"
RANGED = Case(
    f"{_RANGED}: the release that brings the cluster's network",
    {
        "clusters/x/all.yaml": unit("dns", "cni") + unit("cni"),
        "cni/all.yaml": release("cilium", "kube-system", "1.18.4", CILIUM).replace(
            "  interval: 30m\n", "  interval: 30m\n  dependsOn: [{name: dns}]\n"
        ),
        "dns/all.yaml": release("dns", "kube-system", "1.0.0", STRANGE),
        "bootstrap/helmfile.yaml.gotmpl": (
            '{{ $apps := list\n  (dict "name" "cilium" "namespace" "kube-system")\n  (dict "name" "dns" "namespace" "kube-system")\n}}\n'
            "releases:\n{{- range $apps }}\n- name: {{ .name }}\n  namespace: {{ .namespace }}\n"
            '  chart: {{ exec "yq" (list "e" .spec.url) | trim }}\n{{- end }}\n'
        ),
    },
)
_FILLED = "a Kustomization that a script fills in before it applies it"
FILLED = Case(
    f"{_FILLED}: a dependency on it",
    {
        "clusters/x/all.yaml": unit("app", "secrets"),
        "app/all.yaml": namespace("wiki"),
        "setup/secrets.yaml.templ": unit("secrets", path="clusters/{{CLUSTER}}/secrets"),
        "setup/install.sh": 'echo "$(sed "s/{{CLUSTER}}/$CLUSTER/g" <"$HERE"/secrets.yaml.templ)" | kubectl apply -f -\n',
    },
)
_ADDRESSES = "kinds of the web, which a script applies one after the other"
ADDRESSES = Case(
    f"{_ADDRESSES}: the kinds of Prometheus",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("monitoring")
        + release("kube-prometheus-stack", "monitoring", "79.0.0", PROMETHEUS)
        + thing("monitoring.coreos.com/v1", "PodMonitor", "wiki", "monitoring", "spec: {selector: {}, podMetricsEndpoints: []}\n"),
        "scripts/install.sh": (
            "crds=(\n  https://github.com/prometheus-operator/prometheus-operator/releases/download/v0.83.0/stripped-down-crds.yaml\n)\n"
            'for crd in "${crds[@]}"; do\n  kubectl apply --server-side --filename "${crd}"\ndone\n'
        ),
    },
)  # fmt: skip
_BELOW = "files of a list, below a folder that a variable names"
BELOW = Case(
    f"{_BELOW}: a Secret that all substitute from",
    {
        "cluster/x/all.yaml": unit("app", "", "postBuild: {substituteFrom: [{kind: Secret, name: settings}]}"),
        "cluster/x/flux-system/gotk-sync.yaml": unit("flux-system", path="cluster/x"),
        "app/all.yaml": namespace("wiki") + thing("v1", "Secret", "settings", "flux-system", "stringData: {A: b}\n"),
        "cluster/components/secrets/settings.yaml": thing("v1", "Secret", "settings", "flux-system", "stringData: {A: b}\n"),
        ".taskfiles/bootstrap/Taskfile.yaml": (
            "tasks:\n  apply:\n    cmds:\n    - cmd: kubectl --namespace flux-system apply --filename {{ .CLUSTER_DIR }}/{{ .ITEM }}\n"
            "      for:\n        - 'components/secrets/settings.yaml'\n"
        ),
    },
)  # fmt: skip
_ALL = "what `flux bootstrap` has apply the whole repository"
ALL = Case(
    f"{_ALL}: a Kustomization in the folder that it applies",
    {
        "flux-system/gotk-sync.yaml": unit("flux-system", path="."),
        "one/ks.yaml": unit("one", "two", path="one/app"),
        "one/kustomization.yaml": "resources: [ks.yaml]\n",
        "one/app/all.yaml": namespace("one"),
        "two/ks.yaml": unit("two", path="two"),
        "two/kustomization.yaml": "resources: [ks.yaml]\n",
    },
)
_REMOTE = "a remote base in a Kustomization that stands in its own folder"
REMOTE = Case(
    f"{_REMOTE}: a namespace that is called like it",
    {
        "clusters/x/flux-system/gotk-sync.yaml": unit("flux-system", path="clusters/x"),
        "clusters/x/tekton/kustomization.yaml": (
            "namespace: tekton-operator\nresources:\n- https://storage.castle.example/tekton-releases/operator/release.yaml\n- all.yaml\n"
        ),
        "clusters/x/tekton/all.yaml": thing("v1", "ConfigMap", "config", body="data: {a: b}\n"),
        "clusters/x/more.yaml": namespace("a") + namespace("b") + namespace("c") + namespace("d"),
    },
)
_ACCOUNT = "a Secret of which an issuer reads"
ACCOUNT = Case(
    f"{_ACCOUNT}: beside it is the key that it makes itself",
    {
        "clusters/x/all.yaml": unit("cert-manager") + unit("issuers", "cert-manager"),
        "cert-manager/all.yaml": CERT_MANAGER,
        "issuers/all.yaml": thing(
            "cert-manager.io/v1", "ClusterIssuer", "public", body=(
                "spec:\n  acme:\n    server: https://acme-v02.api.letsencrypt.org/directory\n    privateKeySecretRef: {name: account-route53}\n"
                "    solvers:\n    - dns01: {route53: {region: a, accessKeyIDSecretRef: {name: aws-route53, key: id}}}\n"
            ),
        ),
    },
    (Told("issuers/all.yaml", "aws-route53", by_luck=True),),
)  # fmt: skip
_SAMPLE = "a file of Secrets that somebody is to fill in"
SAMPLE = Case(
    f"{_SAMPLE}: it is called a template",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/kustomization.yaml": "resources: [all.yaml]\n",
        "app/all.yaml": namespace("wiki")
        + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: wiki-login}}]"),
        "app/secrets.template.yaml": thing("v1", "Secret", "wiki-login", "wiki", "stringData: {A: CHANGE_ME}\n"),
    },
    (Told("app/all.yaml", "wiki-login", by_luck=True), Told("app/secrets.template.yaml", by_luck=True)),
)
_HELM = "a release that a script installs with Helm before Flux"
HELM = Case(
    f"{_HELM}: the operator of the kinds that stand beside it",
    {
        "clusters/x/all.yaml": unit("cert-manager"),
        "cert-manager/all.yaml": CERT_MANAGER
        + thing("cert-manager.io/v1", "ClusterIssuer", "own", body="spec: {selfSigned: {}}\n"),
        "scripts/install.sh": (
            "helm upgrade --install --wait cert-manager jetstack/cert-manager --namespace cert-manager --create-namespace --version v1.19.1\n"
        ),
    },
)
_NIX = (
    'let releases = [\n  {\n    name = "cert-manager";\n    namespace = "cert-manager";\n    chart = "oci://quay.io/jetstack/charts/cert-manager";\n'
    '    values = [ (get { app = "cert-manager"; }) ];\n  }\n];\n'
)
_TERRAFORM = 'resource "helm_release" "cm" {\n  name       = "cert-manager"\n  namespace  = "cert-manager"\n  chart      = "cert-manager"\n}\n'
_GIVEN = "what is kept for the bootstrap"
GIVEN = Case(
    f"{_GIVEN}: in a file that is called so",
    {
        "clusters/x/all.yaml": unit("app", "", "postBuild: {substituteFrom: [{kind: Secret, name: settings}]}"),
        "app/all.yaml": namespace("wiki"),
        "bootstrap.sops.yaml": thing("v1", "Secret", "settings", "flux-system", "stringData: {A: b}\n"),
    },
)

CASES = [
    LED,
    LED.but(
        "of a child that is not there",
        ("base/all.yaml", "name: controllers", "name: controller"),
        told=(Told("clusters/x/all.yaml", "dependsOn: [{name: controllers}]"),),
    ),
    LED.but(
        "of one that it does not apply",
        ("setup/install.sh", "kubectl apply -f", "kubectl diff -f"),
        told=(Told("clusters/x/all.yaml", "dependsOn: [{name: controllers}]"),),
    ),
    LED.but(
        "what a cluster's own Kustomizations wait for, though a script applies the first of them",
        ("clusters/x/all.yaml", "dependsOn: [{name: controllers}]", "dependsOn: [{name: other}]"),
        ("setup/base.yaml", "path: ./base", "path: ./clusters/x"),
        more={
            "clusters/x/other.yaml": unit("other", "app"),
            "base/all.yaml": "",
            "controllers/all.yaml": "",
            "other/all.yaml": namespace("other"),
        },
        told=(Told("clusters/x/all.yaml", "dependsOn: [{name: other}]"),),
    ),
    RELEASED,
    RELEASED.but(
        "one that nobody applies",
        ("setup/install.sh", "first", "second"),
        told=(Told("app/all.yaml", "dependsOn: [{name: first}]"),),
    ),
    RANGED,
    RANGED.but(
        "releases that are not in the list",
        ("bootstrap/helmfile.yaml.gotmpl", '"name" "dns"', '"name" "other"'),
        ("bootstrap/helmfile.yaml.gotmpl", '"name" "cilium"', '"name" "another"'),
        told=(Told("cni/all.yaml", "dependsOn: [{name: dns}]"),),
    ),
    FILLED,
    FILLED.but(
        "of another name",
        ("setup/secrets.yaml.templ", "name: secrets", "name: secret"),
        told=(Told("clusters/x/all.yaml", "dependsOn: [{name: secrets}]"),),
    ),
    ADDRESSES,
    ADDRESSES.but(
        "which it only lists",
        ("scripts/install.sh", "kubectl apply --server-side --filename", "echo"),
        told=(Told("app/all.yaml", "kind: PodMonitor"),),
    ),
    BELOW,
    BELOW.but(
        "a Secret that is not in the list",
        (".taskfiles/bootstrap/Taskfile.yaml", "settings.yaml", "setting.yaml"),
        told=(Told("cluster/x/all.yaml", "substituteFrom"),),
    ),
    ALL,
    ALL.but(
        "a dependency that is nowhere",
        ("one/ks.yaml", "dependsOn: [{name: two}]", "dependsOn: [{name: three}]"),
        told=(Told("one/ks.yaml", "dependsOn: [{name: three}]"),),
    ),
    REMOTE,
    REMOTE.but(
        "a namespace that is not",
        ("clusters/x/tekton/kustomization.yaml", "namespace: tekton-operator", "namespace: builds"),
        told=(Told("clusters/x/tekton/all.yaml", "config"),),
    ),
    ACCOUNT,
    ACCOUNT.but(
        "beside it is one that a file makes, and nobody reads",
        more={"issuers/more.yaml": thing("v1", "Secret", "aws-route53-keys", "cert-manager", "stringData: {id: x}\n")},
        told=(Told("issuers/all.yaml", "aws-route53"),),
    ),
    SAMPLE,
    SAMPLE.but(
        "it is no template",
        more={
            "app/secrets.template.yaml": "",
            "app/secrets.yaml": thing("v1", "Secret", "wiki-login", "wiki", "stringData: {A: x}\n"),
        },
        told=(Told("app/kustomization.yaml", "resources:"),),
    ),
    HELM,
    HELM.but("of a list in a Nix module", more={"scripts/install.sh": "", "modules/bootstrap-apps.nix": _NIX}),
    HELM.but("of Terraform", more={"scripts/install.sh": "", "main.tf": _TERRAFORM}),
    HELM.but(
        "another of that chart",
        ("scripts/install.sh", "--wait cert-manager", "--wait other"),
        told=(Told("cert-manager/all.yaml", "kind: ClusterIssuer"),),
    ),
    HELM.but(
        "an upgrade of what is there",
        ("scripts/install.sh", "--install ", ""),
        told=(Told("cert-manager/all.yaml", "kind: ClusterIssuer"),),
    ),
    HELM.but(
        "another of Terraform's",
        more={"scripts/install.sh": "", "main.tf": _TERRAFORM.replace('= "cert-manager"', '= "other"', 1)},
        told=(Told("cert-manager/all.yaml", "kind: ClusterIssuer"),),
    ),
    GIVEN,
    GIVEN.but(
        "in a file of another name",
        more={
            "bootstrap.sops.yaml": "",
            "boot.sops.yaml": thing("v1", "Secret", "settings", "flux-system", "stringData: {A: b}\n"),
        },
        told=(Told("clusters/x/all.yaml", "substituteFrom", by_luck=True),),
    ),
]
