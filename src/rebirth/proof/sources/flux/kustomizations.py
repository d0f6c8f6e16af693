"""Flux Kustomizations: what each waits for, and what it makes.

How Flux applies one (kustomize-controller 1.7.3, fluxcd/pkg/ssa 0.76, read in their source):

1. The source is fetched, every dependsOn is Ready, and has applied the same revision if it comes from the same source.
   A dependency with a readyExpr counts as Ready when that expression says so.
2. The path is built, decrypted (an encrypted Secret without spec.decryption fails all), and variables are substituted,
   if any variable is there at all.
3. It is applied in three stages, each dry-run as a whole first and waited for (60 s): Namespaces, CRDs and ClusterRoles; then
   every kind whose name ends in `Class`; then the rest. So the first two stages stand even where the rest is rejected.
   Objects with `ssa: Ignore` or `reconcile: disabled` are left out.
4. With `wait` every applied object has to be healthy, else those of healthChecks; itself left out. Healthy is what kstatus
   says: workloads rolled out, Jobs complete (Flux's own reader), claims bound, CRDs established; a Service of type
   LoadBalancer only has to have a clusterIP, not its outside address; Secrets, ConfigMaps and CronJobs are healthy as they
   are; everything else has a Ready condition that is True, or none.
5. What fails  is retried after retryInterval (else interval); what waits for a dependency after 30 seconds. For ever.
"""

import re
from collections.abc import Mapping

from rebirth.proof.graph import Graph
from rebirth.proof.reading import scopes
from rebirth.proof.reading.flux import (
    SOURCES,
    is_first,
    is_kustomization,
    is_left_out,
    ready,
    source_of,
    started,
    timeout,
)
from rebirth.proof.reading.manifest import Manifest, Model, Unit, thing
from rebirth.proof.things import Atomicity, Milestone, Need, Thing

_OWN = ("flux-system", "flux-system")  # namespace and name of the source that Flux bootstraps with
_VARIABLE = re.compile(r"[_A-Za-z][_A-Za-z0-9]*")
_MANY = 4  # Kustomizations of one source
# The accounts as which Flux's controllers run.
_CONTROLLERS = (
    "source-controller", "kustomize-controller", "helm-controller", "notification-controller", "image-reflector-controller",
    "image-automation-controller", "source-watcher",
)  # fmt: skip


def read(model: Model, graph: Graph) -> None:
    """The units of Flux: order, members, health."""
    for unit in model.units:
        if unit.atomicity is not Atomicity.FLUX:
            continue
        begun = started(unit.own) if unit.own else unit.applied
        _members(unit, begun, graph)
        if unit.root:
            _seeds(model, unit, graph)
        if unit.own is not None:
            _order(unit, unit.own, begun, graph)
            _inputs(unit.own, begun, model, graph)
            _health(model, unit, unit.own, graph)
    for generator, _ in model.objects("ArtifactGenerator"):
        _artifacts(generator, graph)


def _artifacts(generator: Manifest, graph: Graph) -> None:
    """Artifacts that the source watcher makes of parts of other sources."""
    for number, artifact in enumerate(generator.items("spec", "artifacts")):
        if not isinstance(artifact, Mapping):
            continue
        made = thing("ExternalArtifact", generator.namespace, str(artifact.get("name")))
        fetched = made._replace(milestone=Milestone.READY)
        place = generator.place("spec", "artifacts", number)
        graph.makes(generator.thing(), made, place)
        graph.needs(fetched, made, Need.MADE_BY, place)
        for index, source in enumerate(generator.items("spec", "sources")):
            if isinstance(source, Mapping):
                namespace = str(source.get("namespace") or generator.namespace)
                other = ready(str(source.get("kind")), namespace, str(source.get("name")))
                graph.needs(fetched, other, Need.SOURCE, generator.place("spec", "sources", index))


