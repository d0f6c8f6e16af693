"""What operators' pods and products read and make; a store whose server is elsewhere."""

from corpus.case import ESO, JETSTACK, Case, Told, crd, namespace, pods, release, thing, unit

GRAFANA = {
    "clusters/x/all.yaml": unit("operator") + unit("app", "operator"),
    "operator/all.yaml": namespace("grafana") + release("grafana-operator", "grafana", "5.20.0", "https://grafana.github.io/helm-charts"),
    "app/all.yaml": thing("storage.k8s.io/v1", "StorageClass", "fast", body="provisioner: rancher.io/local-path\n")
    + thing(
        "grafana.integreatly.org/v1beta1", "Grafana", "panels", "grafana",
        "spec:\n  persistentVolumeClaim: {spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}}\n"
        "  deployment:\n    spec:\n      template:\n        spec:\n          containers: [{name: grafana}]\n"
        "          volumes:\n          - name: grafana-data\n            persistentVolumeClaim:\n              claimName: panels-data\n",
    ),
}  # fmt: skip
CLAIM = Case(
    "what the pods of an operator read: a claim of another name than it makes",
    GRAFANA,
    (Told("app/all.yaml", "panels-data"),),
)
READ = Case(
    "what the pods of an operator read: a Secret that nobody lists",
    {
        "clusters/x/all.yaml": unit("crds") + unit("app", "crds"),
        "crds/all.yaml": crd("agents.castle.example", "Agent", "agents"),
        "app/kustomization.yaml": "resources:\n- agent.yaml\n",
        "app/agent.yaml": namespace("wiki")
        + thing("agents.castle.example/v1", "Agent", "helper", "wiki", "spec: {podTemplate: {env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: a}}}]}}\n"),
        "app/secret.yaml": thing("v1", "Secret", "login", "wiki", "stringData: {a: b}\n"),
    },
    (Told("app/kustomization.yaml"),),
)  # fmt: skip
TALOS = Case(
    "a Secret that nothing makes: Talos makes it for its own accounts",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("wiki")
        + thing("talos.dev/v1alpha1", "ServiceAccount", "wiki-talos", "wiki", "spec: {roles: ['os:admin']}\n")
        + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: wiki-talos}}]"),
    },
)
SERVER = Case(
    "a store whose server is a Service of another namespace: that of Bitwarden",
    {
        "clusters/x/all.yaml": unit("eso") + unit("stores", "eso"),
        "eso/all.yaml": namespace("external-secrets")
        + namespace("home")
        + release("external-secrets", "external-secrets", "0.20.4", ESO, "{bitwarden-sdk-server: {enabled: true}}"),
        "stores/all.yaml": thing("v1", "Secret", "token", "external-secrets", "stringData: {token: x}\n")
        + thing(
            "external-secrets.io/v1", "ClusterSecretStore", "bitwarden", "",
            "spec:\n  provider:\n    bitwardensecretsmanager:\n      auth: {secretRef: {credentials: {key: token, name: token, namespace: external-secrets}}}\n"
            "      bitwardenServerSDKURL: https://bitwarden-sdk-server.home.svc.cluster.local:9998\n      organizationID: x\n      projectID: y\n",
        ),
    },
    (Told("stores/all.yaml", "bitwarden-sdk-server.home"),),
)  # fmt: skip
LEVEL = "talos/talconfig.yaml"
HELPER = Case(
    "a pod that a level rejects: what a provisioner runs for each volume",
    {
        "clusters/x/all.yaml": unit("storage") + unit("app", "storage"),
        LEVEL: "clusterName: x\ntalosVersion: v1.12.0\nkubernetesVersion: v1.35.0\nendpoint: https://192.168.7.10:6443\nallowSchedulingOnControlPlanes: true\nnodes:\n- {hostname: a, ipAddress: 192.168.7.11, controlPlane: true, installDisk: /dev/sda}\n",
        "storage/all.yaml": namespace("volumes") + release("openebs", "volumes", "4.3.3", "https://openebs.github.io/openebs"),
        "app/all.yaml": namespace("wiki")
        + thing("v1", "PersistentVolumeClaim", "data", "wiki", "spec: {accessModes: [ReadWriteOnce], storageClassName: openebs-hostpath, resources: {requests: {storage: 1Gi}}}\n")
        + pods("Deployment", "wiki", "wiki", "volumeMounts: [{name: data, mountPath: /data}]", "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]"),
    },
    (Told("storage/all.yaml", "name: volumes"),),
)  # fmt: skip
MONITORED = Case(
    "a kind before its CRD: somebody applies it from the web",
    {
        "clusters/x/all.yaml": unit("monitoring"),
        "bootstrap.sh": "helmfile --file bootstrap/helmfile.yaml apply\n",
        "bootstrap/helmfile.yaml": (
            "releases:\n- name: cilium\n  namespace: kube-system\n  chart: cilium/cilium\n  version: 1.18.3\n  hooks:\n  - events: [presync]\n"
            "    command: kubectl\n    args: [apply, --server-side, --filename, 'https://github.com/prometheus-operator/prometheus-operator/releases/latest/download/stripped-down-crds.yaml']\n"
        ),
        "monitoring/all.yaml": namespace("monitoring")
        + release("kube-prometheus-stack", "monitoring", "80.4.1", "https://prometheus-community.github.io/helm-charts")
        + thing("monitoring.coreos.com/v1", "PodMonitor", "wiki", "monitoring", "spec: {selector: {matchLabels: {app: wiki}}, podMetricsEndpoints: [{port: web}]}\n"),
    },
)  # fmt: skip
HOOK = Case(
    "a Secret that nothing makes: a hook of a helmfile applies it",
    {
        "clusters/x/all.yaml": unit("app"),
        "bootstrap.sh": "helmfile --file bootstrap/helmfile.yaml apply\n",
        "bootstrap/helmfile.yaml": (
            "releases:\n- name: cilium\n  namespace: kube-system\n  chart: cilium/cilium\n  version: 1.18.3\n  hooks:\n  - events: [postsync]\n"
            "    command: kubectl\n    args: [apply, --namespace=wiki, --filename, ../given/login.yaml]\n"
        ),
        "given/login.yaml": thing("v1", "Secret", "login", "wiki", "stringData: {a: b}\n"),
        "app/all.yaml": namespace("wiki") + pods("Deployment", "wiki", "wiki", "envFrom: [{secretRef: {name: login}}]"),
    },
)  # fmt: skip
PULLED = Case(
    "fetched from a server of its own: the registry of an image is no host",
    {
        "clusters/x/all.yaml": unit("app"),
        "app/all.yaml": namespace("wiki")
        + thing("source.toolkit.fluxcd.io/v1", "HelmRepository", "charts", "wiki", "spec: {type: oci, interval: 1h, url: 'oci://registry.strange.example/charts'}\n")
        + thing("helm.toolkit.fluxcd.io/v2", "HelmRelease", "wiki", "wiki", (
            "spec:\n  interval: 1h\n  chart: {spec: {chart: wiki, version: 1.0.0, sourceRef: {kind: HelmRepository, name: charts}}}\n  install: {remediation: {retries: -1}}\n"
            "  upgrade: {remediation: {retries: -1}}\n  values: {gateway: {image: {registry: registry.strange.example}}}\n")),
    },
)  # fmt: skip
SHOWN = Case(
    "a Secret that two make: a Certificate, and what an annotation asks for",
    {
        "clusters/x/all.yaml": unit("cm") + unit("app", "cm"),
        "cm/all.yaml": namespace("cert-manager") + release("cert-manager", "cert-manager", "v1.19.1", JETSTACK, "{crds: {enabled: true}}"),
        "app/all.yaml": namespace("wiki")
        + thing("cert-manager.io/v1", "Issuer", "own", "wiki", "spec: {selfSigned: {}}\n")
        + thing("cert-manager.io/v1", "Certificate", "wiki", "wiki", "spec: {secretName: wiki-tls, dnsNames: [wiki.castle.example], issuerRef: {kind: Issuer, name: own}}\n")
        + thing("networking.k8s.io/v1", "Ingress", "wiki", "wiki", (
            "spec:\n  tls: [{hosts: [wiki.castle.example], secretName: wiki-tls}]\n"
            "  rules: [{host: wiki.castle.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: wiki, port: {number: 80}}}}]}}]\n"
        )).replace("namespace: wiki}\nspec:\n  tls", "namespace: wiki, annotations: {cert-manager.io/issuer: own}}\nspec:\n  tls")
        + thing("v1", "Service", "wiki", "wiki", "spec: {type: ExternalName, externalName: other.castle.example, ports: [{port: 80}]}\n"),
    },
    (Told("app/all.yaml", "cert-manager.io/issuer"),),
)  # fmt: skip
GATEWAY = thing(
    "gateway.networking.k8s.io/v1", "Gateway", "wiki", "wiki",
    "spec:\n  gatewayClassName: castle\n  listeners: [{name: https, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: wiki-tls}]}}]\n",
).replace("namespace: wiki}", "namespace: wiki, annotations: {cert-manager.io/issuer: own}}") + thing(
    "gateway.networking.k8s.io/v1", "GatewayClass", "castle", body="spec: {controllerName: castle.example/gateways}\n"
)  # fmt: skip

