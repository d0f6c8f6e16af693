"""What Flux, kustomize and operators refuse of their own kinds, or wait for: written so that the API server takes it."""

from corpus.case import ESO, JETSTACK, STRANGE, Case, Told, namespace, release, thing, unit

ROOT = {"clusters/x/all.yaml": unit("app")}
MAP = namespace("wiki") + thing("v1", "ConfigMap", "settings", "wiki", "data: {a: b}\n")
HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [all.yaml, ../base]\n"
BUILT = ROOT | {
    "app/kustomization.yaml": HEAD,
    "app/all.yaml": MAP,
    "base/kustomization.yaml": "apiVersion: config.k8s\nkind: Kustomization\nresources: [all.yaml]\n",
    "base/all.yaml": namespace("base"),
}
VERSION = Case(
    "a kustomization that kustomize does not know: its apiVersion",
    BUILT,
    (Told("base/kustomization.yaml", "config.k8s"),),
)
KIND = Case(
    "a kustomization that kustomize does not know: its kind",
    BUILT | {"base/kustomization.yaml": "kind: Kustomisation\nresources: [all.yaml]\n"},
    (Told("base/kustomization.yaml", "Kustomisation"),),
)
PATCHED = Case(
    "a patch by its file alone",
    BUILT | {
        "base/kustomization.yaml": "resources: [all.yaml]\n",
        "app/kustomization.yaml": HEAD + "patches:\n- target: {kind: Namespace}\n  path: labels.yaml\n- patch.yaml\n",
        "app/labels.yaml": "- {op: add, path: /metadata/labels, value: {a: b}}\n",
        "app/patch.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: wiki}\ndata: {a: c}\n",
    },
    (Told("app/kustomization.yaml", "- patch.yaml"), Told("app/patch.yaml", by_luck=True)),
)  # fmt: skip
FIELD = Case(
    "a field that a kustomization has not: its line",
    BUILT | {"base/kustomization.yaml": "resources: [all.yaml]\nnamesPrefix: a-\n"},
    (Told("base/kustomization.yaml", "namesPrefix"),),
)  # fmt: skip

SOURCE = "source.toolkit.fluxcd.io/v1"


def named(name: str, text: str, wrong: str, by: tuple[str, str] | None = None) -> Case:
    """One object in a folder, and what of it is refused; `by` is the operator: its namespace, and the release."""
    files = {"clusters/x/all.yaml": unit("app"), "app/all.yaml": namespace("wiki") + text}
    if by:
        files |= {
            "clusters/x/all.yaml": unit("by") + unit("app", "by"),
            "by/all.yaml": namespace(by[0], "privileged") + by[1],
        }
    return Case(f"refused by who reads it: {name}", files, (Told("app/all.yaml", wrong),))


def installed(name: str, space: str, version: str, url: str, values: str = "") -> tuple[str, str]:
    return space, release(name, space, version, url, values)


