"""CustomResourceDefinitions of kinds of which only the names are known: they take objects of any shape."""

import re
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from rebirth.proof.reading import scopes
from rebirth.proof.reading.manifest import Model

Versions = Mapping[tuple[str, str], AbstractSet[str]]  # group and kind -> versions that objects are written in

_ANY = "v1"  # where no object says a version
_CLUSTERS = re.compile(r"Cluster[A-Z]\w+")  # such as ClusterIssuer: what is called so stands in no namespace
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
# The API server takes CRDs of these groups from nobody but Kubernetes itself, unless they say that they are not approved.
_PROTECTED = (".k8s.io", ".kubernetes.io")
_APPROVED = "api-approved.kubernetes.io"
_SHAPE = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def versions_used(model: Model) -> Versions:
    """In which versions the custom resources of the model are written."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for member, _ in model.objects():
        _, slash, version = str(member.data.get("apiVersion", "")).rpartition("/")
        if slash and version and scopes.is_custom(member.group):
            found[member.group, member.kind].add(version)
    return found


def in_no_namespace(model: Model) -> AbstractSet[tuple[str, str]]:
    """Kinds of custom resources of which no object of the model has a namespace."""
    some, every = set(), set()
    for member, _ in model.objects():
        if scopes.is_custom(member.group):
            every.add((member.group, member.kind))
            some |= {(member.group, member.kind)} if member.namespace else set()
    return every - some


def bare(group: str, kind: str) -> dict[str, Any]:
    """A CRD of which nothing but the names is said."""
    plural = scopes.plural(kind)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": {"kind": kind, "plural": plural}},
    }


def definition(
    crd: Mapping[str, Any], used: Versions, clusterwide: AbstractSet[tuple[str, str]] = frozenset()
) -> dict[str, Any]:
    """The CRD with all that the API server asks for; what it says itself stays. `clusterwide`: kinds in no namespace.

    Of a chart that is known, no more than the names of its versions may be.
    """
    spec = dict(crd["spec"])
    group, kind = str(spec["group"]), str(spec["names"]["kind"])
    everywhere = kind in scopes.CUSTOM or _CLUSTERS.fullmatch(kind) or (group, kind) in clusterwide
    spec.setdefault("scope", "Cluster" if everywhere else "Namespaced")
    said = spec.get("versions") or []
    if not any("schema" in version for version in said):
        names = sorted({version["name"] for version in said} or used.get((group, kind)) or {_ANY}, key=rank)
        spec["versions"] = [
            {"name": name, "served": True, "storage": name == names[-1], "schema": _SHAPE, "subresources": {"status": {}}}
            for name in names
        ]  # fmt: skip
    metadata = dict(crd["metadata"])
    if group.endswith(_PROTECTED):
        noted = {_APPROVED: "unapproved, a stand-in that takes any shape"}
        metadata["annotations"] = noted | dict(metadata.get("annotations") or {})
    return {**crd, "metadata": metadata, "spec": spec}


def rank(version: str) -> tuple[int, int, int]:
    """As Kubernetes orders them: v1beta1 before v1, v1 before v2."""
    found = _VERSION.fullmatch(version)
    if not found:
        return (-1, 0, 0)
    stage = {"alpha": 0, "beta": 1, None: 2}[found[2]]
    return (stage, int(found[1]), int(found[3] or 0))