def _seeds(model: Model, unit: Unit, graph: Graph) -> None:
    """What `flux bootstrap` applies before Flux looks at the repository: all that stands in the files of Flux itself."""
    if model.castle:
        return
    _first(model, unit, graph)
    files = {unit.own.file} if unit.own else set()
    first = {m.file for m in unit.members if m.kind == "Deployment" and m.name == "source-controller"}
    for member in unit.members:
        if member.file and member.file in files | first:
            graph.given(member.thing(), "flux bootstrap applies it", member.place())
    own = f"{model.root}/{model.cluster}/flux-system/gotk-"
    for member, _ in model.objects(*SOURCES, "Kustomization"):
        if member.file.startswith(own):
            graph.given(member.thing(), "flux bootstrap applies it", member.place())
    if unit.own is None:
        graph.given(unit.applied, "Flux is pointed at it by hand", unit.place)
        graph.given(unit.applied._replace(milestone=Milestone.EXISTS), "Flux is pointed at it by hand", unit.place)
        graph.needs(unit.ready, unit.applied, Need.HEALTH, unit.place)
    elif not any(member is unit.own for member in unit.members):
        graph.given(unit.own.thing(), "Flux is pointed at it by hand", unit.own.place())


def _first(model: Model, unit: Unit, graph: Graph) -> None:
    """What Flux itself comes with: the source that it is pointed at, the key to that, the accounts of its controllers."""
    kind, namespace, name = model.own_source
    users = sum(one.own is not None and source_of(one.own) == model.own_source for one in model.units)
    # Flux is pointed at one: where so much comes from it, another kind of the same name is a slip.
    kinds = (kind,) if users >= _MANY and (namespace, name) == _OWN else ("GitRepository", "OCIRepository", "Bucket")
    for own in ((kind, namespace, name), *((other, *_OWN) for other in kinds)):
        if not model.find(*own):
            graph.given(ready(*own), "Flux is pointed at it by hand", unit.place)
    for source, _ in model.find(kind, namespace, name):
        if key := source.at("spec", "secretRef", "name"):
            holder = thing("Secret", namespace, str(key), Milestone.MATERIALISED)
            graph.assumed(holder, "flux bootstrap makes it", source.place("spec", "secretRef"))
    for controller in _CONTROLLERS:
        graph.given(thing("ServiceAccount", "flux-system", controller), "Flux is there first")


def _order(unit: Unit, own: Manifest, begun: Thing, graph: Graph) -> None:
    for own_thing in (begun, unit.applied, unit.ready):
        graph.where.setdefault(own_thing, own.place())
    name = own.place("metadata", "name")
    graph.needs(begun, own.thing(), Need.APPLIED_BY, name, "the object itself is there")
    graph.needs(unit.applied, begun, Need.APPLIED_BY, name)
    graph.needs(unit.ready, unit.applied, Need.HEALTH, name)
    graph.wanted(own.thing())
    for index, entry in enumerate(own.items("spec", "dependsOn")):
        if not isinstance(entry, Mapping) or not entry.get("name"):
            continue
        other = ready("Kustomization", str(entry.get("namespace") or own.namespace), str(entry.get("name")))
        words = f"dependsOn {entry.get('name')}"
        if entry.get("readyExpr"):
            # The expression decides alone: it may be true of an object that is not Ready, but not of none.
            other = other._replace(milestone=Milestone.EXISTS)
            graph.wanted(other)
            words += ", by an expression"
        graph.needs(begun, other, Need.DEPENDS_ON, own.place("spec", "dependsOn", index, "name"), words)


def _inputs(own: Manifest, begun: Thing, model: Model, graph: Graph) -> None:
    """What Flux reads before it applies: the source, variables, keys, the account that it acts as."""
    kind, namespace, name = source_of(own)
    if kind in SOURCES and name:
        source = ready(kind, namespace, name)
        graph.needs(begun, source, Need.SOURCE, own.place("spec", "sourceRef", "name"), f"sourceRef {kind} {name}")
    _variable_names(own, model, graph)
    for index, entry in enumerate(own.items("spec", "postBuild", "substituteFrom")):
        if (
            isinstance(entry, Mapping)
            and str(entry.get("kind")) in {"ConfigMap", "Secret"}
            and not entry.get("optional")
        ):
            holder = thing(str(entry["kind"]), own.namespace, str(entry.get("name")), Milestone.MATERIALISED)
            graph.needs(begun, holder, Need.VARIABLES, own.place("spec", "postBuild", "substituteFrom", index))
    for need, path in (
        (Need.DECRYPTION, ("spec", "decryption", "secretRef")),
        (Need.CREDENTIAL, ("spec", "kubeConfig", "secretRef")),
    ):
        if secret := own.at(*path, "name"):
            holder = thing("Secret", own.namespace, str(secret), Milestone.MATERIALISED)
            graph.needs(begun, holder, need, own.place(*path))
            sealed = [one for one, _ in model.find(*holder[:3]) if one.mapping("sops")]
            if sealed and need is Need.DECRYPTION:
                why = "it is encrypted itself: whoever has its key places it before Flux"
                graph.assumed(holder, why, sealed[0].place("metadata", "name"))
    if account := own.at("spec", "serviceAccountName"):
        place = own.place("spec", "serviceAccountName")
        existing = thing("ServiceAccount", own.namespace, str(account))
        graph.wanted(existing)
        graph.needs(begun, existing, Need.ACCOUNT, place)


