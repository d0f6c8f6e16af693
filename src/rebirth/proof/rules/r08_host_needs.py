"""A chart needs something of the machines that their configuration does not give.

What it finds:
    A chart that needs a system extension or a kernel module which the machines do not have: the installer's schematic is
    one of common extensions, and this one is not among them; or no `machine.kernel.modules` names the module. Also a
    metrics-server that checks the kubelets' certificates, where kubelets sign their own, or ask the cluster and nobody
    approves.

Why it cannot work:
    Talos has no package manager: what is not in the image is missing. The chart's pods crash or wait forever. A
    metrics-server that trusts no kubelet never becomes Ready.

Example:
    Longhorn on machines without the iscsi-tools extension (longhorn/longhorn#9558).

Instead:
    Make a schematic with the extension and name it in `talos.schematic` and in the installer; name the module in
    `machine.kernel.modules`. For metrics-server: machine.kubelet.extraArgs.rotate-server-certificates and a
    kubelet-serving-cert-approver, or --kubelet-insecure-tls.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Need

_IMAGE = "Put it into the machines' configuration: a schematic with the extension, or machine.kernel.modules."
_CERTIFICATE = "kubelet certificate"
_INSTEAD = {
    "system extension": _IMAGE,
    "kernel module": _IMAGE,
    _CERTIFICATE: (
        "Set machine.kubelet.extraArgs.rotate-server-certificates and run an approver, or give it --kubelet-insecure-tls."
    ),
}
_WHY = {
    _CERTIFICATE: "Kubelets sign their own certificates, or nobody approves those that they ask for: it never becomes Ready."
}


def r08_host_needs(graph: Graph) -> Iterator[Finding]:
    missing = {thing for thing in graph.missing() if thing.kind in _INSTEAD}
    for edge in graph.of_need(Need.HOST):
        if edge.needs in missing:
            yield Finding(
                "R08",
                Severity.ERROR,
                f"{edge.by.label} needs the {edge.needs.label}, which the machines do not have",
                graph.where.get(edge.needs, edge.place),
                (edge,),
                why=_WHY.get(
                    edge.needs.kind,
                    "What is missing from a Talos image cannot be installed later; the pods crash or wait.",
                ),
                instead=_INSTEAD[edge.needs.kind],
            )
