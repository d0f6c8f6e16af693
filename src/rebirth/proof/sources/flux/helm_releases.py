"""Flux HelmReleases: what each waits for, and what it makes. Phases install charts, too (`sources.castle`).

STARTED: chart, values, dependencies are there; what stands in a chart's crds/ folder is applied then. APPLIED: all the objects
are in the API server. READY: its workloads are, unless waiting is switched off.
"""

from collections.abc import Iterator, Mapping

from rebirth.proof.charts import helmfile, knowledge, known_charts, releases
from rebirth.proof.charts.releases import hooks
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux, pods
from rebirth.proof.reading.manifest import Manifest, Model, Unit, texts, thing
from rebirth.proof.things import Atomicity, Milestone, Need, Place, Strength, Thing

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Pod", "ReplicaSet"}
_JOBS = {"Job"}
_TIMEOUT = 300.0  # seconds: what Flux gives a release if nobody says


def timeout(own: Manifest) -> float:
    """How long one attempt to install may take."""
    whole = flux.seconds(own.at("spec", "timeout"), _TIMEOUT)
    return flux.seconds(own.at("spec", "install", "timeout"), whole)


def is_waiting(own: Manifest) -> bool:
    return own.at("spec", "install", "disableWait") is not True


def read(model: Model, graph: Graph) -> None:
    helmfile.given(model, graph)
    for unit in model.units:
        if unit.atomicity is not Atomicity.HELM or unit.own is None:
            continue
        own = unit.own
        begun = unit.applied
        if releases.is_release(own):
            begun = releases.started(own)
            _order(model, unit, own, begun, graph)
            if flux.is_suspended(own):
                words = f"{own.thing().label} is suspended"
                graph.remark("suspended", own.place("spec", "suspend"), words, own.thing())
        elif not model.castle:
            graph.assumed(unit.applied, str(own.annotations.get(helmfile.WHY)), own.place())
        _members(unit, begun, graph)
        if not flux.is_elsewhere(own):
            _target(own, unit, begun, graph)
            _tried(model, unit, own, graph)
            _wait(model, unit, own, graph)
            _delayed(unit, own, graph)


def _order(model: Model, unit: Unit, own: Manifest, begun: Thing, graph: Graph) -> None:
    for milestone in (begun, unit.applied, unit.ready):
        graph.where.setdefault(milestone, own.place("metadata", "name"))
    name = own.place("metadata", "name")
    graph.wanted(own.thing())
    graph.needs(begun, own.thing(), Need.APPLIED_BY, name, "the object itself is there")
    graph.needs(unit.applied, begun, Need.APPLIED_BY, name)
    graph.needs(unit.ready, unit.applied, Need.HEALTH, name)
    chart = releases.chart_of(model, own)
    if chart and chart.source:
        reference = ("spec", "chart", "spec", "sourceRef", "name")
        named = own.place(*reference) if own.at(*reference) else chart.place
        graph.needs(begun, chart.source, Need.CHART, named, f"its chart comes from {chart.source.label}")
        if (chart.source.kind, chart.source.namespace, chart.source.name) == model.own_source and not model.castle:
            graph.given(chart.source, "Flux is pointed at it by hand")
    for index, entry in enumerate(own.items("spec", "dependsOn")):
        if isinstance(entry, Mapping) and entry.get("name"):
            other = flux.ready("HelmRelease", str(entry.get("namespace") or own.namespace), str(entry["name"]))
            if entry.get("readyExpr"):
                other = other._replace(milestone=Milestone.EXISTS)
                graph.wanted(other)
            words = f"dependsOn {entry['name']}"
            graph.needs(begun, other, Need.DEPENDS_ON, own.place("spec", "dependsOn", index, "name"), words)
    for needed, need, place, words in _inputs(own):
        graph.needs(begun, needed, need, place, words)
    for index, entry in enumerate(own.items("spec", "valuesFrom")):
        if (
            isinstance(entry, Mapping)
            and entry.get("optional") is not True
            and entry.get("kind") in {"Secret", "ConfigMap"}
        ):
            holder = thing(str(entry["kind"]), own.namespace, str(entry.get("name")), Milestone.MATERIALISED)
            place = own.place("spec", "valuesFrom", index, "name")
            graph.needs(begun, holder, Need.VALUES, place)
            key = str(entry.get("valuesKey") or "values.yaml")
            graph.reads(
                begun,
                holder,
                key,
                place._replace(path=(*place.path[:-1], "valuesKey")) if entry.get("valuesKey") else place,
            )


