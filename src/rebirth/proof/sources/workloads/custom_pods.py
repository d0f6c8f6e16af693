"""Pods of operators: what custom resources that describe them name in the words of Kubernetes itself. They are not started without it, and
nobody waits for that: such a custom resource is mostly Ready all the same.
"""

from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux, pods
from rebirth.proof.reading.manifest import Manifest, Model, thing
from rebirth.proof.sources import meeting
from rebirth.proof.things import Atomicity, Milestone, Need

# Groups that describe no pods, and those whose objects are templates of others, in namespaces and with names of their own.
_OTHERS = (
    "k8s.io", "fluxcd.io", "fluxcd.controlplane.io", "cert-manager.io", "external-secrets.io", "kyverno.io", "argoproj.io", "tekton.dev",
    "crossplane.io", "kro.run", "templates.gatekeeper.sh", "cluster.x-k8s.io", "openshift.io", "cilium.io",
)  # fmt: skip
_NEEDS = {
    "Secret": (Need.SECRET, Milestone.MATERIALISED),
    "ConfigMap": (Need.CONFIG, Milestone.MATERIALISED),
    "PersistentVolumeClaim": (Need.VOLUME, Milestone.EXISTS),
}


def read(model: Model, graph: Graph) -> None:
    for member, unit in model.objects():
        custom = "." in member.group and not member.group.endswith(_OTHERS)
        if custom and member.namespace and unit.atomicity is Atomicity.FLUX and not flux.is_left_out(member):
            _read(member, graph)


def _read(member: Manifest, graph: Graph) -> None:
    running = member.thing(Milestone.SERVES)
    for one in pods.described(member.at("spec")):
        need, milestone = _NEEDS[one.kind]
        of = thing(one.kind, member.namespace, one.name, milestone)
        mine = one.name == member.name or one.name.startswith(f"{member.name}-")
        if one.optional or "{" in one.name or (mine and not graph.makers(of) and one.kind != "PersistentVolumeClaim"):
            continue  # its operator makes what is called like it
        meeting.given(graph, of)
        graph.wanted(of)
        graph.needs(running, of, need, member.place("spec", *one.path), "its pods read it")
        if one.key:
            graph.reads(running, of, one.key, member.place("spec", *one.key_path))
