"""Objects that the API server rejects as they are written: values that are no text where text is wanted, fields in the wrong
block, no namespace, still encrypted; and Jobs that Flux can apply only once.

Only what Flux applies is looked at, with its variables put in: through them `"${COUNT}"` becomes a number, quotes or none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux, pods, scopes
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.things import Atomicity

_Path = tuple[str | int, ...]
_METADATA = {
    "name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "uid", "resourceVersion",
    "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink", "clusterName",
}  # fmt: skip
_SPEC = {"spec", "status"}
_KEYS = ("age", "pgp", "kms", "gcp_kms", "azure_kv", "hc_vault")  # what SOPS encrypts for
# Fields beside apiVersion, kind and metadata. Groups whose kinds all have a spec and nothing else are below.
_FIELDS = {
    ("", "ConfigMap"): {"data", "binaryData", "immutable"},
    ("", "Secret"): {"data", "stringData", "type", "immutable"},
    ("", "ServiceAccount"): {"secrets", "imagePullSecrets", "automountServiceAccountToken"},
    ("", "Service"): _SPEC,
    ("", "Pod"): _SPEC,
    ("", "Namespace"): _SPEC,
    ("", "PersistentVolumeClaim"): _SPEC,
    ("", "PersistentVolume"): _SPEC,
    ("rbac.authorization.k8s.io", "Role"): {"rules"},
    ("rbac.authorization.k8s.io", "ClusterRole"): {"rules", "aggregationRule"},
    ("rbac.authorization.k8s.io", "RoleBinding"): {"roleRef", "subjects"},
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): {"roleRef", "subjects"},
}
_ONLY_SPEC = {
    "apps", "batch", "autoscaling", "policy", "networking.k8s.io", flux.KUSTOMIZE, flux.HELM, flux.SOURCE, "external-secrets.io",
    "cert-manager.io", "metallb.io",
}  # fmt: skip


def read(model: Model, graph: Graph) -> None:
    crds = [m for m, _ in model.objects("CustomResourceDefinition")]
    _, namespaced = scopes.cluster_scoped(crds)
    groups = {str(crd.at("spec", "group")) for crd in crds}
    ambient = flux.is_told(model, "sops-age-secret")
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX:
            continue
        for member in unit.members:
            if flux.is_left_out(member):
                continue
            _texts(member, unit, graph)
            _misplaced(member, graph)
            _encrypted(member, unit, graph)
            _undecryptable(member, unit, graph, ambient=ambient)
            _once(member, unit, graph)
            _selector(member, graph)
            if not member.namespace and unit.own is not None and unit.built:
                kinds = scopes.NAMESPACED.get(member.group, namespaced if member.group in groups else set())
                if member.kind in kinds:
                    words = f"{member.kind} {member.name} has no namespace, and nothing gives it one"
                    graph.remark(
                        "no-namespace", member.place("metadata", "name"), words, member.thing(), unit=unit.name
                    )


def _texts(member: Manifest, unit: Unit, graph: Graph) -> None:
    """Values that are no texts where Kubernetes takes text alone."""
    for path, value in _wanted(member, unit):
        if type(value) is not str and (what := _what(value)):
            where = ".".join(map(str, path))
            words = f"{where} of {member.thing().label} is {what}, and must be a string"
            # fluxcd/pkg 0.76, ssa/manager.go: labels that are not all texts are none to what Flux adds its own to.
            lost = path[:2] == ("metadata", "labels") and isinstance(value, bool | int | float)
            slug = "labels-lost" if lost else "not-text"
            graph.remark(slug, member.place(*path), words, member.thing(), path=where, what=what)


def _what(value: Any) -> str:
    """What a value is where a text is wanted; "" where it is one, or nothing."""
    if value is None or isinstance(value, str):
        return ""  # as most are
    kinds = ((bool, "a boolean"), (int | float, "a number"), (Mapping, "a mapping"), (list, "a list"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "")


def _wanted(member: Manifest, unit: Unit) -> Iterator[tuple[_Path, Any]]:
    yield ("metadata", "name"), member.at("metadata", "name")
    yield ("metadata", "namespace"), member.at("metadata", "namespace")
    for block in (("metadata", "labels"), ("metadata", "annotations"), *_blocks(member, unit)):
        for key, value in member.mapping(*block).items():
            yield (*block, key), value
    found = pods.of(member, unit) if member.kind in _WITH_PODS else None
    for part, index, container in found.containers() if found else ():
        inside: _Path = (*found.path, "spec", part, index) if found else ()
        yield (*inside, "image"), container.get("image")
        for key in ("args", "command"):
            for number, value in enumerate(_list(container.get(key))):
                yield (*inside, key, number), value
        for number, entry in enumerate(_list(container.get("env"))):
            if isinstance(entry, Mapping):
                yield (*inside, "env", number, "value"), entry.get("value")


def _blocks(member: Manifest, unit: Unit) -> Iterator[_Path]:
    if member.group == "" and member.kind == "ConfigMap":
        yield ("data",)
    elif member.group == "" and member.kind == "Secret":
        yield from (("data",), ("stringData",))
    elif member.kind in _WITH_PODS:
        found = pods.of(member, unit)
        if found and found.path:
            yield (*found.path, "metadata", "labels")
            yield (*found.path, "metadata", "annotations")
        yield ("spec", "selector", "matchLabels")
    elif member.group == "" and member.kind == "Service":
        yield ("spec", "selector")


_WITH_PODS = {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _misplaced(member: Manifest, graph: Graph) -> None:
    """Fields in a block that does not have them."""
    lost = "yes" if flux.loses_unknown_fields(member) else ""
    for key in member.mapping("metadata"):
        if key not in _METADATA:
            words = f"metadata of {member.thing().label} has no field `{key}`"
            graph.remark("misplaced", member.place("metadata", key), words, member.thing(), lost=lost)
    allowed = _FIELDS.get((member.group, member.kind), _SPEC if member.group in _ONLY_SPEC else None)
    if allowed is None:
        return
    for key in member.data:
        if key not in allowed and key not in {"apiVersion", "kind", "metadata", "sops"}:
            words = f"{member.thing().label} has no top-level field `{key}`"
            graph.remark("misplaced", member.place(key), words, member.thing(), lost=lost)


def _encrypted(member: Manifest, unit: Unit, graph: Graph) -> None:
    """A Secret that SOPS encrypted, in a Kustomization that does not decrypt: Flux rejects all of it."""
    if member.kind != "Secret" or not member.mapping("sops") or unit.own is None or unit.own.at("spec", "decryption"):
        return
    words = f"{member.thing().label} is encrypted, and {unit.own.thing().label} does not decrypt"
    graph.remark("encrypted", member.place("sops"), words, member.thing(), unit=unit.own.thing().label)


def _undecryptable(member: Manifest, unit: Unit, graph: Graph, *, ambient: bool) -> None:
    """A Secret encrypted for keys that only a Secret can hold, in a Kustomization that names none.

    kustomize-controller takes age and PGP keys from spec.decryption.secretRef alone (an age key also from its argument
    --sops-age-secret, since 1.7); with the keys of a cloud it may log in by itself (internal/decryptor).
    """
    own = unit.own
    if (
        member.kind != "Secret"
        or own is None
        or not own.at("spec", "decryption")
        or own.at("spec", "decryption", "secretRef")
    ):
        return
    sealed = member.mapping("sops")
    used = [part for part in _KEYS if sealed.get(part)]
    if used in (["age"], ["pgp"]) and not sealed.get("key_groups") and not (ambient and used == ["age"]):
        words = f"{member.thing().label} is encrypted with {used[0]}, and {own.thing().label} names no decryption key"
        place = own.place("spec", "decryption")
        graph.remark("no-key", place, words, member.thing(), unit=own.thing().label)


# kubernetes 1.35, pkg/apis/batch/validation: what a selector that is not one's own may say.
_OF_JOB = ("job-name", "batch.kubernetes.io/job-name")


def _selector(member: Manifest, graph: Graph) -> None:
    """A Job's selector, which Kubernetes makes: an own one takes `manualSelector: true`, and none is taken in a CronJob."""
    if member.group != "batch" or member.kind not in {"Job", "CronJob"}:
        return
    path: _Path = ("spec",) if member.kind == "Job" else ("spec", "jobTemplate", "spec")
    own = member.at(*path, "selector")
    if not isinstance(own, Mapping) or (member.kind == "Job" and member.at("spec", "manualSelector") is True):
        return
    labels = own.get("matchLabels") or {}
    named = member.kind == "Job" and isinstance(labels, Mapping) and not own.get("matchExpressions")
    if named and all(key in _OF_JOB and value == member.name for key, value in labels.items()):
        return
    words = f"{member.thing().label} has a selector of its own; Kubernetes makes it"
    words += " unless manualSelector is true" if member.kind == "Job" else ""
    place = member.place(*path, "selector")
    graph.remark("wrong-value", place, words, member.thing(), sure="yes", read="Kubernetes 1.35", strict="")


def _once(member: Manifest, unit: Unit, graph: Graph) -> None:
    """A Job whose template can never be changed."""
    if member.kind != "Job" or member.group != "batch" or unit.own is None or unit.own.at("spec", "force") is True:
        return
    marks = {**member.labels, **member.annotations}
    if str(marks.get(f"{flux.KUSTOMIZE}/force")) in {"enabled", "Enabled"}:
        return
    if marks.get(f"{flux.KUSTOMIZE}/ssa") == "IfNotPresent":
        return
    words = f"{member.thing().label} cannot be changed once it exists"
    ttl = member.at("spec", "ttlSecondsAfterFinished")
    graph.remark(
        "immutable-job", member.place("metadata", "name"), words, member.thing(), unit=unit.own.thing().label,
        ttl="" if ttl is None else str(ttl),
    )  # fmt: skip
