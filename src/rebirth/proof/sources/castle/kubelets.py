"""Certificates with which kubelets serve: who wants them to be signed by the cluster, and who signs them.

A kubelet of Talos signs its own, which metrics-server does not trust. With `rotate-server-certificates` it asks the cluster for one,
and Kubernetes itself approves none of those requests (docs.siderolabs.com, Deploy the Metrics Server).
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.reading import pods
from rebirth.proof.reading.manifest import MachineConfiguration, Model, texts, thing
from rebirth.proof.reading.talos import Merged
from rebirth.proof.things import Milestone, Need, Place, Thing

_SIGNED = thing("kubelet certificate", "", "signed by the cluster", Milestone.READY)
_SERVER, _INSECURE = "metrics-server", "--kubelet-insecure-tls"
_APPROVERS = ("kubelet-serving-cert-approver", "kubelet-csr-approver", "talos-cloud-controller-manager")


def read(model: Model, graph: Graph) -> None:
    asked = {machine.machine: _asks(machine) for machine in model.machines}
    told = [machine for machine in model.machines if machine.whole or machine.generated or asked[machine.machine]]
    users = list(_users(model)) if told else []
    if not users:
        return
    for by, place in users:
        graph.needs(by, _SIGNED, Need.HOST, place, f"without {_INSECURE} it trusts no other")
    graph.wanted(_SIGNED)
    places = [place for place in (asked[machine.machine] for machine in told) if place]
    if places:
        graph.where.setdefault(_SIGNED, places[0])
        for approver, place in _approvers(model):
            graph.makes(approver, _SIGNED, place, "approves what kubelets ask for")
        if _is_approved_elsewhere(model):
            graph.given(_SIGNED, "Talos applies an approver", places[0])


def _asks(machine: MachineConfiguration) -> Place | None:
    """Where a kubelet is told to ask the cluster for its certificate."""
    merged = Merged(machine.patches)
    for path in (("extraArgs", "rotate-server-certificates"), ("extraConfig", "serverTLSBootstrap")):
        found = merged.last("machine", "kubelet", *path)
        if found and str(found.value).lower() == "true":
            return found.place
    return None


def _users(model: Model) -> Iterator[tuple[Thing, Place]]:
    """Metrics servers that check the kubelets' certificates."""
    for found in pods.every(model):
        for part, index, container in found.containers(init=False):
            image = str(container.get("image") or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
            if image == _SERVER and _INSECURE not in " ".join(texts([container.get("args"), container.get("command")])):
                yield found.thing, found.place(part, index, "args" if container.get("args") else "image")
    for unit in model.units:
        own = unit.own
        if (
            own is None
            or unit.members
            or own.at("spec", "chart", "spec", "chart") != _SERVER
            or own.items("spec", "valuesFrom")
        ):
            continue
        if not any(_INSECURE in text for text in texts(own.at("spec", "values"))):
            path = (
                ("spec", "values", "args")
                if own.items("spec", "values", "args")
                else ("spec", "chart", "spec", "chart")
            )
            yield unit.ready, own.place(*path)


def _approvers(model: Model) -> Iterator[tuple[Thing, Place]]:
    for found in pods.every(model):
        images = [str(container.get("image") or "") for _, _, container in found.containers(init=False)]
        if any(name in text for name in _APPROVERS for text in (*images, found.manifest.name)):
            yield found.thing, found.manifest.place("metadata", "name")
    for unit in model.units:
        if unit.own is None or unit.members:
            continue
        called = (unit.own.name, str(unit.own.at("spec", "chart", "spec", "chart")))
        if any(name in text for name in _APPROVERS for text in called):
            yield unit.ready, unit.own.place("metadata", "name")


def _is_approved_elsewhere(model: Model) -> bool:
    """Whether manifests that Talos fetches or files that are applied before Flux name an approver."""
    said = [
        item.value for machine in model.machines for item in Merged(machine.patches).items("cluster", "extraManifests")
    ]
    said += [
        item.value for machine in model.machines for item in Merged(machine.patches).items("cluster", "inlineManifests")
    ]
    said += [*model.remote, *(member.name for member in model.seeded)]
    return any(name in text for text in texts(said) for name in _APPROVERS)
