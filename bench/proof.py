"""How fast the proof is: the example castle, then generated trees of growing size, with a cold and a warm cache of builds.

    python bench/proof.py [SIZES...]        numbers of Kustomizations; 250 500 1000 if not given

Each Kustomization has ten objects; every tenth is an overlay that only kustomize can build. Prints seconds and peak memory of
whole `rebirth check` processes, and how time grows with size.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

CASTLE = Path(__file__).parents[1] / "examples" / "castle"
GOALS = {"castle": 1.0, "1000": 10.0}  # seconds
SIZES = (250, 500, 1000)
LAYERS = 10  # each Kustomization depends on one of the layer before


def node(number: int, width: int) -> str:
    needs = f"  dependsOn: [{{name: app-{number - width}}}]\n" if number >= width else ""
    return (
        f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: app-{number}, namespace: flux-system}}\n"
        f"spec:\n  interval: 10m\n  retryInterval: 30s\n  path: ./apps/app-{number}\n  prune: true\n  wait: true\n  timeout: 5m\n"
        f"  targetNamespace: app-{number}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n"
        f"  postBuild: {{substitute: {{APP: app-{number}}}}}\n{needs}"
    )


def objects(number: int) -> dict[str, str]:
    """Ten objects in three files."""
    settings = "\n---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{part}}}\ndata: {{a: '1', b: '${{APP}}', c: text of some length}}"
        for part in range(4)
    )
    pod = (
        "{metadata: {labels: {app: web}}, spec: {serviceAccountName: web, containers: [{name: web, image: 'nginx:1.29', ports: "
        "[{containerPort: 80}], env: [{name: A, valueFrom: {configMapKeyRef: {name: settings-0, key: a}}}], envFrom: [{secretRef: "
        "{name: token}}], volumeMounts: [{name: data, mountPath: /data}]}], volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}}"
    )
    web = (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  selector: {{matchLabels: {{app: web}}}}\n  template: {pod}\n"
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n"
    )
    rest = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {TOKEN: nothing}\n"
        "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
        "spec: {storageClassName: local, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
        "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n  ingressClassName: nginx\n  rules:\n"
        f"  - host: app-{number}.example.org\n    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}\n"
    )
    return {"settings.yaml": settings, "web.yaml": web, "rest.yaml": rest}


def grow(root: Path, size: int) -> None:
    """Writes a repository of `size` Kustomizations."""
    cluster = root / "clusters" / "x"
    cluster.mkdir(parents=True)
    spaces = [f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: app-{number}}}\n" for number in range(size)]
    (cluster / "namespaces.yaml").write_text("---\n".join(spaces))
    for number in range(size):
        (cluster / f"app-{number}.yaml").write_text(node(number, size // LAYERS))
        folder = root / "apps" / f"app-{number}"
        folder.mkdir(parents=True)
        files = objects(number)
        for name, text in files.items():
            (folder / name).write_text(text)
        overlay = "" if number % 10 else "labels: [{pairs: {team: a}}]\n"
        (folder / "kustomization.yaml").write_text("resources:\n" + "".join(f"- {name}\n" for name in files) + overlay)


def check(cache: Path, *arguments: str) -> tuple[float, float, int]:
    """Seconds, seconds of processor time, and peak memory in MiB of a whole process with its builds."""
    begun = time.monotonic()
    null = os.open(os.devnull, os.O_WRONLY)
    argv = [sys.executable, "-m", "rebirth", "check", *arguments]
    actions = [(os.POSIX_SPAWN_DUP2, null, 1)]
    process = os.posix_spawn(sys.executable, argv, {**os.environ, "XDG_CACHE_HOME": str(cache)}, file_actions=actions)
    os.close(null)
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) not in {0, 3}:
        sys.exit(f"rebirth check {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def show(name: str, heat: str, seconds: float, busy: float, memory: int, goal: float | None) -> bool:
    words = "" if goal is None else f"   goal {goal:g} s: {'met' if seconds < goal else 'MISSED'}"
    print(f"{name:>22} {heat:5} {seconds:7.2f} s  processor {busy:6.2f} s {memory:6} MiB{words}", flush=True)
    return goal is None or seconds < goal


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    good = True
    with tempfile.TemporaryDirectory(prefix="rebirth-bench-") as scratch:
        cache = Path(scratch) / "cache"
        for heat in ("cold", "warm"):
            good &= show("example castle", heat, *check(cache, str(CASTLE)), GOALS["castle"])
        before: dict[str, tuple[int, float]] = {}
        for size in sizes:
            root = Path(scratch) / f"tree-{size}"
            grow(root, size)
            for heat in ("cold", "warm"):
                seconds, busy, memory = check(cache, "--gitops", str(root), "--cluster", "clusters/x")
                good &= show(f"{size} Kustomizations", heat, seconds, busy, memory, GOALS.get(str(size)))
                if heat in before:
                    smaller, took = before[heat]
                    print(
                        f"{'':22} {'':5} x {busy / took:.2f} of the processor time for x {size / smaller:.2f} of the size"
                    )
                before[heat] = (size, busy)
    sys.exit(not good)


if __name__ == "__main__":
    main()
