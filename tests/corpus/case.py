"""What a tree of the corpus is: its files, and the right answer."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rebirth.proof.prove import Proof, prove
from rebirth.proof.reading.yaml_files import Lines

Files = dict[str, str]


@dataclass(frozen=True)
class Told:
    """A finding that has to be: on a line of a file that holds a piece of text; `piece` may be empty: any line."""

    file: str
    piece: str = ""
    by_luck: bool = False  # a warning is right, too: it works by luck, or by something that is not in the files


@dataclass(frozen=True)
class Case:
    """A small repository, and what is right to say of it: `told`, or nothing."""

    name: str
    files: Files
    told: tuple[Told, ...] = ()
    owed: str = ""  # what is to be mended yet, for the answer to be the right one

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    def but(
        self,
        name: str,
        *changes: tuple[str, str, str],
        told: Iterable[Told] = (),
        owed: str = "",
        more: Files | None = None,
    ) -> "Case":
        """A near miss: the same tree with (file, old, new) changed; an empty text of `more` removes a file."""
        files = dict(self.files)
        for file, old, new in changes:
            assert old in files[file], (name, file, old)
            files[file] = files[file].replace(old, new, 1)
        files = {file: text for file, text in (files | (more or {})).items() if text}
        return replace(self, name=f"{self.kind}: {name}", files=files, told=tuple(told), owed=owed)

    def proof(self, root: Path) -> Proof:
        for file, text in self.files.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text)
        return asyncio.run(prove(root))

    def wrong(self, root: Path) -> list[str]:
        """What is not as it should be, in words: expected and not said, or said without reason."""
        findings = self.proof(root).findings
        unmet = list(self.told)
        extra = []
        known = Lines()
        for finding in findings:
            if finding.severity not in ("error", "warning"):
                continue
            file = str(Path(finding.place.file).relative_to(root)) if finding.place.file else ""
            lines = (root / file).read_text().splitlines() if file else []
            number = known.line(finding.place) if file else 0
            line = lines[number - 1] if 0 < number <= len(lines) else ""
            met = [
                told for told in self.told
                if told.file == file and told.piece in line and (finding.severity == "error" or told.by_luck)
            ]  # fmt: skip
            unmet = [told for told in unmet if told not in met]
            if not met:
                extra.append(f"said: {finding.severity} {finding.rule} {file}:{number} {finding.message}")
        return [f"not said: {told.file}: {told.piece or 'anywhere'}" for told in unmet] + extra


def unit(name: str, needs: str = "", *more: str, path: str = "", wait: bool = True) -> str:
    """A Flux Kustomization that applies the folder of its name, once those that it needs are Ready."""
    depends = f"  dependsOn: [{', '.join(f'{{name: {other}}}' for other in needs.split())}]\n" if needs else ""
    return (
        f"---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n"
        f"spec:\n  interval: 10m\n  retryInterval: 1m\n  timeout: 5m\n  path: ./{path or name}\n  prune: true\n"
        f"  wait: {str(wait).lower()}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{depends}"
        + "".join(f"  {line}\n" for line in more)
    )


def release(
    name: str, namespace: str, version: str, address: str, values: str = "", chart: str = "", once: bool = False
) -> str:
    """A HelmRelease of a chart of its name, and its HelmRepository; `values` is one line of YAML."""
    again = "" if once else "  install: {remediation: {retries: -1}}\n  upgrade: {remediation: {retries: -1}}\n"
    return (
        f"---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{interval: 1h, url: '{address}'}}\n"
        f"---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  interval: 30m\n{again}  chart:\n    spec:\n      chart: {chart or name}\n      version: '{version}'\n"
        f"      sourceRef: {{kind: HelmRepository, name: {name}}}\n" + (f"  values: {values}\n" if values else "")
    )


def namespace(name: str, level: str = "") -> str:
    labels = f", labels: {{pod-security.kubernetes.io/enforce: {level}}}" if level else ""
    return f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}{labels}}}\n"


def thing(version: str, kind: str, name: str, where: str = "", body: str = "") -> str:
    """Any object; `body` is what stands below its metadata."""
    inside = f", namespace: {where}" if where else ""
    return f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}{inside}}}\n{body}"


def crd(group: str, kind: str, plural: str, scope: str = "Namespaced") -> str:
    """A CustomResourceDefinition that takes anything."""
    return thing(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{group}", body=(
            f"spec:\n  group: {group}\n  scope: {scope}\n  names: {{kind: {kind}, plural: {plural}}}\n  versions:\n"
            "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n"
        )
    )  # fmt: skip


def pods(kind: str, name: str, where: str, container: str = "", more: str = "", replicas: int = 1) -> str:
    """A workload of one container; `container` and `more` are further entries of the container and of the pod, in flow style."""
    one = f"{{name: {name}, image: 'nginx:1.29'{container and ', ' + container}}}"
    return thing("apps/v1", kind, name, where, (
        f"spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n"
        f"    spec:\n      containers:\n      - {one}\n" + (f"      {more}\n" if more else "")
    ))  # fmt: skip


ESO = "https://charts.external-secrets.io"
JETSTACK = "https://charts.jetstack.io"
CILIUM = "https://helm.cilium.io"
STRANGE = "https://charts.strange.example"  # nobody knows its charts