MANAGER = installed("cert-manager", "cert-manager", "v1.19.1", JETSTACK, "{crds: {enabled: true}}")
SECRETS = installed("external-secrets", "external-secrets", "0.20.4", ESO)
METALLB = installed("metallb", "metallb-system", "0.15.2", "https://metallb.github.io/metallb")
POSTGRES = installed("cloudnative-pg", "cnpg-system", "0.26.1", "https://cloudnative-pg.github.io/charts")
VERSIONED = named(
    "a version of a chart that is no range", release("blog", "wiki", "latest", STRANGE), "version: 'latest'"
)
CALLED = named(
    "a chart called by its repository, too",
    release("blog", "wiki", "1.0.0", STRANGE, chart="strange/blog"),
    "strange/blog",
)
CHARTLESS = named(
    "a release without a chart",
    thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", "blog", "wiki", "spec:\n  interval: 1h\n  install: {remediation: {retries: -1}}\n  upgrade: {remediation: {retries: -1}}\n"),
    "spec:",
)  # fmt: skip
OVER_SSH = named(
    "a Git repository over SSH without a key",
    thing(
        SOURCE,
        "GitRepository",
        "blog",
        "wiki",
        "spec:\n  interval: 1h\n  url: ssh://git@github.com/castle/blog\n  ref: {branch: main}\n",
    ),
    "url: ssh",
)
TAGGED = named(
    "a tag in the URL of an OCIRepository",
    thing(SOURCE, "OCIRepository", "blog", "wiki", "spec:\n  interval: 1h\n  url: oci://ghcr.io/castle/blog:1.0.0\n"),
    "blog:1.0.0",
)
VALUES = named(
    "values that are no YAML",
    thing("v1", "ConfigMap", "values", "wiki", "data:\n  values.yaml: 'a: b: c'\n")
    + release("blog", "wiki", "1.0.0", STRANGE).replace(
        "  chart:\n", "  valuesFrom: [{kind: ConfigMap, name: values}]\n  chart:\n"
    ),
    "values.yaml: ",
)
SIGNED = thing("cert-manager.io/v1", "ClusterIssuer", "own", body="spec: {selfSigned: {}}\n")
CERTIFICATE = "spec:\n  secretName: wiki-tls\n  duration: 2160h\n  dnsNames: [wiki.castle.example]\n  issuerRef: {kind: ClusterIssuer, name: own}\n"
DAYS = named(
    "a duration in days",
    SIGNED + thing("cert-manager.io/v1", "Certificate", "wiki", "wiki", CERTIFICATE.replace("2160h", "90d")),
    "duration: 90d",
    MANAGER,
)
WILD = named(
    "a wildcard that is proved over HTTP",
    thing("cert-manager.io/v1", "ClusterIssuer", "own", body="spec: {acme: {server: 'https://acme.castle.example/directory', privateKeySecretRef: {name: own}, solvers: [{http01: {ingress: {}}}]}}\n")
    + thing("cert-manager.io/v1", "Certificate", "wiki", "wiki", CERTIFICATE.replace("[wiki", "['*").replace("example]", "example']")),
    "dnsNames", MANAGER,
)  # fmt: skip
READ = "spec:\n  refreshInterval: 1h\n  secretStoreRef: {kind: ClusterSecretStore, name: none}\n  target:\n    template:\n      data:\n        url: 'https://{{ .token }}@castle.example'\n  data: [{secretKey: token, remoteRef: {key: a}}]\n"
STORED = thing(
    "external-secrets.io/v1",
    "ClusterSecretStore",
    "none",
    body="spec: {provider: {fake: {data: [{key: a, value: b}]}}}\n",
)
EVERY = named(
    "an interval in days",
    STORED + thing("external-secrets.io/v1", "ExternalSecret", "wiki", "wiki", READ.replace("1h", "1d")),
    "refreshInterval: 1d",
    SECRETS,
)
USED = named(
    "a template of what is not read",
    STORED + thing("external-secrets.io/v1", "ExternalSecret", "wiki", "wiki", READ.replace(".token", ".tokne")),
    "url:",
    SECRETS,
)
POOL = thing(
    "metallb.io/v1beta1",
    "IPAddressPool",
    "home",
    "metallb-system",
    "spec:\n  addresses: [192.168.7.100-192.168.7.110]\n",
)
SHOWN = thing("metallb.io/v1beta1", "L2Advertisement", "home", "metallb-system", "spec: {ipAddressPools: [home]}\n")
SINGLE = named(
    "a pool of an address without a length", POOL.replace("-192.168.7.110", "") + SHOWN, "addresses:", METALLB
)
AWAY = named(
    "a pool in another namespace than MetalLB's",
    POOL.replace("metallb-system", "wiki") + SHOWN,
    "namespace: wiki",
    METALLB,
)
NO_POOL = named(
    "an advertisement of a pool that there is not", POOL + SHOWN.replace("[home]", "[house]"), "[house]", METALLB
)
BEGUN = named(
    "a database that recovers from what it does not say",
    thing("postgresql.cnpg.io/v1", "Cluster", "db", "wiki", "spec:\n  instances: 1\n  storage: {size: 1Gi}\n  bootstrap: {recovery: {source: before}}\n"),
    "source: before", POSTGRES,
)  # fmt: skip

