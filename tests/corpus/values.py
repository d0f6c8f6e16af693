"""What values and pods name of their own: entries of the chart app-template, volumes, containers; releases of a helmfile."""

from corpus.case import Case, Told, namespace, pods, thing, unit

ROOT = {"clusters/x/all.yaml": unit("app")}


def app(values: str, version: str = "4.2.0") -> str:
    """A release of app-template."""
    source = thing(
        "source.toolkit.fluxcd.io/v1", "OCIRepository", "app-template", "wiki",
        f"spec: {{interval: 1h, url: 'oci://ghcr.io/bjw-s-labs/helm/app-template', ref: {{tag: {version}}}}}\n",
    )  # fmt: skip
    lines = "".join(f"    {line}\n" for line in values.strip("\n").splitlines())
    return source + thing(
        "helm.toolkit.fluxcd.io/v2", "HelmRelease", "wiki", "wiki",
        f"spec:\n  interval: 1h\n  chartRef: {{kind: OCIRepository, name: app-template}}\n  install: {{remediation: {{retries: -1}}}}\n  upgrade: {{remediation: {{retries: -1}}}}\n  values:\n{lines}",
    )  # fmt: skip


VALUES = """
controllers:
  wiki:
    containers:
      app:
        image: {repository: nginx, tag: '1.29'}
        env:
          THREADS: {valueFrom: {resourceFieldRef: {containerName: app, resource: limits.cpu}}}
service:
  web:
    controller: wiki
    ports: {http: {port: 80}}
ingress:
  wiki:
    hosts:
    - host: wiki.castle.example
      paths:
      - path: /
        service: {identifier: web, port: http}
persistence:
  scratch:
    type: emptyDir
    advancedMounts:
      wiki: {app: [{path: /scratch}]}
"""
GOOD = Case(
    "an entry of app-template that there is not: none",
    ROOT | {"app/all.yaml": namespace("wiki") + app(VALUES)},
)
CONTAINER = Case(
    "a container that cannot run: an amount of another one that there is not",
    ROOT
    | {
        "app/all.yaml": namespace("wiki")
        + pods("Deployment", "wiki", "wiki", "env: [{name: THREADS, valueFrom: {resourceFieldRef: {containerName: main, resource: limits.cpu}}}]")
    },
    (Told("app/all.yaml", "containerName: main"),),
)  # fmt: skip
MOUNT = Case(
    "a container that cannot run: a mount of a volume that there is not",
    ROOT
    | {
        "app/all.yaml": namespace("wiki")
        + pods("Deployment", "wiki", "wiki", "volumeMounts: [{name: dat, mountPath: /data}]", "volumes: [{name: data, emptyDir: {}}]")
    },
    (Told("app/all.yaml", "name: dat,"),),
)  # fmt: skip
STATEFUL = "  serviceName: wiki\n  volumeClaimTemplates:\n  - {metadata: {name: dat}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}\n"
BOOT = "helmfile --file bootstrap/helmfile.yaml apply\n"
NEEDS = Case(
    "a release that a helmfile needs and has not: by another name",
    ROOT
    | {
        "app/all.yaml": namespace("wiki"),
        "bootstrap.sh": BOOT,
        "bootstrap/helmfile.yaml": (
            "releases:\n- name: cilium\n  namespace: kube-system\n  chart: cilium/cilium\n  version: 1.18.3\n"
            "  needs: [observability/prometheus-operator-crds]\n- name: prometheus-crds\n  namespace: observability\n"
            "  chart: prometheus-community/prometheus-operator-crds\n  version: 24.0.0\n"
        ),
    },
    (Told("bootstrap/helmfile.yaml", "needs:"),),
)  # fmt: skip

CASES = [
    GOOD,
    GOOD.but("of a Service", ("app/all.yaml", "controller: wiki", "controller: main"), told=[Told("app/all.yaml", "controller: main")]),
    GOOD.but("of an Ingress", ("app/all.yaml", "identifier: web", "identifier: app"), told=[Told("app/all.yaml", "identifier: app")]),
    GOOD.but("of a mount", ("app/all.yaml", "wiki: {app: [{path", "main: {app: [{path"), told=[Told("app/all.yaml", "main: {app: [{path")]),
    GOOD.but("of one that is off", ("app/all.yaml", "wiki: {app: [{path", "main: {app: [{path"), ("app/all.yaml", "type: emptyDir", "enabled: false")),
    GOOD.but("of a version that has one by itself", ("app/all.yaml", "controller: wiki", "controller: main"), ("app/all.yaml", "4.2.0", "2.6.0")),
    GOOD.but("of a name that a template makes", ("app/all.yaml", "controller: wiki", "controller: '{{ .Release.Name }}'")),
    GOOD.but("a container's", ("app/all.yaml", "containerName: app", "containerName: main"), told=[Told("app/all.yaml", "containerName: main")]),
    CONTAINER,
    CONTAINER.but("itself", ("app/all.yaml", "containerName: main", "containerName: wiki")),
    MOUNT,
    MOUNT.but("the one that there is", ("app/all.yaml", "name: dat,", "name: data,")),
    MOUNT.but("of each pod of a StatefulSet", ("app/all.yaml", "kind: Deployment", "kind: StatefulSet"), ("app/all.yaml", "spec:\n  replicas", f"spec:\n{STATEFUL}  replicas")),
    NEEDS,
    NEEDS.but("the right one", ("bootstrap/helmfile.yaml", "prometheus-operator-crds]", "prometheus-crds]")),
    NEEDS.but("in its own namespace", ("bootstrap/helmfile.yaml", "observability/prometheus-operator-crds]", "prometheus-crds]")),
    NEEDS.but("of a file that brings more", ("bootstrap/helmfile.yaml", "releases:", "helmfiles: [crds.yaml]\nreleases:"), more={"bootstrap/crds.yaml": "releases: []\n"}),
]  # fmt: skip
