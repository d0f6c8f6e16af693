"""What is in the cluster before Flux looks at the repository for the first time: what a bootstrap places there by itself."""

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rebirth.lab.kinds import Kinds
from rebirth.paper.completed import Completion
from rebirth.paper.definitions import Versions, bare, definition, in_no_namespace, rank, versions_used
from rebirth.phases.made.flux import sync
from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading import scopes
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.things import Atomicity, Thing
from rebirth.rehearse.outside.tree import BRANCH, TREE

Object = Mapping[str, Any]
NAMESPACE = "flux-system"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")  # what else a repository may hold is a word to be filled in
_OF_A_SECRET = {"apiVersion", "kind", "metadata", "type", "immutable"}  # besides its data; not what SOPS adds
# Classes of which the name is all that matters here: API version, and what the API server asks for besides.
_BARE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "StorageClass": ("storage.k8s.io/v1", {"provisioner": "rehearsal"}),
    "IngressClass": ("networking.k8s.io/v1", {"spec": {"controller": "rehearsal.internal/none"}}),
    "PriorityClass": ("scheduling.k8s.io/v1", {"value": 0}),
}
_SYSTEM = {"default", "kube-system", "kube-public", "kube-node-lease"}


@dataclass(frozen=True)
class First:
    """In the order in which it is applied: namespaces and CRDs, what else is there, then what Flux begins with."""

    before: tuple[list[Object], ...]  # each at once
    flux: list[Object]
    root: tuple[str, str]  # namespace and name of the Kustomization that everything comes from
    later: list[Object]  # custom resources that were taken as there: once their kind is served


def first(model: Model, taken: Collection[Thing], graph: Graph, kinds: Kinds, age_key: str = "") -> First:
    """Out of what the proof has read: `taken` is what it took as there. `age_key`: what Flux decrypts with; "": nothing is
    encrypted, and any key will do.
    """
    used = versions_used(model)
    definitions = list(_definitions(model, taken, used))
    given = [item for thing in taken if (item := _given(thing, graph, kinds))]
    placed = [*_rights(), *_of_talos(used), *_placed(model, graph, kinds, used)]
    kept = [_invented(member, kinds) for member in model.seeded]
    sources, root = _flux(model)
    rest = [item for item in (*given, *placed, *kept) if item["kind"] != "Namespace"]
    named = {item["metadata"]["name"]: item for item in (*kept, *placed, *given) if item["kind"] == "Namespace"}
    needed = {item["metadata"].get("namespace", "") for item in (*rest, *sources)} | {NAMESPACE}
    spaces = [
        named.get(name) or _namespace(name)
        for name in sorted(needed | named.keys())
        if _NAME.fullmatch(name) and name not in _SYSTEM
    ]
    definitions += [item for item in rest if item["kind"] == "CustomResourceDefinition"]
    others = [item for item in rest if item["kind"] != "CustomResourceDefinition"]
    own = list(_decryption(model, age_key or kinds.make("age.agekey", "sops", "sops")))
    others = [item for item in others if _key(item) not in {*map(_key, own)}] + own  # in place of invented ones
    brought = {(crds.group, kind) for one in knowledge.operators() for crds in one.crds for kind in crds.kinds}
    later = [item for thing in taken if (item := _custom(thing, brought, used))]
    return First((spaces, definitions, others), sources, root, later)


def _placed(model: Model, graph: Graph, kinds: Kinds, used: Versions) -> Iterator[Object]:
    """What phases of a castle place, and helmfiles of a repository; of a chart the objects are those that the proof knows."""
    for unit in model.units:
        if unit.phase or unit.applied in graph.starts:
            completion = Completion(unit.own.name if unit.own else unit.phase, used, kinds.authority.pem)
            for member in unit.members:
                item = _invented(member, kinds)
                yield completion.of(item) if unit.atomicity is Atomicity.HELM else item


def _key(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _decryption(model: Model, age_key: str) -> Iterator[Object]:
    """The Secrets that Kustomizations decrypt with, and that nothing in the repository makes."""
    owners = {
        (unit.own.namespace, str(unit.own.at("spec", "decryption", "secretRef", "name") or ""))
        for unit in model.units
        if unit.own
    }
    for namespace, name in sorted(owners):
        if name and not model.find("Secret", namespace, name):
            metadata = {"name": name, "namespace": namespace}
            yield {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"age.agekey": age_key}}


def _rights() -> Iterator[Object]:
    """As `flux install` has them: a Kustomization may ask to be applied with the controllers' own accounts."""
    accounts = [{"name": f"{name}-controller", "namespace": NAMESPACE} for name in ("kustomize", "helm")]
    for account in accounts:
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "cluster-reconciler-flux-system"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", **account} for account in accounts],
    }