_CEPH = "what is made of a cluster of Ceph"
CEPH = Case(
    f"{_CEPH}: of one that is elsewhere",
    {
        "clusters/x/all.yaml": unit("rook") + unit("ceph", "rook"),
        "rook/all.yaml": namespace("rook-ceph")
        + release("rook-ceph", "rook-ceph", "v1.18.4", "https://charts.rook.io/release"),
        "ceph/all.yaml": thing("v1", "Secret", "rook-ceph-mon", "rook-ceph", "stringData: {a: b}\n")
        + thing(
            "ceph.rook.io/v1",
            "CephCluster",
            "far",
            "rook-ceph",
            "spec: {external: {enable: true}, dataDirHostPath: /var/lib/rook}\n",
        ),
    },
)

_ROLES = "a Secret of a role of a database"
ROLES = Case(
    f"{_ROLES}: which its user brings, who waits for the database",
    {
        "clusters/x/all.yaml": unit("cnpg") + unit("db", "cnpg") + unit("app", "db"),
        "cnpg/all.yaml": namespace("cnpg")
        + release("cloudnative-pg", "cnpg", "0.26.0", "https://cloudnative-pg.github.io/charts"),
        "db/all.yaml": namespace("db")
        + thing(
            "postgresql.cnpg.io/v1", "Cluster", "db", "db",
            "spec: {instances: 1, storage: {size: 1Gi}, managed: {roles: [{name: wiki, passwordSecret: {name: wiki-role}}]}}\n",
        ),
        "app/all.yaml": thing("v1", "Secret", "wiki-role", "db", "stringData: {username: wiki, password: x}\n"),
    },
)  # fmt: skip

