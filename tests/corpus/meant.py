"""What nothing makes, and what was meant; what a source leaves out; and what is applied by hand for one cluster of several."""

from corpus.case import STRANGE, Case, Told, namespace, pods, release, thing, unit
from corpus.found import kept
from corpus.silence import CERT_MANAGER, OPERATOR, STORE

ROOT = {"clusters/x/all.yaml": unit("app")}
IGNORED = (
    "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n"
    "spec:\n  interval: 1m\n  url: https://git.castle.example/castle.git\n  ignore: |\n    /*\n    !/clusters\n    !/app\n"
)


def volume(name: str, kind: str, more: str = "") -> str:
    spec = f"spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], storageClassName: {kind}, nfs: {{server: 192.168.60.5, path: /x}}{more}}}\n"
    return thing("v1", "PersistentVolume", name, body=spec)


def claim(name: str, kind: str, more: str = "") -> str:
    spec = f"spec: {{accessModes: [ReadWriteOnce], storageClassName: {kind}, resources: {{requests: {{storage: 1Gi}}}}{more}}}\n"
    return thing("v1", "PersistentVolumeClaim", name, "wiki", spec)


def settings(name: str) -> str:
    return thing("v1", "ConfigMap", name, "wiki", "data: {a: b}\n")


def mounts(*names: str) -> str:
    volumes = ", ".join(f"{{name: v{at}, configMap: {{name: {name}}}}}" for at, name in enumerate(names))
    return pods("Deployment", "wiki", "wiki", more=f"volumes: [{volumes}]")