def _of_talos(used: Versions) -> Iterator[Object]:
    """The kind that Talos brings where pods may use its API (machine.features.kubernetesTalosAPIAccess)."""
    kind = "talos.dev", "ServiceAccount"
    if kind in used:
        yield definition(bare(*kind), used)


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _flux(model: Model) -> tuple[list[Object], tuple[str, str]]:
    """The source of the repository and the Kustomization that leads to its cluster, as they stand there, else made."""
    unit = next(unit for unit in model.units if unit.root)
    kind, namespace, name = model.own_source
    name, namespace = name or NAMESPACE, namespace or NAMESPACE
    kind = kind or "GitRepository"
    source = next((member.data for member, _ in model.find(kind, namespace, name)), None) or {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": name, "namespace": namespace},
        "spec": sync(model.castle.gitops)[0]["spec"]
        if model.castle
        else {"interval": "10m", "url": TREE, "ref": {"branch": BRANCH}},
    }
    if unit.own is not None:
        return [source, unit.own.data], (unit.own.namespace, unit.own.name)
    root = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": NAMESPACE, "namespace": namespace},
        "spec": {
            "interval": "10m",
            "prune": True,
            "path": f"./{model.cluster}",
            "sourceRef": {"kind": source["kind"], "name": name},
        },
    }
    return [source, root], (namespace, NAMESPACE)


def _given(thing: Thing, graph: Graph, kinds: Kinds) -> Object | None:
    """An object for what the proof took as there; None for what is none (a name, a path of Vault)."""
    metadata: dict[str, Any] = {"name": thing.name}
    if thing.kind == "Namespace":
        return _namespace(thing.name)
    if thing.kind in {"Secret", "ConfigMap"}:
        metadata["namespace"] = thing.namespace
        keys = sorted(
            {key.partition("|")[0] for reading in graph.readings if reading.of == thing and (key := reading.key)}
        )
        values = {key: kinds.make(key, thing.name, thing.name) for key in keys}
        field = "stringData" if thing.kind == "Secret" else "data"
        return {"apiVersion": "v1", "kind": thing.kind, "metadata": metadata, field: values}
    if thing.kind in _BARE:
        version, more = _BARE[thing.kind]
        return {"apiVersion": version, "kind": thing.kind, "metadata": metadata, **more}
    if thing.kind == "ServiceAccount":
        return {"apiVersion": "v1", "kind": thing.kind, "metadata": {**metadata, "namespace": thing.namespace}}
    return None


def _definitions(model: Model, taken: Iterable[Thing], used: Versions) -> Iterator[Object]:
    """CRDs that were taken as there: of those nothing but names is known."""
    everywhere = in_no_namespace(model)
    for thing in taken:
        if thing.kind == "CRD":
            group, _, kind = thing.name.rpartition("/")
            yield definition(bare(group, kind), used, everywhere)
        elif thing.kind == "CustomResourceDefinition":  # a health check names it, and not its kind
            plural, _, group = thing.name.partition(".")
            kind = next(
                (kind for of, kind in used if of == group and scopes.plural(kind) == plural), plural.capitalize()
            )
            crd = bare(group, kind)
            named = {"kind": kind, "plural": plural}
            crd = {**crd, "metadata": {"name": thing.name}, "spec": {**crd["spec"], "names": named}}
            yield definition(crd, used, everywhere)


def _custom(thing: Thing, brought: Collection[tuple[str, str]], used: Versions) -> Object | None:
    """A custom resource of which nothing but the name is known, where the name of its kind says which kind it is.

    `brought`: group and kind of what known operators bring.
    """
    of = {kind for kind in (*used, *brought) if kind[1] == thing.kind and scopes.is_custom(kind[0])}
    if len(of) != 1:
        return None
    (kind,) = of
    version = max(used.get(kind) or {"v1"}, key=rank)
    metadata = {"name": thing.name, **({"namespace": thing.namespace} if thing.namespace else {})}
    return {"apiVersion": f"{kind[0]}/{version}", "kind": thing.kind, "metadata": metadata, "spec": {}}


def _invented(member: Manifest, kinds: Kinds) -> Object:
    """The object; a Secret with values that were never anybody's."""
    if member.kind != "Secret":
        return member.data
    keys = sorted({*member.mapping("data"), *member.mapping("stringData")})
    values = {key: base64.b64encode(kinds.make(key, member.name, member.name).encode()).decode() for key in keys}
    kept = {name: value for name, value in member.data.items() if name in _OF_A_SECRET}
    return {**kept, "data": values}