CASES = [
    ROLES,
    ROLES.but(
        "without which it does not start",
        ("db/all.yaml", "managed: {roles: [{name: wiki, passwordSecret: {name: wiki-role}}]}", "bootstrap: {initdb: {database: wiki, owner: wiki, secret: {name: wiki-role}}}"),
        told=(Told("clusters/x/all.yaml", "dependsOn: [{name: db}]"),),
    ),
    CEPH,
    CEPH.but("of one here", ("ceph/all.yaml", "external: {enable: true}, ", ""), told=(Told("ceph/all.yaml", "name: rook-ceph-mon"),)),
    SHOWN,
    SHOWN.but("with no annotation", ("app/all.yaml", ", annotations: {cert-manager.io/issuer: own}", "")),
    SHOWN.but("at a Gateway, of which cert-manager knows nothing", ("app/all.yaml", ", annotations: {cert-manager.io/issuer: own}", ""), more={
        "clusters/x/more.yaml": unit("crds") + unit("way", "crds app"),
        "crds/all.yaml": crd("gateway.networking.k8s.io", "Gateway", "gateways") + crd("gateway.networking.k8s.io", "GatewayClass", "gatewayclasses", "Cluster"),
        "way/all.yaml": GATEWAY}),
    MONITORED,
    MONITORED.but("of another operator", ("bootstrap/helmfile.yaml", "prometheus-operator/prometheus-operator", "grafana/grafana-operator"), told=[Told("monitoring/all.yaml", "kind: PodMonitor")]),
    HOOK,
    HOOK.but("another one", ("given/login.yaml", "name: login", "name: logout"), told=[Told("app/all.yaml", "name: login", by_luck=True)]),
    PULLED,
    PULLED.but("where it is one", ("app/all.yaml", "gateway: {image: {registry: ", "ingress: {hosts: {core: "), told=[Told("app/all.yaml", "registry.strange.example")]),
    HELPER,
    HELPER.but("in a namespace that lets it", ("storage/all.yaml", namespace("volumes"), namespace("volumes", "privileged"))),
    HELPER.but("of a class that nobody uses", ("app/all.yaml", "storageClassName: openebs-hostpath", "storageClassName: ''")),
    HELPER.but("of machines whose level is not known", more={LEVEL: ""}),
    CLAIM,
    CLAIM.but("the one that it makes", ("app/all.yaml", "claimName: panels-data", "claimName: panels-pvc")),
    CLAIM.but("of a file", more={"app/claim.yaml": thing("v1", "PersistentVolumeClaim", "panels-data", "grafana", "spec: {accessModes: [ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}\n")}),
    READ,
    READ.but("listed", ("app/kustomization.yaml", "- agent.yaml", "- agent.yaml\n- secret.yaml")),
    READ.but("that its operator makes", ("app/agent.yaml", "name: login,", "name: helper-login,"), told=[Told("app/secret.yaml", by_luck=True)]),
    READ.but("optional", ("app/agent.yaml", "key: a}", "key: a, optional: true}"), told=[Told("app/secret.yaml", by_luck=True)]),
    TALOS,
    TALOS.but("of none of its accounts", ("app/all.yaml", "secretRef: {name: wiki-talos", "secretRef: {name: talos-config"), told=[Told("app/all.yaml", "talos-config", by_luck=True)]),
    SERVER,
    SERVER.but("its own", ("stores/all.yaml", "server.home", "server.external-secrets")),
    SERVER.but("a Service of that name is there, too", more={"stores/more.yaml": thing("v1", "Service", "bitwarden-sdk-server", "home", "spec: {type: ExternalName, externalName: sdk.castle.example}\n")}),
]  # fmt: skip
