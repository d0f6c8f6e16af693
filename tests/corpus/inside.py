"""What objects name in strings, values and keys; storage, databases, Talos beside Flux."""

from corpus.case import CILIUM, STRANGE, Case, Told, namespace, pods, release, thing, unit
from corpus.silence import CERT_MANAGER, OPERATOR, STORE

LONGHORN = "https://charts.longhorn.io"
APPS = "https://bjw-s-labs.github.io/helm-charts"
ARCHIVE = (
    "destinationPath: 's3://archive/wiki', endpointURL: 'https://s3.example', "
    "s3Credentials: {accessKeyId: {name: archive, key: id}, secretAccessKey: {name: archive, key: secret}}"
)
ADMISSION = (
    "machine: {type: controlplane, token: abcdef.0123456789abcdef}\ncluster:\n  controlPlane: {endpoint: 'https://192.168.60.10:6443'}\n"
    "  apiServer:\n    admissionControl:\n    - name: PodSecurity\n      configuration:\n"
    "        apiVersion: pod-security.admission.config.k8s.io/v1alpha1\n        kind: PodSecurityConfiguration\n"
    "        defaults: {enforce: baseline, enforce-version: latest}\n"
)

RECOVERS = Case(
    "a database recovers from the archive that it writes: CloudNativePG",
    {
        "clusters/x/all.yaml": unit("operators") + unit("database", "operators"),
        "operators/all.yaml": namespace("cnpg-system") + release("cloudnative-pg", "cnpg-system", "0.26.1", "https://cloudnative-pg.github.io/charts"),
        "database/all.yaml": namespace("wiki")
        + thing("v1", "Secret", "archive", "wiki", "stringData: {id: someone, secret: something}\n")
        + thing(
            "postgresql.cnpg.io/v1", "Cluster", "wiki-db", "wiki",
            "spec:\n  instances: 1\n  storage: {size: 5Gi}\n  bootstrap: {recovery: {source: before}}\n"
            f"  backup:\n    barmanObjectStore: {{{ARCHIVE}}}\n  externalClusters:\n  - name: before\n    barmanObjectStore: {{{ARCHIVE}, serverName: wiki-db}}\n",
        ),
    },
    (Told("database/all.yaml"),),
)  # fmt: skip
FORGE = Case(
    "a source inside the cluster that it builds: a forge of this repository",
    {
        "clusters/x/all.yaml": thing(
            "source.toolkit.fluxcd.io/v1", "GitRepository", "flux-system", "flux-system",
            "spec: {interval: 1m, ref: {branch: main}, url: 'http://forge.git.svc.cluster.local:3000/castle/gitops.git'}\n",
        )
        + unit("forge"),
        "forge/all.yaml": namespace("git") + thing("v1", "Service", "forge", "git", "spec: {selector: {app: forge}, ports: [{port: 3000}]}\n")
        + pods("Deployment", "forge", "git"),
    },
    (Told("clusters/x/all.yaml", "forge.git.svc"),),
)  # fmt: skip
LEVEL = Case(
    "a namespace without a level: storage under Talos' default",
    {
        "talos/controlplane.yaml": ADMISSION,
        "clusters/x/all.yaml": unit("storage"),
        "storage/all.yaml": namespace("longhorn-system") + release("longhorn", "longhorn-system", "1.10.1", LONGHORN),
    },
    (Told("storage/all.yaml"),),
)
PRIVILEGED = Case(
    "a pod that its namespace rejects: a path of the machine under Talos' default",
    {
        "talos/controlplane.yaml": ADMISSION,
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + pods("Deployment", "frigate", "home", "volumeMounts: [{name: dri, mountPath: /dev/dri}]", "volumes: [{name: dri, hostPath: {path: /dev/dri}}]"),
    },
    (Told("app/all.yaml"),),
)  # fmt: skip
SPIRE = Case(
    "storage behind identities that are on it: SPIRE",
    {
        "clusters/x/all.yaml": unit("network") + unit("storage", "network") + unit("identity", "storage") + unit("policies", "identity"),
        "network/all.yaml": release("cilium", "kube-system", "1.19.4", CILIUM, "{authentication: {mutual: {spire: {enabled: true, install: {enabled: false}}}}}"),
        "storage/all.yaml": namespace("longhorn-system", "privileged")
        + release("longhorn", "longhorn-system", "1.10.1", LONGHORN, "{persistence: {defaultClass: true}}"),
        "identity/all.yaml": namespace("cilium-spire", "privileged")
        + thing("v1", "Service", "spire-server", "cilium-spire", "spec: {selector: {app: spire-server}, ports: [{port: 8081}]}\n")
        + pods("StatefulSet", "spire-server", "cilium-spire", "volumeMounts: [{name: data, mountPath: /run/spire/data}]").replace(
            "spec:\n  replicas", "spec:\n  serviceName: spire-server\n  volumeClaimTemplates:\n  - metadata: {name: data}\n"
            "    spec: {accessModes: [ReadWriteOnce], storageClassName: longhorn, resources: {requests: {storage: 1Gi}}}\n  replicas", 1,
        ),
        "policies/all.yaml": thing(
            "cilium.io/v2", "CiliumClusterwideNetworkPolicy", "everybody", body=(
                "spec:\n  endpointSelector: {}\n  ingress: [{fromEntities: [cluster], authentication: {mode: required}}]\n"
            )
        ),
    },
    (Told("identity/all.yaml"),),
)  # fmt: skip
VALUES = (
    "{controllers: {web: {containers: {app: {image: {repository: nginx, tag: '1.29'}}}}}, "
    "configMaps: {settings: {data: {config.yaml: 'a: 1'}}}, persistence: {settings: {type: configMap, name: web-settings}}}"
)
ONLY_ONE = Case(
    "the name that a chart gives: app-template's only ConfigMap has the release's",
    {
        "clusters/x/all.yaml": unit("web"),
        "web/all.yaml": namespace("web") + release("web", "web", "4.6.2", APPS, VALUES, chart="app-template"),
    },
    (Told("web/all.yaml", "web-settings"),),
)
KEYS = Case(
    "a key that a templated ExternalSecret does not make: read by a pod",
    {
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("app", "stores"),
        "eso/all.yaml": OPERATOR,
        "stores/all.yaml": STORE,
        "app/all.yaml": namespace("home")
        + thing(
            "external-secrets.io/v1", "ExternalSecret", "seed", "home",
            "spec:\n  secretStoreRef: {kind: ClusterSecretStore, name: central}\n  target: {name: seed, template: {data: {config.js: '{{ .PASSWORD }}'}}}\n"
            "  data: [{secretKey: PASSWORD, remoteRef: {key: castle/seed, property: password}}]\n",
        )
        + pods("Deployment", "seed", "home", "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: seed, key: PASSWORD}}}]"),
    },
    (Told("app/all.yaml", "key: PASSWORD"),),
)  # fmt: skip
KEY_IN_VALUES = Case(
    "a key that a Secret does not have: read in app-template's values",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing("v1", "Secret", "seed", "home", "stringData: {config.js: a}\n")
        + release(
            "seed", "home", "4.6.2", APPS, chart="app-template",
            values="\n    controllers:\n      seed:\n        containers:\n          app:\n            image: {repository: nginx, tag: '1.29'}\n"
            "            env: {LOGIN: {valueFrom: {secretKeyRef: {name: seed, key: login}}}}",
        ),
    },
    (Told("app/all.yaml", "key: login"),),
)  # fmt: skip
TOKEN_KEY = Case(
    "a key that an ExternalSecret does not make: read by an issuer",
    {
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso") + unit("cert-manager") + unit("issuers", "stores cert-manager"),
        "eso/all.yaml": OPERATOR,
        "stores/all.yaml": STORE,
        "cert-manager/all.yaml": CERT_MANAGER,
        "issuers/all.yaml": thing(
            "external-secrets.io/v1", "ExternalSecret", "cloudflare", "cert-manager",
            "spec:\n  secretStoreRef: {kind: ClusterSecretStore, name: central}\n  target: {name: cloudflare}\n"
            "  data: [{secretKey: api-token, remoteRef: {key: castle/dns, property: token}}]\n",
        )
        + thing(
            "cert-manager.io/v1", "ClusterIssuer", "public", body=(
                "spec:\n  acme:\n    server: https://acme-v02.api.letsencrypt.org/directory\n    privateKeySecretRef: {name: public}\n"
                "    solvers: [{dns01: {cloudflare: {apiTokenSecretRef: {name: cloudflare, key: DNS_TOKEN}}}}]\n"
            )
        ),
    },
    (Told("issuers/all.yaml", "key: DNS_TOKEN"),),
)  # fmt: skip
CLASSES = Case(
    "a claim and its volume of different classes: by a slip",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing(
            "v1", "PersistentVolume", "music", body=(
                "spec:\n  capacity: {storage: 1Gi}\n  accessModes: [ReadWriteMany]\n  storageClassName: music-class\n  nfs: {server: nas.example, path: /music}\n"
            )
        )
        + thing(
            "v1", "PersistentVolumeClaim", "music", "home",
            "spec:\n  accessModes: [ReadWriteMany]\n  storageClassName: musik-class\n  volumeName: music\n  resources: {requests: {storage: 1Gi}}\n",
        ),
    },
    (Told("app/all.yaml", "musik-class"),),
)  # fmt: skip
TLS = Case(
    "a Gateway's certificate in another namespace: without a grant",
    {
        "clusters/x/all.yaml": unit("crds") + unit("cert-manager") + unit("edge", "crds cert-manager"),
        "crds/kustomization.yaml": "resources: [all.yaml]\n",
        "crds/all.yaml": "",
        "cert-manager/all.yaml": CERT_MANAGER,
        "edge/all.yaml": namespace("edge")
        + thing("cert-manager.io/v1", "ClusterIssuer", "own", body="spec: {selfSigned: {}}\n")
        + thing("cert-manager.io/v1", "Certificate", "front", "cert-manager", "spec: {secretName: front-tls, dnsNames: [a.example], issuerRef: {kind: ClusterIssuer, name: own}}\n")
        + thing("gateway.networking.k8s.io/v1", "GatewayClass", "own", body="spec: {controllerName: example.com/own}\n")
        + thing(
            "gateway.networking.k8s.io/v1", "Gateway", "front", "edge",
            "spec:\n  gatewayClassName: own\n  listeners:\n  - {name: https, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: front-tls}]}}\n",
        ),
    },
    (Told("edge/all.yaml", "certificateRefs", by_luck=True),),
    "inside: what a Gateway names",
)  # fmt: skip
HOSTS = Case(
    "a Service that a variable names: and nothing makes",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing("v1", "Service", "cache", "home", "spec: {selector: {app: cache}, ports: [{port: 6379}]}\n")
        + pods("Deployment", "cache", "home")
        + pods(
            "Deployment", "web", "home", "env: [{name: REDIS_URL, value: 'redis://cash.home.svc.cluster.local:6379/0'}]"
        ),
    },
    (Told("app/all.yaml", "cash.home", by_luck=True),),
)