def _inputs(own: Manifest) -> Iterator[tuple[Thing, Need, Place, str]]:
    if secret := own.at("spec", "kubeConfig", "secretRef", "name"):
        holder = thing("Secret", own.namespace, str(secret), Milestone.MATERIALISED)
        yield holder, Need.CREDENTIAL, own.place("spec", "kubeConfig", "secretRef"), ""


def _target(own: Manifest, unit: Unit, begun: Thing, graph: Graph) -> None:
    """The namespace that it goes to; Flux makes it only if it is told to, and only one that is not the release's own."""
    space = releases.target_namespace(own)
    if not space:
        return
    target = thing("Namespace", "", space)
    place = (
        own.place("spec", "targetNamespace")
        if own.at("spec", "targetNamespace")
        else own.place("metadata", "namespace")
    )
    graph.wanted(target)
    if own.at("spec", "targetNamespace") and own.at("spec", "install", "createNamespace") is True:
        graph.makes(begun, target, own.place("spec", "install", "createNamespace"))
    elif releases.is_release(own):
        if own.at("spec", "install", "createNamespace") is True:
            words = f"{own.thing().label} is to make the namespace in which it stands"
            graph.remark("makes-its-own", place, words, own.thing(), namespace=space)
        graph.needs(unit.applied, target, Need.NAMESPACE, place, f"installs into {space}")
    storage = own.at("spec", "storageNamespace")
    if storage and storage != space:
        kept = thing("Namespace", "", str(storage))
        graph.wanted(kept)
        graph.needs(unit.applied, kept, Need.NAMESPACE, own.place("spec", "storageNamespace"), f"is kept in {storage}")


def _members(unit: Unit, begun: Thing, graph: Graph) -> None:
    for member in unit.members:
        place = member.place("metadata", "name")
        when = hooks(member)
        if "test" in when or (when and not when & {"pre-install", "post-install"}):
            continue
        maker = unit.applied
        if member.annotations.get(releases.FOLDER) or "pre-install" in when:
            maker = begun
        elif "post-install" in when:
            # Applied when all that is waited for is Ready: the release is Ready once its hooks are done.
            maker = _waited(unit)
        graph.makes(maker, member.thing(), place, need=Need.APPLIED_BY)
        if suggested := member.annotations.get(releases.NOT_NAMED):
            other = thing(member.kind, member.namespace, str(suggested))
            words = f"the chart names it {member.name}: it is its only {member.kind}"
            graph.remark("named-otherwise", place, words, other, name=member.name, whole="yes" if unit.known else "")


def _waited(unit: Unit) -> Thing:
    """The moment after the wait, before the post-install hooks."""
    return unit.ready._replace(milestone=Milestone.SERVES)


def _tried(model: Model, unit: Unit, own: Manifest, graph: Graph) -> None:
    """A release with one attempt of Flux' usual time, in which all its images are pulled on machines that have none."""
    if not releases.is_release(own) or not is_waiting(own) or releases.attempts(model, own) != 1:
        return
    starts = any(member.kind in _WORKLOADS | _JOBS for member in unit.members)
    if timeout(own) <= _TIMEOUT and (starts or not unit.known) and flux.is_suspended(own) is False:
        words = f"{own.thing().label} is tried once, for {timeout(own):.0f} s"
        graph.remark("tried-once", own.place("metadata", "name"), words, unit.ready)


