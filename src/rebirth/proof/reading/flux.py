"""What an object of Flux says: which it is, what it is fetched from, which folder it applies, how long it waits."""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rebirth.proof.reading.manifest import Manifest, Model, texts, thing
from rebirth.proof.things import Milestone, Thing

KUSTOMIZE, SOURCE, HELM = "kustomize.toolkit.fluxcd.io", "source.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"
_SSA, _RECONCILE = f"{KUSTOMIZE}/ssa", f"{KUSTOMIZE}/reconcile"
SOURCES = {"GitRepository", "OCIRepository", "Bucket", "ExternalArtifact"}
# Kinds of Kubernetes itself, which kustomize-controller reads into types of its Go library, and writes again, before it applies
# them (fluxcd/pkg 0.76, ssa/normalize): what the type does not have is gone then, without a word.
_NATIVE = {
    "", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "storage.k8s.io", "scheduling.k8s.io",
    "admissionregistration.k8s.io", "rbac.authorization.k8s.io",
}  # fmt: skip
_AS_THEY_ARE = {"Role", "ClusterRole"}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_WHOLE = re.compile(r"(\d+(\.\d+)?(ms|s|m|h))+")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ARGUMENTS = {
    "Deployment": "template",
    "FluxInstance": "kustomize",
    "HelmRelease": "values",
    "Kustomization": "patches",
}
_OF_INSTANCE = re.compile(r"^instance:\s*$", re.MULTILINE)
_LEAST = 30.0  # seconds: the shortest time-out


def is_told(model: Model, words: str) -> bool:
    """Whether Flux's controllers are given that argument, wherever it is written: their objects, patches of these, an instance."""
    return model.once(("told", words), lambda: any(words in text for text in _arguments(model)))


def _arguments(model: Model) -> Iterator[str]:
    """The texts in which arguments of Flux's controllers may stand."""
    for member, _ in model.objects(*_ARGUMENTS):
        if member.kind != "Deployment" or member.name.endswith("-controller"):
            yield from texts(member.at("spec", _ARGUMENTS[member.kind]))
    # Values of the chart of a FluxInstance, in a ConfigMap that a kustomization makes of a file.
    for member, _ in model.objects("ConfigMap"):
        yield from (text for text in texts(member.at("data")) if _OF_INSTANCE.search(text))


def is_kustomization(manifest: Manifest) -> bool:
    return manifest.kind == "Kustomization" and manifest.group == KUSTOMIZE


def started(manifest: Manifest) -> Thing:
    return thing(manifest.kind, manifest.namespace, manifest.name, Milestone.STARTED)


def applied(manifest: Manifest) -> Thing:
    return thing(manifest.kind, manifest.namespace, manifest.name, Milestone.APPLIED)


def ready(kind: str, namespace: str, name: str) -> Thing:
    return thing(kind, namespace, name, Milestone.READY)


def seconds(duration: object, default: float) -> float:
    """A Go duration such as 1h30m in seconds."""
    found = _DURATION.findall(duration) if isinstance(duration, str) else []
    return sum(float(number) * _UNITS[unit] for number, unit in found) if found else default


def loses_unknown_fields(member: Manifest) -> bool:
    """Whether a field that the kind does not have is left out when Flux applies it, instead of being rejected."""
    return member.group in _NATIVE and member.kind not in _AS_THEY_ARE


def is_duration(value: object) -> bool:
    """Whether Flux takes it: units in order, as its CRDs ask for."""
    return isinstance(value, str) and bool(_WHOLE.fullmatch(value))


def timeout(own: Manifest) -> float:
    """How long Flux waits for the health of a Kustomization, in seconds."""
    interval = seconds(own.at("spec", "interval"), 600.0)
    return max(seconds(own.at("spec", "timeout"), interval - 30.0), _LEAST)


def folder_of(manifest: Manifest, root: Path, resolved: Callable[[Path], Path] = Path.resolve) -> Path:
    """The folder that a Kustomization applies, if its source is the repository in `root`.

    `..` leads no higher than to the top (kustomize-controller 1.9 joins paths with securejoin).
    """
    path = posixpath.normpath(f"/{manifest.at('spec', 'path', default='./') or './'}")
    return resolved(root / path.lstrip("/"))


def source_of(own: Manifest) -> tuple[str, str, str]:
    """Kind, namespace and name of what a Kustomization is fetched from."""
    reference = own.mapping("spec", "sourceRef")
    return (
        str(reference.get("kind") or "GitRepository"),
        str(reference.get("namespace") or own.namespace),
        str(reference.get("name") or ""),
    )


def is_first(member: Manifest) -> bool:
    """Whether Flux applies it before it looks at the rest."""
    return member.kind in {"Namespace", "CustomResourceDefinition", "ClusterRole"} or member.kind.endswith("Class")


def is_left_out(member: Manifest) -> bool:
    """Whether Flux leaves it to others."""
    if not member.annotations and not member.labels:
        return False  # as most are
    return bool(member.marked(_SSA) == "Ignore" or member.marked(_RECONCILE) == "disabled")


def is_suspended(own: Manifest) -> bool:
    return own.at("spec", "suspend") is True


def is_elsewhere(own: Manifest) -> bool:
    """Whether it is applied to another cluster."""
    return bool(own.mapping("spec", "kubeConfig"))


def variables_of(own: Manifest) -> dict[str, str]:
    """The variables that a Kustomization itself says; Flux takes line breaks out of their values."""
    inline = own.mapping("spec", "postBuild", "substitute")
    return {str(key): text_of(value) for key, value in inline.items()}


def text_of(value: Any) -> str:
    """A variable's value as Flux reads it."""
    words = {True: "true", False: "false", None: ""}
    return (words[value] if value is None or isinstance(value, bool) else str(value)).replace("\n", "")
