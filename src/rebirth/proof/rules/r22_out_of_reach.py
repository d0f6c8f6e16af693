"""Something that nothing makes, for which no other rule has a name; above all a kind that nothing brings.

What it finds:
    A custom resource whose CRD nothing makes: no file, no chart that is known, nothing that the repository's own bootstrap names.
    In a castle, where everything that is made is known, anything else, too, that a phase or a Kustomization needs, through however
    many others, and that nothing makes. One finding for each missing thing (of an API group one), unless another rule tells it.

Why it cannot work:
    What is missing never becomes true, so neither does anything that depends on it. While a kind is unknown Flux applies nothing of
    the Kustomization that holds an object of it.

Example:
    A custom resource stays in the tree when the HelmRelease of its operator is taken out of the `resources` of its folder.

Instead:
    Add what makes it, or remove what needs it. It is a warning where something that could not be read might make it, or where
    the whole repository brings no kind at all, and silent where something unread likely makes it. Kinds that a platform or its network brings before Flux comes are not reported without a castle.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.rules.order import UNITS
from rebirth.proof.rules.slips import is_slip
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Thing

# API groups that are there before Flux is: of clouds and distributions, of the network without which no pod of Flux runs, and of the
# operator that installs Flux.
_BEFORE = (
    "k8s.aws", "amazonaws.com", "cloud.google.com", "gke.io", "azure.com", "azmk8s.io", "openshift.io", "cattle.io",
    "vmware.com", "projectcalico.org", "tigera.io", "cilium.io", "cni.cncf.io", "metrics.k8s.io", "karpenter.sh",
    "fluxcd.controlplane.io", "cluster.x-k8s.io",
)  # fmt: skip


def r22_out_of_reach(graph: Graph) -> Iterator[Finding]:
    needed = graph.needed_by()
    unknowns = graph.about(Unknowns)
    told = {remark.about.label for remark in graph.marked("orphan") if remark.about}  # with the file (R14)
    misspelt = {
        remark.about.kind for remark in graph.marked("unknown-kind") if remark.about
    }  # with what was meant (R48)
    groups: dict[str, list[Thing]] = {}
    chances: dict[Thing, Chance] = {}
    brings = graph.whole or any(graph.makers(made) for made in graph.made if made.kind == "CRD")
    for thing in graph.missing():
        is_kind = thing.kind == "CRD"
        if is_kind and thing.name.partition("/")[2] in misspelt:
            continue
        if not (graph.whole or (is_kind and not _is_before(thing))) or (thing.label in told and not is_kind):
            continue
        # Who brings a kind is one question, whether it comes in time another, which other rules answer.
        likely = is_kind and unknowns.chance(thing) is Chance.FAIR
        chances[thing] = Chance.FAIR if likely else unknowns.chance(thing, needed[thing])
        if chances[thing] is not Chance.FAIR:
            groups.setdefault(thing.name.partition("/")[0] if is_kind else str(thing), []).append(thing)
    for things in groups.values():
        chains = [chain for thing in things if (chain := _from_the_nearest_unit(thing, needed))]
        if chains:
            yield _finding(graph, things, chains, sure=brings and chances[things[0]] is Chance.NONE)


def _is_before(thing: Thing) -> bool:
    group = thing.name.partition("/")[0]
    return any(group == one or group.endswith(f".{one}") for one in _BEFORE)


def _finding(graph: Graph, things: list[Thing], chains: list[tuple[Edge, ...]], *, sure: bool) -> Finding:
    thing, chain = chains[0][-1].needs, chains[0]
    others = ", ".join(dict.fromkeys(one.name.partition("/")[2] for one in things if one != thing))
    others = f" (and {others})" if others else ""
    if thing.kind == "CRD":
        kind = thing.name.partition("/")[2]
        message = f"nothing brings the kind {kind}{others} of {thing.name.partition('/')[0]}, of which {chain[0].by.label} holds an object"
        why = f"While the kind is unknown nothing of {chain[-1].by.label} is applied."
    else:
        message = f"{chain[0].by.label} can never finish, since nothing makes {thing.label}: {tell(chain)}"
        why = "Nothing makes it, so nothing that depends on it becomes true."
    severity = Severity.ERROR if sure else Severity.WARNING
    cause = f"kinds of {thing.name.partition('/')[0]}" if thing.kind == "CRD" else ""
    return Finding(
        "R22", severity, message, chain[-1].place, chain, why=why, instead=_instead(graph, thing), cause=cause
    )


def _from_the_nearest_unit(thing: Thing, needed: dict[Thing, list[Edge]]) -> tuple[Edge, ...]:
    """The shortest chain of needs from a unit down to `thing`; empty where none hangs on it."""
    came: dict[Thing, Edge] = {}
    pending = [thing]
    for at in pending:
        if at.kind in UNITS and at != thing:
            chain = [came[at]]
            while chain[-1].needs != thing:
                chain.append(came[chain[-1].needs])
            return tuple(chain)
        for edge in needed.get(at, ()):
            if edge.by not in came and edge.by != thing:
                came[edge.by] = edge
                pending.append(edge.by)
    return ()


def _instead(graph: Graph, thing: Thing) -> str:
    for remark in graph.marked("orphan"):
        if remark.about and remark.about.label == thing.label:
            return f"{remark['entry']} defines it, and no kustomization lists it: list it."
    if near := _near(graph, thing):
        return f"Did you mean {near}?"
    unlisted = [remark.place.file.rpartition("/")[2] for remark in graph.marked("unlisted")]
    hint = f" Nothing lists {', '.join(sorted(set(unlisted)))}: should something?" if unlisted else ""
    return f"Add what makes it, or remove what needs it.{hint}"


def _near(graph: Graph, thing: Thing) -> str:
    """A kind of that group that is there, and differs by a slip of the finger."""
    group, _, kind = thing.name.partition("/")
    there = (one.name for one in (*graph.made, *graph.starts) if one.kind == thing.kind and one != thing)
    kinds = sorted(name.partition("/")[2] for name in there if name.partition("/")[0] == group)
    return next((one for one in kinds if thing.kind == "CRD" and is_slip(kind, one)), "")