VOLUME = Case(
    "a volume that a claim names: in a file that is not listed",
    ROOT | {
        "app/kustomization.yaml": "resources:\n- claim.yaml\n",
        "app/claim.yaml": namespace("wiki") + claim("data", "iscsi", ", volumeName: wiki-data"),
        "app/volume.yaml": volume("wiki-data", "iscsi"),
    },
    (Told("app/kustomization.yaml", "resources:"),),
)  # fmt: skip
CLASS = Case(
    "a claim of another class than its volume: without the volume's name",
    ROOT | {"app/all.yaml": namespace("wiki") + volume("wiki-data", "wiki-data") + claim("wiki-data", "wiki-nfs")},
    (Told("app/all.yaml", "wiki-nfs"), Told("app/all.yaml", "wiki-nfs", by_luck=True)),
)  # fmt: skip
WAY = Case(
    "a file that no kustomization lists: on the way to what one does list",
    {
        "clusters/x/kustomization.yaml": "resources:\n- home/app.yaml\n- ../../other.yaml\n",
        "clusters/x/home/namespace.yaml": namespace("home"),
        "clusters/x/home/app.yaml": unit("app", path="app"),
        "other.yaml": namespace("a") + namespace("b") + namespace("c") + namespace("d"),
        "app/all.yaml": pods("Deployment", "app", "home"),
    },
    (Told("clusters/x/kustomization.yaml", "resources:"),),
)
NAMED = Case(
    "a file that no kustomization lists: a Secret under a chart's own word",
    ROOT | {
        "app/kustomization.yaml": "resources:\n- release.yaml\n",
        "app/release.yaml": namespace("home") + release("argus", "home", "1.0.0", STRANGE, "{runner: {extraEnvVarsSecrets: [holmes]}}"),
        "app/secret.yaml": thing("v1", "Secret", "holmes", "home", "stringData: {a: b}\n"),
    },
    (Told("app/kustomization.yaml", "resources:"),),
)  # fmt: skip
FORGOTTEN = Case(
    "a ConfigMap that nothing makes: among many that the repository makes",
    ROOT | {"app/all.yaml": namespace("wiki") + "".join(map(settings, "abcd")) + mounts("a", "b", "c", "d", "e")},
    (Told("app/all.yaml", "name: e"),),
)
UNUSED = Case(
    "a Secret that nothing makes: beside one that nobody reads",
    {
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("cm") + unit("app", "stores cm"),
        "eso/all.yaml": OPERATOR,
        "stores/all.yaml": STORE,
        "cm/all.yaml": CERT_MANAGER,
        "app/all.yaml": kept("cloudflare-token", "cert-manager", "key")
        + thing("cert-manager.io/v1", "ClusterIssuer", "acme", body=(
            "spec:\n  acme:\n    server: https://acme.castle.example\n    privateKeySecretRef: {name: acme}\n"
            "    solvers: [{dns01: {cloudflare: {apiTokenSecretRef: {name: cloudflare-issuer, key: key}}}}]\n"
        ))
        + thing("cert-manager.io/v1", "Certificate", "castle", "cert-manager", "spec: {secretName: castle-tls, dnsNames: [castle.example], issuerRef: {kind: ClusterIssuer, name: acme}}\n"),
    },
    (Told("app/all.yaml", "cloudflare-issuer"),),
)  # fmt: skip
LIKE = Case(
    "a class of volumes that nothing makes: called as one that is made, and a word more",
    ROOT | {
        "app/all.yaml": namespace("wiki")
        + thing("storage.k8s.io/v1", "StorageClass", "csi-cephfs-config", body="provisioner: cephfs.csi.ceph.com\n")
        + release("redis", "wiki", "1.0.0", STRANGE, "{master: {persistence: {storageClass: csi-cephfs-config-retain}}}")
    },
    (Told("app/all.yaml", "csi-cephfs-config-retain"),),
)  # fmt: skip
LEFT = Case(
    "what the source leaves out of its artifact: by its own ignore",
    {
        "clusters/x/flux-system/gotk-sync.yaml": IGNORED + unit("flux-system", path="clusters/x"),
        "clusters/x/app.yaml": unit("app") + unit("infra"),
        "app/all.yaml": namespace("home"),
        "infra/all.yaml": namespace("infra"),
    },
    (Told("clusters/x/app.yaml", "./infra"),),
)
FILE = Case(
    "what the source leaves out of its artifact: by a file",
    ROOT | {
        ".sourceignore": "# what nobody needs\n*.md\n/app/base/\n",
        "app/kustomization.yaml": "resources:\n- base\n",
        "app/base/kustomization.yaml": "resources:\n- all.yaml\n",
        "app/base/all.yaml": namespace("home"),
    },
    (Told("app/kustomization.yaml", "base"),),
)  # fmt: skip
HAND = Case(
    "what is applied by hand for one cluster: a Secret of the other",
    {
        "one/bootstrap.sh": "kubectl apply -f one/secret.yaml\n",
        "one/secret.yaml": thing("v1", "Secret", "login", "wiki", "stringData: {a: b}\n"),
        "one/flux/all.yaml": unit("flux-system", path="one/flux") + unit("app", path="apps/one"),
        "two/flux/all.yaml": unit("flux-system", path="two/flux") + unit("app", path="apps/two"),
        "apps/one/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: login}}]"),
        "apps/two/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: login}}]"),
    },
    (Told("apps/two/all.yaml", "login", by_luck=True),),
)  # fmt: skip

SYNC = (
    "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: NAME, namespace: flux-system}\n"
    "spec: {interval: 1m, ref: {branch: main}, url: 'https://git.castle.example/home/NAME.git'}\n"
)
OTHERS = Case(
    "a path of another repository that is one here, too: secrets",
    {
        "clusters/x/flux/sync.yaml": SYNC.replace("NAME", "flux-system") + unit("flux-system", path="clusters/x/flux"),
        "clusters/x/flux/apps.yaml": unit("apps", "secrets", "postBuild: {substitute: {DOMAIN: castle.example}}", path="clusters/x/apps"),
        "clusters/x/flux/secrets.yaml": SYNC.replace("NAME", "secrets") + unit("secrets", path="clusters/x").replace("name: flux-system}", "name: secrets}"),
        "clusters/x/apps/all.yaml": namespace("home")
        + thing("networking.k8s.io/v1", "Ingress", "app", "home", "spec: {rules: [{host: 'app.${DOMAIN}'}]}\n"),
    },
)  # fmt: skip

