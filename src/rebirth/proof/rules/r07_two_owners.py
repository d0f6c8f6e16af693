"""Two owners of one object, or two makers of one Secret.

What it finds:
    An object that is applied by two units: two Kustomizations, Flux and a Helm release, Talos and anybody else; and a
    Secret that two makers fill: two ExternalSecrets, an ExternalSecret and a file.

Why it cannot work:
    Each overwrites the other's version, forever; and when one of them is removed, the object is deleted, and the other
    one's users lose it.

Example:
    Flux applies the ConfigMap kube-system/coredns while Talos still manages it (siderolabs/talos#7019): the last writer
    wins, and after the next upgrade of Kubernetes that is Talos.

Instead:
    Let one of them make it. Talos's own manifests can be disabled in the machine configuration.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.order import UNITS
from rebirth.proof.things import Edge, Milestone, Need, Thing

# Who fills a Secret that is there already, and leaves it to its owner.
_POLITE = frozenset({"PostgresCluster", "Cluster", "Issuer", "ClusterIssuer", "Kustomization", "HelmRelease", "phase"})
# A second owner does no harm while both live: classes, namespaces and CRDs have little to differ in.
_SHARED = frozenset({"Namespace", "CustomResourceDefinition"})
_FIXED = (
    "The chart selects its pods by other labels than Talos, and a selector cannot be changed: the release is rejected."
)
_BEFORE_FLUX = frozenset({"phase", "Helm release"})


def r07_two_owners(graph: Graph) -> Iterator[Finding]:
    beginners = {remark.about for remark in graph.marked("begins-only")}
    for made in list(graph.made):
        if "${" in made.name or "${" in made.namespace:
            continue  # two names may come out of one variable
        if made.milestone is Milestone.EXISTS:
            yield from _applied_twice(graph, made)
        elif made.milestone is Milestone.MATERIALISED and made.kind in {"Secret", "ConfigMap"}:
            yield from _filled_twice(graph, made, beginners)


def _applied_twice(graph: Graph, made: Thing) -> Iterator[Finding]:
    makers = graph.makers(made)
    if len(makers) < 2:
        return
    owners: dict[str, Edge] = {}
    for edge in makers:
        if edge.need is Need.APPLIED_BY:
            owners.setdefault(edge.needs.label, edge)
    if len(owners) < 2:
        return
    first, second = list(owners.values())[:2]
    kinds = {first.needs.kind, second.needs.kind}
    if made.kind in _SHARED and "Talos" not in _families(kinds):
        return
    if _families(kinds) == {"phase", "flux"} and made.kind != "Secret":
        return  # Flux goes on with what bootstrap began
    fixed = _is_fixed(made, kinds)
    release = next((one.needs for one in (second, first) if fixed and "Helm" in _families({one.needs.kind})), None)
    yield Finding(
        "R07",
        _weight(graph, made, kinds),
        f"{made.label} is applied by {first.needs.label} and by {second.needs.label}",
        graph.where.get(release, second.place) if release else second.place,
        (first, second),
        why=_FIXED if fixed else _why(kinds),
        instead="Let one of them make it.",
        cause=f"{first.needs.label} applies what others do" if _families(kinds) == {"flux"} else "",
    )


def _families(kinds: set[str]) -> set[str]:
    names = {"Kustomization": "flux", "HelmRelease": "Helm", "Helm release": "Helm", "phase": "phase"}
    return {names.get(kind, "Talos" if kind not in UNITS else kind) for kind in kinds}


def _weight(graph: Graph, made: Thing, kinds: set[str]) -> Severity:
    same = any(remark.about == made and remark["same"] for remark in graph.marked("two-owners"))
    if _is_fixed(made, kinds):
        return Severity.ERROR
    if "Helm" in _families(kinds):
        return Severity.WARNING  # helm-controller takes over what is there, unless it is told not to
    # The same from both sides does no harm until one of them goes.
    return Severity.INFO if same else Severity.ERROR


def _is_fixed(made: Thing, kinds: set[str]) -> bool:
    """Whether the second cannot even take it over: pods are selected by each chart's own labels, which never change."""
    return made.kind in {"Deployment", "DaemonSet", "StatefulSet"} and {"Talos", "Helm"} <= _families(kinds)


def _why(kinds: set[str]) -> str:
    families = _families(kinds)
    if "Helm" in families:
        return "A Helm release takes the object over, and whatever else applies it takes it back; `helm install` by hand fails."
    if "Talos" in families:
        return (
            "Talos applies its own version again, on every upgrade of Kubernetes at the latest; the last writer wins."
        )
    return "Each overwrites the other's version, and when one of them is removed the object is deleted with it."


def _filled_twice(graph: Graph, made: Thing, beginners: set[Thing | None]) -> Iterator[Finding]:
    makers: dict[str, Edge] = {}
    if len(graph.makers(made)) < 2:
        return
    for edge in graph.makers(made):
        if edge.need is not Need.MADE_BY:
            continue
        polite = (
            edge.needs.kind in _POLITE
            or edge.needs in beginners
            or any(e.needs == made for e in graph.edges.get(edge.needs, ()))
        )
        if not polite:
            makers.setdefault(edge.needs.label, edge)
    if len(makers) < 2:
        return
    first, second = list(makers.values())[:2]
    if first.needs.kind.startswith("copy") or second.needs.kind.startswith("copy"):
        return  # which of the two wins is the copier's own affair: it leaves alone what is not its own
    yield Finding(
        "R07",
        Severity.ERROR,
        f"{made.label} is made by {first.needs.label} and by {second.needs.label}",
        second.place,
        (first, second),
        why="Each writes its own keys over the other's, or fails because the Secret is not its own.",
        instead="Let one of them make it, or give them two names. An ExternalSecret can add to a Secret with creationPolicy Merge.",
    )
