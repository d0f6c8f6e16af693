"""Good input, which is spoiled: a secret in it is the canary."""

CANARY = "canary-5d1f7c"
COREFILE = """.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    hosts {
        192.168.50.11 a.example b.example
        fallthrough
    }
    rewrite name regex (.*)\\.old\\.example {1}.new.example answer auto
    forward . /etc/resolv.conf tls://1.1.1.1 {
        max_concurrent 1000
        tls_servername one.one
    }
    cache 30
    loop
    reload 5s
    loadbalance
}
ts.net:53 192.168.in-addr.arpa {
    forward . 10.96.0.101
    cache { success 1000 60
      denial 100 }
}
(snippet) {
    log . {
        class denial
    }
}
"""
TALOS = """machine:
  type: controlplane
  network: {hostname: cp, interfaces: [{interface: eth0, vip: {ip: 192.168.50.5}}]}
  kubelet: {clusterDNS: [10.96.0.10], extraArgs: {rotate-server-certificates: "true"}}
  registries:
    mirrors: {docker.io: {endpoints: ["https://mirror.example"]}}
    config: {mirror.example: {auth: {username: u, password: canary-5d1f7c}}}
cluster:
  network: {dnsDomain: cluster.local, podSubnets: [10.244.0.0/16], serviceSubnets: [10.96.0.0/12], cni: {name: none}}
  coreDNS: {disabled: true}
  apiServer: {admissionControl: [{name: PodSecurity, configuration: {defaults: {enforce: baseline}}}], certSANs: [a, b]}
  inlineManifests:
    - name: extra
      contents: |
        apiVersion: v1
        kind: Secret
        metadata: {name: token, namespace: default}
        stringData: {token: canary-5d1f7c}
  extraManifests: ["https://example.org/a.yaml"]
"""
FLUX = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 10m
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
  dependsOn: [{name: infra}]
  postBuild: {substitute: {DOMAIN: example.org}, substituteFrom: [{kind: ConfigMap, name: vars, optional: true}]}
  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: web, namespace: default}]
  patches: [{patch: "- op: add\\n  path: /spec/x\\n  value: 1", target: {kind: Deployment}}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: infra, namespace: flux-system}
spec: {interval: 10m, path: ./infra, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: default}
spec:
  interval: 5m
  chart: {spec: {chart: web, version: ">=1.0", sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}}}
  values: {ingress: {enabled: true, hosts: ["${DOMAIN}"]}}
  valuesFrom: [{kind: Secret, name: values, valuesKey: x.yaml}]
"""
OBJECTS = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      initContainers: [{name: wait, image: busybox, command: [sh, -c, "until nc -z db 5432; do sleep 1; done"]}]
      containers:
        - name: web
          image: "example.org/web:${TAG:=1}"
          env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: token, key: token}}}, {name: URL, value: "http://db.default.svc:5432"}]
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: default}
stringData: {token: canary-5d1f7c}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: default}
spec: {type: LoadBalancer, selector: {app: db}, ports: [{port: 5432, targetPort: pg}]}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: e, namespace: default}
spec: {refreshInterval: 1h, secretStoreRef: {kind: ClusterSecretStore, name: vault}, data: [{secretKey: a, remoteRef: {key: k, property: p}}]}
"""
JOURNAL = """{"at": 1.5, "kind": "fact", "phase": "create_machines", "fingerprint": "0123", "fact": {"vm_ids": {"a": 800}}}
{"at": 2, "kind": "begun", "what": "bootstrap etcd"}
{"at": 3, "kind": "ended", "what": "bootstrap etcd"}
{"at": 4, "kind": "mark", "of": "device", "name": "n1CNTRL"}
{"at": 5, "kind": "undone", "what": "bootstrap etcd"}"""
EVENTS = """{"event": "RunStarted", "at": 1.0, "castle": "c", "command": "create", "phases": ["a", "b"]}
{"event": "Checked", "at": 1.1, "errors": 0, "warnings": 1, "unproved": "", "needed": "", "online": 80.0}
{"event": "PhaseReady", "at": 1.2, "phase": "a", "last": ""}
{"event": "PhaseStarted", "at": 1.3, "phase": "a", "attempt": 1}
{"event": "Arrived", "at": 2.0, "phase": "a", "what": "x", "seconds": 0.5}
{"event": "BecameReady", "at": 2.1, "phase": "a", "node": "Kustomization flux-system/x"}
{"event": "PhaseDone", "at": 3.0, "phase": "a"}
{"event": "PhaseFailed", "at": 4.0, "phase": "b", "error": "x", "hint": "y", "trace": ""}
{"event": "RunFinished", "at": 5.0, "ok": false, "error": "x"}"""
KUSTOMIZATION = "resources: [objects.yaml]\nconfigMapGenerator: [{name: vars, literals: [A=1]}]\nnamespace: default\n"