CASES = [
    OTHERS,
    OTHERS.but("of this one, under another name", ("clusters/x/flux/secrets.yaml", "home/secrets.git", "home/flux-system.git"), told=[Told(f"clusters/x/{file}") for file in ("apps/all.yaml", "flux/apps.yaml", "flux/secrets.yaml")]),
    VOLUME,
    VOLUME.but("listed, too", ("app/kustomization.yaml", "- claim.yaml", "- claim.yaml\n- volume.yaml")),
    VOLUME.but("of a driver, or somebody's of before", more={"app/volume.yaml": ""}),
    CLASS,
    CLASS.but("the same class", ("app/all.yaml", "storageClassName: wiki-nfs", "storageClassName: wiki-data")),
    CLASS.but("a volume that another claim asks for", told=CLASS.told[1:], more={"app/more.yaml": claim("other", "wiki-data")}),
    CLASS.but("a class that is made", more={"app/more.yaml": thing("storage.k8s.io/v1", "StorageClass", "wiki-nfs", body="provisioner: nfs.csi.k8s.io\n")}),
    CLASS.but("a volume of a claim elsewhere", ("app/all.yaml", "path: /x}", "path: /x}, claimRef: {namespace: other, name: data}"), told=CLASS.told[1:]),
    WAY,
    WAY.but("listed from above", ("clusters/x/kustomization.yaml", "- home/app.yaml", "- home/app.yaml\n- home/namespace.yaml")),
    NAMED,
    NAMED.but("listed beside it", ("app/kustomization.yaml", "- release.yaml", "- release.yaml\n- secret.yaml")),
    NAMED.but("the same word for something else", ("app/release.yaml", "extraEnvVarsSecrets: [holmes]", "name: holmes"), told=[Told("app/secret.yaml", by_luck=True)]),
    FORGOTTEN,
    FORGOTTEN.but("all of them", ("app/all.yaml", "{name: e}", "{name: d}")),
    FORGOTTEN.but("one of few: by hand, perhaps", ("app/all.yaml", settings("d"), ""), ("app/all.yaml", "{name: d}", "{name: a}"), told=[Told("app/all.yaml", "name: e", by_luck=True)]),
    FORGOTTEN.but("that Istio puts everywhere", ("app/all.yaml", "{name: e}", "{name: istio-ca-root-cert}")),
    UNUSED,
    UNUSED.but("by its name", ("app/all.yaml", "cloudflare-issuer", "cloudflare-token")),
    UNUSED.but(
        "beside one that somebody reads: by hand, perhaps",
        told=[Told("app/all.yaml", "cloudflare-issuer", by_luck=True)],
        more={"app/more.yaml": pods("Deployment", "ddns", "cert-manager", "envFrom: [{secretRef: {name: cloudflare-token}}]")},
    ),
    LIKE,
    LIKE.but("that is made", ("app/all.yaml", "name: csi-cephfs-config}", "name: csi-cephfs-config-retain}")),
    LIKE.but("quite another", ("app/all.yaml", "csi-cephfs-config-retain", "fast")),
    LEFT,
    LEFT.but("taken back by itself", ("clusters/x/flux-system/gotk-sync.yaml", "!/app\n", "!/app\n    !/infra\n")),
    LEFT.but("of another repository", ("clusters/x/flux-system/gotk-sync.yaml", "metadata: {name: flux-system, namespace: flux-system}\nspec:\n  interval: 1m\n  url", "metadata: {name: charts, namespace: flux-system}\nspec:\n  interval: 1m\n  url")),
    FILE,
    FILE.but("taken back by a later line", (".sourceignore", "/app/base/\n", "/app/*\n!/app/base\n!/app/*.yaml\n")),
    FILE.but("in a folder of its own", more={".sourceignore": "", "clusters/.sourceignore": "/app/base/\n"}),
    HAND,
    HAND.but("of both", ("one/bootstrap.sh", "one/secret.yaml", "secret.yaml"), more={"one/bootstrap.sh": "", "bootstrap.sh": "kubectl apply -f secret.yaml\n", "secret.yaml": thing("v1", "Secret", "login", "wiki", "stringData: {a: b}\n")}),
    HAND.but("by the context", ("one/bootstrap.sh", "", ""), more={"one/bootstrap.sh": "", "up.sh": "kubectl --context one create secret generic login -n wiki --from-literal=a=b\n"}, told=HAND.told),
]  # fmt: skip