CLASS = Case(
    "a class in the values of a chart that is not known: by a slip",
    {
        "clusters/x/all.yaml": unit("storage") + unit("app", "storage"),
        "storage/all.yaml": thing(
            "storage.k8s.io/v1", "StorageClass", "fast-disk", body="provisioner: example.com/disk\n"
        ),
        "app/all.yaml": namespace("home")
        + release(
            "parse", "home", "1.0.0", STRANGE, "{server: {persistence: {enabled: true, storageClass: fast-dsik}}}"
        ),
    },
    (Told("app/all.yaml", "fast-dsik"),),
)
GIVEN = Case(
    "what values give to pods in Kubernetes' own words: a volume of a Secret that nothing makes",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing("v1", "Secret", "keys", "home", "stringData: {a: b}\n")
        + release("parse", "home", "1.0.0", STRANGE, "{server: {extraVolumes: [{name: keys, secret: {secretName: keyz}}]}}"),
    },
    (Told("app/all.yaml", "keyz", by_luck=True),),
)  # fmt: skip
GIVEN_KEY = Case(
    "what values give to pods, by key: a key that the Secret has not",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing("v1", "Secret", "login", "home", "stringData: {password: something}\n")
        + release(
            "parse", "home", "1.0.0", STRANGE, "{env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: login, key: passwort}}}]}",
        ),
    },
    (Told("app/all.yaml", "passwort"),),
)  # fmt: skip
EXISTING = Case(
    "a Secret that is to be there already, say values: and nothing makes it",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("home")
        + thing("v1", "Secret", "admin", "home", "stringData: {password: something}\n")
        + release("parse", "home", "1.0.0", STRANGE, "{auth: {existingSecret: admin-secret}}"),
    },
    (Told("app/all.yaml", "admin-secret", by_luck=True),),
)
CALLER = Case(
    "a namespace that may use Talos' API: by a slip",
    {
        "talos/talconfig.yaml": "clusterName: castle\ntalosVersion: v1.11.5\nkubernetesVersion: v1.34.2\nendpoint: https://192.168.60.10:6443\n"
        "nodes:\n- {hostname: a, ipAddress: 192.168.60.10, controlPlane: true, installDisk: /dev/sda}\n"
        "controlPlane:\n  patches:\n  - '@access.yaml'\n",
        "talos/access.yaml": "machine:\n  features:\n    kubernetesTalosAPIAccess:\n      enabled: true\n      allowedRoles: ['os:reader']\n"
        "      allowedKubernetesNamespaces:\n      - action-runner\n",
        "clusters/x/all.yaml": unit("home"),
        "home/all.yaml": namespace("actions-runner"),
    },
    (Told("talos/access.yaml", "- action-runner"),),
)
DNS = Case(
    "two makers of the cluster's DNS: Talos, as talhelper writes it, and a release",
    {
        "talos/talconfig.yaml": "clusterName: castle\ntalosVersion: v1.11.5\nkubernetesVersion: v1.34.2\nendpoint: https://192.168.60.10:6443\n"
        "nodes:\n- {hostname: a, ipAddress: 192.168.60.10, controlPlane: true, installDisk: /dev/sda}\n"
        "controlPlane:\n  patches:\n  - |-\n    cluster:\n      proxy: {disabled: true}\n",
        "clusters/x/all.yaml": unit("dns"),
        "dns/all.yaml": release(
            "coredns",
            "kube-system",
            "1.45.0",
            "https://coredns.github.io/helm",
            "{fullnameOverride: coredns, service: {clusterIP: 10.96.0.10}}",
        ),
    },
    (Told("dns/all.yaml"),),
)

