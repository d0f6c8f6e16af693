"""How long a rehearsal takes, and what it needs: a tree of Kustomizations, the same again, and the example castle.

    python bench/rehearse.py [SIZE]        Kustomizations of the tree; 100 if not given

Each Kustomization has a Deployment of two pods, a Service and a ConfigMap, waits for them, and depends on one of the layer
before, twenty layers deep. Says whether each goal is met.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "castle"
LAYERS = 20
NODE = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: app-{number}, namespace: flux-system}}
spec:
  interval: 10m
  path: ./apps/app-{number}
  prune: true
  wait: true
  sourceRef: {{kind: GitRepository, name: flux-system}}
  dependsOn: [{needs}]
"""
OBJECTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, namespace: default}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: app-{number}}}}}
  template:
    metadata: {{labels: {{app: app-{number}}}}}
    spec:
      containers:
        - {{name: web, image: "registry.example/app:1", envFrom: [{{configMapRef: {{name: app-{number}}}}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: app-{number}, namespace: default}}
spec: {{selector: {{app: app-{number}}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: app-{number}, namespace: default}}
data: {{KEY: value}}
"""


def grow(root: Path, size: int) -> None:
    width = max(1, size // LAYERS)
    (root / "clusters/x").mkdir(parents=True)
    for number in range(size):
        needs = f"{{name: app-{number - width}}}" if number >= width else ""
        (root / f"clusters/x/app-{number}.yaml").write_text(NODE.format(number=number, needs=needs))
        folder = root / f"apps/app-{number}"
        folder.mkdir(parents=True)
        (folder / "app.yaml").write_text(OBJECTS.format(number=number))


def measured(what: str, goal: float, *arguments: str) -> bool:
    """Whether all came up within `goal` seconds for the whole command and 2.5 GB."""
    before, since = _processor(), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "rebirth", "rehearse", *arguments, "--quiet", "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    seconds, busy = time.monotonic() - since, _processor() - before
    seen = json.loads(done.stdout) if done.stdout else {"ready": False, "memory": 0}
    good = seen["ready"] and seconds <= goal and seen["memory"] <= 2.5e9
    words = "Ready" if seen["ready"] else "NOT READY"
    print(
        f"{what:32} {words} after {seconds:6.1f} s, {busy:6.1f} s of processor, {seen['memory'] / 1e9:.2f} GB; "
        f"goal {goal:.0f} s: {'met' if good else 'MISSED'}",
        flush=True,
    )
    return bool(good)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="rebirth-rehearse-") as scratch:
        tree = Path(scratch) / "tree"
        grow(tree, size)
        good = measured(f"{size} Kustomizations", 120, "--gitops", str(tree), "--again")
        good &= measured("the same again", 15, "--gitops", str(tree))
    good &= measured("the example castle", 30, str(EXAMPLE), "--gitops", str(EXAMPLE / "gitops"), "--again")
    sys.exit(not good)


if __name__ == "__main__":
    main()
