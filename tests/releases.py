"""Flux repositories with releases of charts, for tests of what stands in for the charts."""

import asyncio
import json
from pathlib import Path

from rebirth.proof.charts import knowledge
from rebirth.proof.prove import prove
from rebirth.proof.reading.manifest import Model
from trees import write

CA = "-----BEGIN CERTIFICATE-----\nnobody's\n-----END CERTIFICATE-----\n"
APP = """
controllers:
  main:
    containers:
      app:
        image: {repository: ghcr.io/example/app, tag: "1.0"}
        env:
          PASSWORD: {valueFrom: {secretKeyRef: {name: app, key: password}}}
          KEY: {valueFrom: {secretKeyRef: {identifier: keys, key: password}}}
          NODE: {valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
        envFrom:
        - secretRef: {name: "{{ .Release.Name }}-secret"}
        - secretRef: {identifier: keys}
        - secret: keys
    labels: {part: "{{ .Values.part }}", kept: "yes"}
  clean: {type: cronjob, containers: {app: {image: {repository: a, tag: "1"}}}}
service: {app: {controller: main, ports: {http: {port: 80}}}}
persistence: {config: {accessMode: ReadWriteOnce, size: 1Gi, storageClass: "-"}}
route: {main: {hostnames: ["{{ .Values.host }}", "{{ .Release.Name }}.example"], parentRefs: [{name: gateway}]}}
configMaps: {settings: {data: {text: "{{ not a template", number: 1}}}
secrets: {other: {forceRename: "{{ .Values.name }}"}, keys: {stringData: {password: "plain words"}}}
serviceMonitor: {app: {}}
"""


def root(tree: Path) -> Path:
    """The Kustomization that applies the cluster's folder, and its source."""
    write(
        tree,
        "clusters/x/flux-system.yaml",
        """\
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata: {name: flux-system, namespace: flux-system}
        spec: {interval: 1m, url: "https://git.example/owner/tree", ref: {branch: main}}
        ---
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: flux-system, namespace: flux-system}
        spec:
          interval: 10m
          path: ./clusters/x
          prune: true
          sourceRef: {kind: GitRepository, name: flux-system}
        """,
    )
    return tree


def release(
    tree: Path, name: str, chart: str, url: str, version: str = "", values: str = "{}", namespace: str = "apps"
) -> Path:
    """A HelmRelease with its HelmRepository; `values` are YAML."""
    kind = "oci" if url.startswith("oci://") else "default"
    spec = json.dumps({"chart": chart, "sourceRef": {"kind": "HelmRepository", "name": name}, "version": version})
    return write(
        tree,
        f"clusters/x/{namespace}-{name}.yaml",
        f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{interval: 1h, url: "{url}", type: {kind}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  interval: 10m
  chart: {{spec: {spec}}}
  values:
{"".join(f"    {line}{chr(10)}" for line in values.strip().splitlines())}""",
    )


def known(tree: Path) -> Path:
    """A release of every chart that the proof knows, of app-template, and of one that nobody knows."""
    root(tree)
    for operator in knowledge.operators():
        for number, chart in enumerate(operator.charts):
            source = next(iter(chart.sources), "charts.example")
            url = f"https://{source}" if "." in source.partition("/")[0] else f"https://charts.example/{source}"
            release(tree, f"{operator.name}-{number}", chart.name, url)
    release(tree, "cert-manager-crds", "cert-manager", "https://charts.jetstack.io", "v1.15.3", "crds: {enabled: true}")
    release(
        tree, "piraeus-crds", "piraeus", "oci://ghcr.io/piraeusdatastore/piraeus-operator", "2.9.0", "installCRDs: true"
    )
    release(tree, "app", "app-template", "oci://ghcr.io/bjw-s-labs/helm", "4.0.1", APP)
    release(tree, "unknown", "nobody-knows", "https://charts.example", "^2.1")
    return tree


def model(tree: Path) -> Model:
    return asyncio.run(prove(tree)).model