def _variable_names(own: Manifest, model: Model, graph: Graph) -> None:
    """Keys that can be no variable: one of them, used or not, and Flux substitutes nothing (pkg/kustomize 1.35, varSubstitution)."""
    holders: list[tuple[Manifest, tuple[str, ...]]] = [(own, ("spec", "postBuild", "substitute"))]
    for entry in own.items("spec", "postBuild", "substituteFrom"):
        if isinstance(entry, Mapping):
            named = (str(entry.get("kind")), own.namespace, str(entry.get("name")))
            holders += [
                (holder, (field,))
                for holder, _ in model.find(*named)
                if not holder.group
                for field in ("data", "stringData")
            ]
    for holder, path in holders:
        for key in holder.mapping(*path):
            if not _VARIABLE.fullmatch(str(key)):
                words = f"{own.thing().label} substitutes {key}, and that is no name of a variable"
                graph.remark("variable-name", holder.place(*path, str(key)), words, own.thing(), key=str(key))


def _members(unit: Unit, begun: Thing, graph: Graph) -> None:
    for member in unit.members:
        if is_left_out(member):
            graph.assumed(member.thing(), "Flux leaves it to others (ssa: Ignore)", member.place("metadata"))
            continue
        maker = begun if is_first(member) else unit.applied
        graph.makes(maker, member.thing(), member.place("metadata", "name"), need=Need.APPLIED_BY)


def _health(model: Model, unit: Unit, own: Manifest, graph: Graph) -> None:
    patience = timeout(own)
    if own.at("spec", "wait") is True:
        for member in unit.members:
            if is_left_out(member) or (is_kustomization(member) and _same(member, own)):
                continue
            healthy = member.thing(Milestone.READY)
            words = f"waits for {member.thing().label}"
            graph.needs(unit.ready, healthy, Need.HEALTH, own.place("spec", "wait"), words, patience=patience)
            graph.needs(healthy, member.thing(), Need.APPLIED_BY, member.place("metadata", "name"))
        return
    for index, check in enumerate(own.items("spec", "healthChecks")):
        if not isinstance(check, Mapping) or not check.get("kind") or not check.get("name"):
            continue
        healthy = ready(str(check["kind"]), str(check.get("namespace") or ""), str(check["name"]))
        if healthy == unit.ready:
            continue  # Flux leaves itself out
        place = own.place("spec", "healthChecks", index)
        if not check.get("namespace") and _is_namespaced(model, check):
            words = f"{own.thing().label} checks the health of {check['kind']} {check['name']} in no namespace"
            applied = next(
                (m.thing() for m in unit.members if (m.kind, m.name) == (check["kind"], check["name"])), None
            )
            words += f"; it applies {applied.label}" if applied else ""
            graph.remark("health-check-nowhere", place, words, own.thing())
            continue
        graph.needs(unit.ready, healthy, Need.HEALTH, place, patience=patience)
        existing = healthy._replace(milestone=Milestone.EXISTS)
        graph.wanted(existing)
        graph.needs(healthy, existing, Need.APPLIED_BY, place)


def _is_namespaced(model: Model, check: Mapping[str, object]) -> bool:
    """Whether a health check names a kind that stands in a namespace: Flux asks for it in the one that it names, and in no other."""
    group, _, version = str(check.get("apiVersion") or "").rpartition("/")
    known = scopes.NAMESPACED.get(group, set()) if version else set().union(*scopes.NAMESPACED.values())
    if check["kind"] in known:
        return True
    same = [
        member
        for member, _ in model.objects(str(check["kind"]))
        if member.group == group and member.name == check["name"]
    ]
    return bool(same) and all(member.namespace for member in same)


def _same(one: Manifest, other: Manifest) -> bool:
    return (one.namespace, one.name) == (other.namespace, other.name)
