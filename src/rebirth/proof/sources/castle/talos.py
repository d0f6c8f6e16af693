"""Talos: what a machine configuration makes in the cluster, and which names its certificates hold.

Patches are merged as Talos merges them: later values win, lists grow.
"""

import re

from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import MachineConfiguration, Manifest, Model, Unit, thing
from rebirth.proof.reading.talos import TALOS, Merged, control_plane
from rebirth.proof.sources.meeting import POD_NETWORK, RELEASE, api
from rebirth.proof.things import ALWAYS, NOWHERE, Atomicity, Milestone, Need


def read(model: Model, graph: Graph) -> None:
    castle, machine = model.castle, control_plane(model)
    for unit in model.units:
        if unit.atomicity is Atomicity.TALOS:
            for member in unit.members:
                graph.makes(unit.applied, member.thing(), member.place(), need=Need.APPLIED_BY)
            graph.needs(unit.ready, unit.applied, Need.HEALTH, unit.place)
            if castle:
                graph.needs(unit.applied, api(castle), Need.API, unit.place)
            else:
                graph.given(unit.applied, "machines are configured before Flux is", unit.place)
    _pod_network(model, graph, machine)
    _patches(model, graph)
    _callers(model, graph)


_SEVERAL = (1, 12)  # the version of Talos since which its generator writes several documents (config.VersionContract)


def _patches(model: Model, graph: Graph) -> None:
    """Operations of RFC 6902, which Talos carries out on a single document only (configpatcher.JSON6902)."""
    for machine in model.machines:
        version = re.match(r"v?(\d+)\.(\d+)", machine.version)
        if version is None or (int(version[1]), int(version[2])) < _SEVERAL:
            continue
        for place in machine.operations:
            if not any(remark.place == place for remark in graph.marked("machine-operations")):
                words = f"a patch of machine configurations in the form of RFC 6902, for Talos {machine.version}"
                graph.remark("machine-operations", place, words)


def _callers(model: Model, graph: Graph) -> None:
    """Namespaces whose pods may use Talos' API."""
    for machine in model.machines:
        path = ("machine", "features", "kubernetesTalosAPIAccess", "allowedKubernetesNamespaces")
        for item in Merged(machine.patches).items(*path):
            if isinstance(item.value, str) and item.value:
                of = thing("Namespace", "", item.value)
                graph.wanted(of)
                graph.remark("named-by-talos", item.place, f"Talos lets pods of {of.label} use its API", of, sure="")


# -- the pod network

# Charts and DaemonSets that are a pod network.
_CNI_CHARTS = {"cilium", "calico", "tigera-operator", "flannel", "kube-ovn", "antrea"}
_CNI_SETS = {"cilium", "calico-node", "kube-flannel", "kube-flannel-ds", "antrea-agent", "kube-ovn-cni", "canal"}


def is_cni(member: Manifest) -> bool:
    if member.kind == "HelmRelease":
        ref = member.at("spec", "chartRef", "name", default="")
        return str(member.at("spec", "chart", "spec", "chart", default=ref)) in _CNI_CHARTS
    return member.kind == "DaemonSet" and member.name in _CNI_SETS


def _installs_cni(unit: Unit) -> bool:
    """A phase's own release of a CNI."""
    release = unit.own if unit.applied.kind == RELEASE else None
    return release is not None and str(release.at("spec", "chart", "spec", "chart")) in _CNI_CHARTS


def _pod_network(model: Model, graph: Graph, machine: MachineConfiguration | None) -> None:
    """Who connects pods: Talos' flannel, or a CNI that something else brings."""
    if machine is None or not machine.whole:
        graph.given(POD_NETWORK, "not stated in these files")
        return
    merged = Merged(machine.patches)
    graph.wanted(POD_NETWORK)
    if name := merged.last("cluster", "network", "cni", "name"):
        graph.where[POD_NETWORK] = name.place
    if (name and name.value == "custom") or any(merged.items("cluster", "extraManifests")):
        graph.given(POD_NETWORK, "Talos applies manifests from a URL", name.place if name else NOWHERE)
    for member, unit in model.objects("DaemonSet", "HelmRelease"):
        if not is_cni(member):
            continue
        runs = unit.applied if unit.atomicity is Atomicity.TALOS else member.thing(Milestone.READY)
        graph.makes(runs, POD_NETWORK, member.place("metadata", "name"), need=Need.NETWORK, scope=ALWAYS)
    for unit in filter(_installs_cni, model.units):
        graph.makes(unit.ready, POD_NETWORK, unit.place, need=Need.NETWORK, scope=ALWAYS)
    if any(edge.needs != TALOS for edge in graph.makers(POD_NETWORK)):
        _connected(model, graph)


def _connected(model: Model, graph: Graph) -> None:
    """Pods need the network; said only where it could be late."""
    for member, unit in model.objects(*WORKLOADS, "HelmRelease"):
        if is_cni(member) or _installs_cni(unit) or member.at("spec", "template", "spec", "hostNetwork") is True:
            continue
        place = member.place(*(("metadata", "name") if member.kind == "HelmRelease" else ("spec", "template", "spec")))
        graph.needs(member.thing(Milestone.READY), POD_NETWORK, Need.NETWORK, place, scope=ALWAYS)


WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