def _wait(model: Model, unit: Unit, own: Manifest, graph: Graph) -> None:
    """READY needs the workloads, then the hooks. Helm itself waits for Services and claims, too."""
    tries = releases.attempts(model, own) if releases.is_release(own) else None
    patience = timeout(own) * tries if tries else None
    strength = Strength.BOUNDED if tries else Strength.SOFT
    after = [member for member in unit.members if "post-install" in hooks(member)]
    waited = unit.ready
    if after:
        waited = _waited(unit)
        graph.where.setdefault(waited, own.place("metadata", "name"))
        graph.needs(waited, unit.applied, Need.HEALTH, own.place("metadata", "name"))
        graph.needs(unit.ready, waited, Need.HEALTH, own.place("metadata", "name"))
    for member in after:
        done = member.thing(Milestone.READY if member.kind in _JOBS | _WORKLOADS else Milestone.EXISTS)
        graph.needs(unit.ready, done, Need.HOOK, member.place("metadata", "name"), strength=strength, patience=patience)
    for member in unit.members:
        when = hooks(member)
        if "pre-install" in when and member.kind in _JOBS:
            done = member.thing(Milestone.READY)
            graph.needs(
                unit.applied, done, Need.HOOK, member.place("metadata", "name"), strength=strength, patience=patience
            )
        if when or not is_waiting(own):
            continue
        jobs = own.at("spec", "install", "disableWaitForJobs") is not True and releases.is_release(own)
        if (
            member.kind in _WORKLOADS
            or (member.kind in _JOBS and jobs)
            or member.kind in {"Service", "PersistentVolumeClaim"}
        ):
            healthy = member.thing(Milestone.READY)
            place = member.place("metadata", "name")
            words = f"Helm waits for {healthy.label}"
            graph.needs(waited, healthy, Need.HEALTH, place, words, strength=strength, patience=patience)
            graph.needs(healthy, member.thing(), Need.APPLIED_BY, place)


_IN_PLACE = "RetryOnFailure"  # the strategy that leaves what a failed attempt has made


def _delayed(unit: Unit, own: Manifest, graph: Graph) -> None:
    """Pods that cannot be Ready before an attempt to install is over, and that the next attempt makes anew."""
    limit = timeout(own)
    if (
        not is_waiting(own)
        or not releases.is_release(own)
        or own.at("spec", "install", "strategy", "name") == _IN_PLACE
    ):
        return
    for member in unit.members:
        found = pods.of(member, unit) if member.kind in _WORKLOADS and not hooks(member) else None
        for part, index, container in found.containers(init=False) if found and found.replicas else ():
            for probe in ("startupProbe", "readinessProbe"):
                said = container.get(probe)
                delay = said.get("initialDelaySeconds") if isinstance(said, Mapping) else None
                if isinstance(delay, int) and delay > limit:
                    words = f"{member.thing().label} is asked for the first time after {delay} s ({probe} of {container.get('name')})"
                    place = (
                        member.place(*found.path, "spec", part, index, probe, "initialDelaySeconds")
                        if found
                        else unit.place
                    )
                    graph.remark("asked-too-late", place, words, own.thing(), limit=f"{limit:.0f}")


def assume(model: Model, graph: Graph) -> None:
    """What pods of a rendered chart read, and neither the chart nor anybody else makes: its own programs do, when they run.

    But what the release's values name, or what is known to come from elsewhere, is needed as it is.
    """
    for unit in model.units:
        own = unit.own
        if unit.atomicity is not Atomicity.HELM or own is None or not unit.members:
            continue
        chart = releases.chart_of(model, own)
        values = releases.values_of(model, own)
        known = knowledge.of_chart(chart.name, None) if chart else None
        named = known_charts.secrets(known, own, chart, values) if known and chart else set()
        named |= set(texts(values.data))
        for member in unit.members:
            found = pods.of(member, unit)
            if found is None or releases.MADE_UP in found.labels:
                continue
            for reference in found.references():
                holder = thing(reference.kind, member.namespace, reference.name, Milestone.MATERIALISED)
                if reference.name not in named and not graph.makers(holder):
                    graph.given(holder, f"{own.thing().label} makes it itself", own.place())