VOLUME = "spec:\n  capacity: {storage: 1Gi}\n  accessModes: [ReadWriteOnce]\n  storageClassName: manual\n  persistentVolumeReclaimPolicy: Retain\n  nfs: {server: nas.castle.example, path: /wiki}\n  claimRef: {namespace: wiki, name: data}\n"
CLAIM = "spec:\n  accessModes: [ReadWriteOnce]\n  storageClassName: manual\n  volumeName: wiki\n  resources: {requests: {storage: 1Gi}}\n"
TAKEN = Case(
    "a volume that is for another claim: by its claimRef",
    ROOT | {"app/all.yaml": namespace("wiki") + thing("v1", "PersistentVolume", "wiki", body=VOLUME) + thing("v1", "PersistentVolumeClaim", "date", "wiki", CLAIM)},
    (Told("app/all.yaml", "volumeName: wiki"),),
)  # fmt: skip

CASES = [
    VERSION,
    VERSION.but("no version at all", ("base/kustomization.yaml", "apiVersion: config.k8s\n", "")),
    VERSION.but("a Component's", ("base/kustomization.yaml", "config.k8s\nkind: Kustomization", "kustomize.config.k8s.io/v1alpha1\nkind: Component"), (
        "app/kustomization.yaml", "resources: [all.yaml, ../base]", "resources: [all.yaml]\ncomponents: [../base]")),
    KIND,
    KIND.but("no kind at all", ("base/kustomization.yaml", "kind: Kustomisation\n", "")),
    PATCHED,
    PATCHED.but("below path", ("app/kustomization.yaml", "- patch.yaml", "- path: patch.yaml")),
    VERSIONED,
    VERSIONED.but("a range", ("app/all.yaml", "'latest'", "'>=1.0.0 <2.0.0'")),
    CALLED,
    CALLED.but("its name", ("app/all.yaml", "strange/blog", "blog")),
    CHARTLESS,
    OVER_SSH,
    OVER_SSH.but("over HTTPS", ("app/all.yaml", "ssh://git@", "https://")),
    TAGGED,
    TAGGED.but("a port", ("app/all.yaml", "ghcr.io/castle/blog:1.0.0", "ghcr.io:443/castle/blog")),
    VALUES,
    VALUES.but("a mapping", ("app/all.yaml", "b: c'", "b'")),
    DAYS,
    DAYS.but("in hours", ("app/all.yaml", "90d", "2160h0m0s")),
    WILD,
    WILD.but("by DNS, too", ("app/all.yaml", "solvers: [", "solvers: [{dns01: {rfc2136: {nameserver: '192.168.7.1:53'}}}, ")),
    WILD.but("no wildcard", ("app/all.yaml", "'*.castle", "'wiki.castle")),
    EVERY,
    EVERY.but("an interval in hours", ("app/all.yaml", "1d", "24h")),
    USED,
    USED.but("of all that a key has", ("app/all.yaml", "  data: [{", "  dataFrom: [{extract: {key: a}}]\n  data: [{")),
    SINGLE,
    SINGLE.but("with one", ("app/all.yaml", "192.168.7.100", "192.168.7.100/32")),
    AWAY,
    NO_POOL,
    NO_POOL.but("one that there is", ("app/all.yaml", "[house]", "[home]")),
    BEGUN,
    BEGUN.but("what it says", ("app/all.yaml", "  bootstrap", "  externalClusters: [{name: before, connectionParameters: {host: db.castle.example}}]\n  bootstrap")),
    TAKEN,
    TAKEN.but("for this one", ("app/all.yaml", "name: data}", "name: date}")),
    TAKEN.but("for this one, but smaller", ("app/all.yaml", "name: data}", "name: date}"), ("app/all.yaml", "requests: {storage: 1Gi}", "requests: {storage: 2Gi}"), told=[Told("app/all.yaml", "resources")]),
    TAKEN.but("for none yet", ("app/all.yaml", "  claimRef: {namespace: wiki, name: data}\n", "")),
    FIELD,
    FIELD.but("one that it has", ("base/kustomization.yaml", "namesPrefix", "namePrefix")),
]  # fmt: skip
