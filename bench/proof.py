"""How fast the proof is: start-up, the example castle, then generated trees of growing size: with nothing kept (cold), with all
kept (warm), and after one file was changed, in a new process and in one that goes on (as `check --watch` does).

    python bench/proof.py [--against FOLDER] [--times N] [SIZES...]     numbers of Kustomizations; 250 500 1000 if not given

Each Kustomization has ten objects; every tenth is an overlay that only kustomize can build. Prints the median processor time
(user and system, of whole `rebirth` processes with their builds), the median wall time and the peak memory, and how processor time
grows with size. `--against` is another source tree (a git worktree of an earlier commit): it is measured by turns with this one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parents[1]
CASTLE = HERE / "examples" / "castle"
# Seconds of processor time. 1,000 Kustomizations are 12,000 objects, with the Kustomizations and namespaces themselves.
GOALS = {
    "--help": 0.2,
    "small tree": 0.2,
    "example castle": 1.0,
    "1000 cold": 5.0,
    "1000 warm": 1.5,
    "1000 one file changed": 0.3,
}
_SETTLES = 2.5  # seconds: what is younger is read again, see proof/reading/kept
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


class Taken(NamedTuple):
    wall: float  # seconds
    busy: float  # seconds of processor time
    memory: int  # MiB at its peak


def run(source: Path, cache: Path, *arguments: str) -> Taken:
    """A whole process of the program in `source`, with its builds."""
    begun = time.monotonic()
    null = os.open(os.devnull, os.O_WRONLY)
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(source / "src")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = os.posix_spawn(
        sys.executable, [sys.executable, *arguments], environment, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)]
    )
    os.close(null)
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) not in {0, 3}:
        sys.exit(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return Taken(time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)


def median(taken: list[Taken]) -> Taken:
    return Taken(*(statistics.median(values) for values in zip(*taken, strict=True)))


# Proves a repository again and again in one process, and says how long each took: argv is the root, the cluster's folder, the
# file to change, and how often.
_AGAIN = """
import asyncio, sys, time
from pathlib import Path
from rebirth.findings.places import Places
from rebirth.findings.verdict import weigh
from rebirth.proof.prove import patient_collector, prove
from rebirth.proof.reading.kept import Kept
root, cluster, file, times = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
kept, took = Kept(), []
with patient_collector():
    for number in range(times + 1):
        file.write_text(file.read_text() + f"# {number}\\n")
        begun = time.process_time()
        weigh(asyncio.run(prove(root, clusters=[cluster], kept=kept)), Places(asked=root))
        took.append(time.process_time() - begun)
print(*took[1:], file=sys.stderr)
"""


def again(source: Path, root: Path, times: int) -> float:
    """The median processor time of a proof after a change of one file, in a process that goes on."""
    argv = [sys.executable, "-c", _AGAIN, str(root), "clusters/x", str(root / "apps/app-1/web.yaml"), str(times)]
    environment = {**os.environ, "PYTHONPATH": str(source / "src")}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    return statistics.median(map(float, done.stderr.split()))


def show(name: str, what: str, taken: Taken, goal: float | None) -> bool:
    good = goal is None or taken.busy < goal
    words = "" if goal is None else f"   goal {goal:g} s: {'met' if good else 'MISSED'}"
    print(
        f"{name:>20} {what:18} {taken.busy:6.2f} s  wall {taken.wall:6.2f} s {taken.memory:5.0f} MiB{words}", flush=True
    )
    return good


def measure(sources: list[Path], times: int, sizes: list[int], scratch: Path) -> bool:
    check = ("-m", "rebirth", "check")
    good = True
    for name, arguments in (
        ("--help", ("-m", "rebirth", "--help")),
        ("small tree", (*check, "--gitops", str(CASTLE / "gitops"))),
        ("example castle", (*check, str(CASTLE))),
    ):
        taken = [
            [run(source, scratch / f"cache-{at}", *arguments) for at, source in enumerate(sources)]
            for _ in range(times + 1)
        ]
        for source, values in zip(sources, zip(*taken[1:], strict=True), strict=True):
            good &= show(name, _which(source), median([*values]), GOALS.get(name) if source == HERE else None)
    before: dict[tuple[Path, str], tuple[int, float]] = {}
    for size in sizes:
        root = scratch / f"tree-{size}"
        grow(root, size)
        time.sleep(_SETTLES)
        changed = root / "apps/app-1/web.yaml"
        whole = (*check, "--gitops", str(root), "--cluster", "clusters/x")
        found: dict[tuple[Path, str], list[Taken]] = {}
        for number in range(times):
            for source in sources:
                cache = scratch / f"cache-{size}-{number}-{sources.index(source)}"
                found.setdefault((source, "cold"), []).append(run(source, cache, *whole))
                found.setdefault((source, "warm"), []).append(run(source, cache, *whole))
                changed.write_text(changed.read_text() + f"# {number}\n")
                found.setdefault((source, "one file changed"), []).append(run(source, cache, *whole))
        for (source, heat), values in found.items():
            taken = median(values)
            goal = GOALS.get(f"{size} {heat}") if source == HERE else None
            good &= show(f"{size} Kustomizations", f"{_which(source)}{heat}", taken, goal)
            if last := before.get((source, heat)):
                print(
                    f"{'':20} x {taken.busy / last[1]:.2f} of the processor time for x {size / last[0]:.2f} of the size"
                )
            before[source, heat] = (size, taken.busy)
        print(
            f"{f'{size} Kustomizations':>20} {'in one process':18} {again(HERE, root, times):6.2f} s after a change of one file"
        )
    return good


def _which(source: Path) -> str:
    return "" if source == HERE else "before: "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rebirth-bench-") as scratch:
        sources = [HERE, *([asked.against.resolve()] if asked.against else [])]
        good = measure(sources, asked.times, [*asked.sizes], Path(scratch))
    sys.exit(not good)


if __name__ == "__main__":
    main()