CASES = [
    RECOVERS,
    RECOVERS.but("into another place", ("database/all.yaml", "secret}}}\n  externalClusters", "secret}}, serverName: second}\n  externalClusters")),
    FORGE,
    FORGE.but("outside", ("clusters/x/all.yaml", "http://forge.git.svc.cluster.local:3000", "https://git.outside.example")),
    LEVEL,
    LEVEL.but("with the level", ("storage/all.yaml", "{name: longhorn-system}\n", "{name: longhorn-system, labels: {pod-security.kubernetes.io/enforce: privileged}}\n")),
    PRIVILEGED,
    PRIVILEGED.but("with the level", ("app/all.yaml", "{name: home}\n", "{name: home, labels: {pod-security.kubernetes.io/enforce: privileged}}\n")),
    PRIVILEGED.but("the namespace is exempt", ("talos/controlplane.yaml", "latest}\n", "latest}\n        exemptions: {namespaces: [home]}\n")),
    SPIRE,
    SPIRE.but("nobody has to prove anything", more={"policies/all.yaml": namespace("policies")}),
    ONLY_ONE,
    ONLY_ONE.but("named so", ("web/all.yaml", "name: web-settings", "name: web")),
    ONLY_ONE.but("one of two", ("web/all.yaml", "configMaps: {", "configMaps: {other: {data: {a: b}}, ")),
    ONLY_ONE.but("of a version that always tells them apart", ("web/all.yaml", "version: '4.6.2'", "version: '3.7.3'")),
    ONLY_ONE.but("told to tell them apart", ("web/all.yaml", "{controllers", "{global: {alwaysAppendIdentifierToResourceName: true}, controllers")),
    ONLY_ONE.but("with a suffix", ("web/all.yaml", "settings: {data", "settings: {suffix: settings, data")),
    ONLY_ONE.but(
        "another makes it",
        ("web/all.yaml", "---", "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-settings, namespace: web}\ndata: {a: b}\n---"),
    ),
    KEYS,
    KEYS.but("it merges", ("app/all.yaml", "template: {data", "template: {mergePolicy: Merge, data")),
    KEYS.but("no template", ("app/all.yaml", ", template: {data: {config.js: '{{ .PASSWORD }}'}}", "")),
    TOKEN_KEY,
    TOKEN_KEY.but("the key it has", ("issuers/all.yaml", "key: DNS_TOKEN", "key: api-token")),
    KEY_IN_VALUES,
    KEY_IN_VALUES.but("in a list", ("app/all.yaml", "{LOGIN: {valueFrom: {secretKeyRef: {name: seed, key: login}}}}", "[{name: LOGIN, secretKeyRef: {name: seed, key: login}}]"), told=[Told("app/all.yaml", "key: login")]),
    KEY_IN_VALUES.but("the key it has", ("app/all.yaml", "key: login", "key: config.js")),
    CLASSES,
    CLASSES.but("the same", ("app/all.yaml", "musik-class", "music-class")),
    CLASS,
    CLASS.but("the one that is there", ("app/all.yaml", "fast-dsik", "fast-disk")),
    CLASS.but("one of the machine's own, like none of ours", ("app/all.yaml", "fast-dsik", "gp3")),
    CLASS.but("a word more", ("app/all.yaml", "fast-dsik", "fast-disk-retain"), told=[Told("app/all.yaml", "fast-disk-retain", by_luck=True)]),
    CLASS.but("switched off", ("app/all.yaml", "enabled: true", "enabled: false")),
    CLASS.but("a variable", ("app/all.yaml", "fast-dsik", "'{{ .Values.class }}'")),
    CLASS.but("a chart that is not known makes it", more={"storage/more.yaml": namespace("storage") + release("disks", "storage", "1.0.0", STRANGE, "{classes: [{name: fast-dsik}]}")}),
    GIVEN,
    GIVEN.but("the Secret is there", ("app/all.yaml", "secretName: keyz", "secretName: keys")),
    GIVEN.but("the pods may do without", ("app/all.yaml", "secretName: keyz", "secretName: keyz, optional: true")),
    GIVEN.but("the chart may make it: it is called like the release", ("app/all.yaml", "secretName: keyz", "secretName: parse-keys")),
    GIVEN.but("an object among the values", ("app/all.yaml", "{server", "{extraObjects: [{apiVersion: v1, kind: Secret, metadata: {name: keyz}}], server")),
    GIVEN.but("what it is given to is switched off", ("app/all.yaml", "{server: {", "{server: {enabled: false, ")),
    GIVEN.but(
        "made by who waits for the release",
        ("app/all.yaml", "secretName: keyz", "secretName: late"),
        ("clusters/x/all.yaml", "---", unit("late", "app") + "---"),
        told=[Told("clusters/x/all.yaml", "depends")],
        more={"late/all.yaml": thing("v1", "Secret", "late", "home", "stringData: {a: b}\n")},
    ),
    GIVEN_KEY,
    GIVEN_KEY.but("the key it has", ("app/all.yaml", "key: passwort", "key: password")),
    EXISTING,
    EXISTING.but("the one that is there", ("app/all.yaml", "admin-secret", "admin")),
    EXISTING.but("called like the release: the chart may make it", ("app/all.yaml", "existingSecret: admin-secret", "existingSecret: parse-admin")),
    EXISTING.but("nothing is made there by these files", ("app/all.yaml", "kind: Secret\nmetadata: {name: admin, namespace: home}\nstringData", "kind: ConfigMap\nmetadata: {name: admin, namespace: home}\ndata")),
    CALLER,
    CALLER.but("the name it has", ("talos/access.yaml", "action-runner", "actions-runner")),
    CALLER.but("like none of ours", ("talos/access.yaml", "action-runner", "upgrades")),
    DNS,
    DNS.but("Talos brings none", ("talos/talconfig.yaml", "proxy: {disabled: true}", "coreDNS: {disabled: true}")),
    HOSTS,
    HOSTS.but("the name it has", ("app/all.yaml", "cash.home", "cache.home")),
    HOSTS.but("of a namespace that is not here", ("app/all.yaml", "cash.home", "cash.elsewhere")),
    HOSTS.but("made by a chart that is not known", more={"app/more.yaml": release("cash", "home", "1.0.0", STRANGE)}),
]  # fmt: skip
