"""Something is needed, and nothing makes it.

What it finds:
    A Secret, ConfigMap, namespace, ServiceAccount, store, issuer, class or volume claim that something needs, and that
    neither a unit of the repository, nor an operator, nor a phase of the castle makes. Often the file is there, and no
    kustomization lists it. What the values of a chart name (`existingSecret`, `storageClass`) counts where nothing
    speaks for the chart, or the machines, to make it: others like it are made here, or the name differs by a slip.

Why it cannot work:
    Whatever needs it waits forever: pods stay in CreateContainerConfigError, volumes stay unbound, a whole Kustomization is
    rejected.

Example:
    secrets.yaml with the ExternalSecret `grafana-db` is in apps/monitoring, but missing from the resources of its
    kustomization.yaml: Grafana waits for a Secret that nothing makes.

Instead:
    List the file, correct the name, or mark the reference as optional. Without a castle, objects that are created by hand
    before Flux are not known: then this is a warning, unless a file that no kustomization lists would make it, a namespace or ConfigMap
    is missing in a repository that makes its others itself, the name is clearly mistyped, or none that anything can have, the only other one that
    is meant lies beside or in another namespace, or is of the other kind (`Issuer` where a ClusterIssuer has the name), a ConfigMap is read by pods or a release and nothing speaks for another maker, an
    issuer, store or Gateway is missing where others are made here, or those of many others like it are made here (`wiki-backup` beside `blog-backup`, `mail-backup` and so on).
"""

from collections import deque
from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.beside import (
    NAMELESS,
    class_made_like,
    counterpart,
    is_forgotten,
    is_like_ours,
    is_meant_by_all,
    is_of_files,
    meant,
    near_class,
    near_name,
)
from rebirth.proof.rules.finding import Finding, Listed, Severity
from rebirth.proof.rules.order import UNITS, Order, UnitName
from rebirth.proof.rules.r23_generated_elsewhere import generated_elsewhere
from rebirth.proof.rules.slips import is_mistyped
from rebirth.proof.rules.unknowns import Chance, Unknowns
from rebirth.proof.things import Edge, Extent, Milestone, Need, Place, Remark, Thing, Unknown
from rebirth.proof.words import is_name

_KINDS = frozenset({
    "Secret", "ConfigMap", "Namespace", "ServiceAccount", "PersistentVolumeClaim", "StorageClass", "IngressClass", "GatewayClass",
    "Gateway", "PersistentVolume", "SecretStore", "ClusterSecretStore", "Issuer", "ClusterIssuer", "VaultAuth", "VaultConnection", "ExternalSecret",
    "VolumeSnapshot", "ReplicationDestination", "address pool",
})  # fmt: skip
# What controllers make by themselves on a cluster that is not a castle, or what a person brings: Flux's own credentials.
_BY_HAND = frozenset({Need.CREDENTIAL, Need.DECRYPTION, Need.DEPENDS_ON})
_WHY = {
    "Secret": "Pods that read it do not start: the kubelet waits for it forever.",
    "ConfigMap": "Pods that read it do not start: the kubelet waits for it forever.",
    "Namespace": "Nothing can be applied to a namespace that does not exist; Flux rejects the whole Kustomization.",
    "ServiceAccount": "No pod is created for a ServiceAccount that does not exist.",
    "PersistentVolumeClaim": "A pod is not scheduled before its volume claims exist.",
    "StorageClass": "A volume claim of a class that does not exist stays Pending forever.",
}


def r14_no_producer(graph: Graph) -> Iterator[Finding]:
    needed = graph.needed_by()
    unknowns = graph.about(Unknowns)
    told: set[str] = set()
    kinds = {
        one.name.partition("/")[2] for one in graph.missing() if one.kind == "CRD" and not _comes(one, needed, unknowns)
    }
    for missing in _by_orphan(graph, _missing(graph)):
        first = next((one for one in missing if _is_known(graph, one, needed, unknowns)), None)
        if first is None:
            continue  # what nobody can know is counted as coverage
        uses = [edge for edge in _uses(first, needed) if not _is_told_elsewhere(edge, graph, first)]
        uses = [edge for edge in uses if edge.by.kind not in kinds]
        if not uses or first.label in told:
            continue
        told |= {one.label for one in missing}
        yield _finding(graph, first, uses, needed, unknowns)
    yield from _named_in_values(graph, unknowns, told)
    yield from _pull_secrets(graph, unknowns)


def _comes(kind: Thing, needed: dict[Thing, list[Edge]], unknowns: Unknowns) -> bool:
    """Whether an unknown likely brings a kind; else R22 tells it, and what needs its objects is told with that."""
    return Chance.FAIR in {unknowns.chance(kind), unknowns.chance(kind, needed.get(kind, ()))}


def _is_known(graph: Graph, thing: Thing, needed: dict[Thing, list[Edge]], unknowns: Unknowns) -> bool:
    """Whether it is missing for sure, or looks mistyped."""
    if _orphan(graph, thing) or _otherwise(graph, thing) or near_name(graph, thing) or counterpart(graph, thing):
        return True
    return not is_name(thing.name) or unknowns.chance(thing, _uses(thing, needed)) is not Chance.FAIR


def _named_in_values(graph: Graph, unknowns: Unknowns, told: set[str]) -> Iterator[Finding]:
    """What is only named, by a chart that may do without or make it itself: said where nothing speaks for that."""
    for remark in graph.marked("named-in-values", "named-by-talos"):
        of = remark.about
        if of is None or of.label in told or graph.makers(of) or of in graph.starts:
            continue
        orphan, like = _orphan(graph, of), class_made_like(graph, of)
        near = near_name(graph, of) or near_class(graph, of) or like
        others = _others(graph, remark)
        if orphan is None and any(of.name in one.names for one in others if one.extent is Extent.CHART):
            continue
        nameless = orphan is None and not is_name(of.name)
        if (
            orphan is None
            and not near
            and not nameless
            and not (remark["sure"] and _is_strange(graph, remark, others, unknowns))
        ):
            continue
        told.add(of.label)
        message, instead = f"{remark.words}, and nothing makes it", "Correct the name, or add what makes it."
        if orphan is not None:
            message, instead = f"{message}: {_unlisted(orphan)}", _list_it(orphan)
        elif near:
            message, instead = f"{message}; there is {of._replace(name=near).label}", f"Did you mean {near}?"
        if nameless:
            message, instead = f"{message}; nothing can be called so", NAMELESS
        certain = nameless or (
            is_mistyped(of.name, near) or (bool(like) and near == like) if orphan is None else not orphan["sealed"]
        )
        yield Finding(
            "R14",
            Severity.ERROR if certain else Severity.WARNING,
            message,
            _to_edit(orphan, remark.place),
            why=_WHY.get(of.kind, "") if remark.slug == "named-in-values" else "What is meant gets nothing.",
            instead=instead,
            fixes=_fixes(orphan),
        )


def _others(graph: Graph, remark: Remark) -> list[Unknown]:
    """The unknowns but for the charts whose values only name it, too."""
    named = [one for one in graph.marked("named-in-values") if one.about == remark.about]
    namers = {("HelmRelease", one["namespace"], one["release"]) for one in named}
    return [one for one in graph.unknowns if one.by is None or one.by[:3] not in namers]


def _is_strange(graph: Graph, remark: Remark, others: list[Unknown], unknowns: Unknowns) -> bool:
    """Whether it is missing among others like it, and nothing unknown is likely to make it."""
    of = remark.about
    if of is None:
        return False
    if of.kind.endswith("Class"):
        return is_like_ours(graph, of, [one for one in others if one.extent is Extent.CHART])
    if not any(one[:2] == of[:2] and graph.edges.get(one) for one in graph.made):
        return False
    use = Edge(
        Thing("HelmRelease", remark["namespace"], remark["release"], Milestone.READY), of, Need.VALUES, remark.place
    )
    return not any(unknowns.of(one, of, use) is Chance.FAIR for one in others)


def _pull_secrets(graph: Graph, unknowns: Unknowns) -> Iterator[Finding]:
    """Without its pull Secret a pod starts wherever the image is public."""
    for remark in graph.marked("pull-secret"):
        of = remark.about
        if of is None or graph.makers(of) or of in graph.starts or unknowns.chance(of) is Chance.FAIR:
            continue
        yield Finding(
            "R14",
            Severity.WARNING if graph.whole else Severity.INFO,
            f"{remark.words}, and nothing makes it",
            remark.place,
            why="The kubelet then pulls without credentials: that works for public images only, within the registry's limits.",
            instead="Create it in this namespace, or remove the reference.",
        )


def _is_told_elsewhere(edge: Edge, graph: Graph, thing: Thing) -> bool:
    """A health check, or a step of the castle, that names what is not there is another rule's; not if a file would make it."""
    gate = edge.need in {Need.HEALTH, Need.DEPENDS_ON} and edge.by.kind in UNITS | {"handover"}
    return gate and _orphan(graph, thing) is None


def _missing(graph: Graph) -> list[Thing]:
    """What nothing makes, each once, the most telling milestone first."""
    elsewhere = {of for of, _, _ in generated_elsewhere(graph)}
    unlisted = {remark.about.label for remark in graph.marked("orphan") if remark.about}
    found: dict[str, Thing] = {}
    for thing in graph.missing():
        known = thing.kind in _KINDS or thing.label in unlisted
        if known and thing.name and "${" not in thing.name and thing not in elsewhere:
            there = thing._replace(milestone=Milestone.MATERIALISED)
            if there in graph.starts or thing._replace(milestone=Milestone.EXISTS) in graph.starts:
                continue
            found.setdefault(thing.label, thing)
    return list(found.values())


def _by_orphan(graph: Graph, missing: list[Thing]) -> list[list[Thing]]:
    """Things that one unlisted file would make, together: Secrets first, for they are what others wait for."""
    files: dict[str, list[Thing]] = {}
    for thing in missing:
        orphan = _orphan(graph, thing)
        files.setdefault(orphan["file"] if orphan else thing.label, []).append(thing)
    return [sorted(group, key=lambda one: one.kind not in {"Secret", "ConfigMap"}) for group in files.values()]


def _orphan(graph: Graph, thing: Thing) -> Remark | None:
    found = graph.marked("orphan")
    return next((one for one in found if one.about and one.about.label == thing.label), None)


def _comes_after(graph: Graph, orphan: Remark, use: Edge) -> bool:
    """Whether the Kustomization that could list the file waits for who needs what it makes: then it is listed there in vain."""
    space, _, name = orphan["unit"].partition("/")
    order = Order(graph)
    before = order.before(UnitName("Kustomization", space, name)) if name else ()
    return any(unit in before for unit in order.units(use.by))


def _to_edit(orphan: Remark | None, use: Place) -> Place:
    """Where a file that would make it has to be listed; else where it is asked for."""
    return Place(orphan["kustomization"], int(orphan["line"])) if orphan else use


def _unlisted(orphan: Remark) -> str:
    return f"{orphan['entry']} would, but no kustomization lists it"


def _list_it(orphan: Remark) -> str:
    return f"List {orphan['entry']} under `resources` of {orphan['kustomization'].rpartition('/')[2]} beside it."


def _fixes(orphan: Remark | None) -> tuple[Listed, ...]:
    return (Listed(orphan["kustomization"], orphan["entry"]),) if orphan else ()


def _otherwise(graph: Graph, thing: Thing) -> Remark | None:
    """Where a release makes it under another name than its values suggest."""
    found = graph.marked("named-otherwise")
    return next((one for one in found if one.about and one.about.label == thing.label), None)


def _uses(thing: Thing, needed: dict[Thing, list[Edge]]) -> list[Edge]:
    """The edges of those who need it, steps inside the thing itself followed."""
    found: list[Edge] = []
    pending, seen = [thing], {thing}
    while pending:
        for edge in needed.get(pending.pop(), ()):
            if edge.by.label != thing.label:
                found.append(edge)
            elif edge.by not in seen:
                seen.add(edge.by)
                pending.append(edge.by)
    return found


def _finding(
    graph: Graph, thing: Thing, uses: list[Edge], needed: dict[Thing, list[Edge]], unknowns: Unknowns
) -> Finding:
    orphan = _orphan(graph, thing)
    chain = _chain(uses, needed)
    use = chain[-1]
    otherwise = _otherwise(graph, thing)
    certain = graph.whole or (orphan is not None and not orphan["sealed"]) or is_forgotten(graph, thing)
    if use.need in _BY_HAND and not graph.whole:
        certain = False
    if orphan is None and thing.kind != "ClusterSecretStore" and unknowns.chance(thing, uses) is not Chance.NONE:
        certain = False
    certain = certain or (otherwise is not None and otherwise["whole"] == "yes") or is_meant_by_all(graph, thing, use)
    certain = certain or (is_of_files(graph, thing, use) and unknowns.chance(thing, uses) is not Chance.FAIR)
    others = f" (and {len(uses) - 1} more need it)" if len(uses) > 1 else ""
    message = f"{thing.label} is needed by {use.by.label}{others}, and nothing makes it"
    instead = "Add what makes it, or correct the name."
    late = orphan is not None and _comes_after(graph, orphan, use)
    if orphan is not None:
        instead = f"List {orphan['entry']} where it is applied before {use.by.label}." if late else _list_it(orphan)
        message = f"{message}: {_unlisted(orphan)}"
    elif otherwise is not None:
        message += f"; {otherwise.words}"
        instead = f"Name {otherwise['name']}."
    elif found := meant(graph, thing, use, by_hand=use.need in _BY_HAND):
        message += found[0]
        instead, certain = found[1], certain or found[2]
    elif not graph.whole:
        instead += " If it is created by hand, every new cluster waits for that."
    severity = Severity.ERROR if certain else Severity.WARNING
    return Finding(
        "R14", severity, message, _to_edit(None if late else orphan, use.place), chain, _why(thing, use), instead,
        fixes=_fixes(None if late else orphan),
        cause=_folder_of(orphan) or (thing.label if certain or orphan else _cause(thing)),
    )  # fmt: skip


def _folder_of(orphan: Remark | None) -> str:
    """The folder that is not listed; "" where it is a file beside the kustomization."""
    folder, inside, _ = orphan["entry"].partition("/") if orphan else ("", "", "")
    return f"{orphan['kustomization']} {folder}" if orphan and inside else ""


def _cause(thing: Thing) -> str:
    """What may be made by hand: whoever makes one claim of a namespace so makes them all; a thing in every cluster is one."""
    return f"claims in {thing.namespace}" if thing.kind == "PersistentVolumeClaim" else thing.label


def _why(thing: Thing, use: Edge) -> str:
    if use.need is Need.DECRYPTION:
        return f"Flux cannot decrypt, so nothing of {use.by.label} is applied."
    if use.need is Need.VARIABLES:
        return f"Flux cannot substitute its variables, so nothing of {use.by.label} is applied."
    if use.need is Need.VALUES:
        return f"Flux cannot put the chart's values together, so {use.by.label} is not installed."
    if use.need is Need.CREDENTIAL:
        return f"Flux cannot log in, so nothing of {use.by.label} is fetched."
    return _WHY.get(thing.kind, "Whatever needs it waits forever.")


def _chain(uses: list[Edge], needed: dict[Thing, list[Edge]]) -> tuple[Edge, ...]:
    """From the nearest unit that hangs on it, down to it; a use alone where no unit waits."""
    came: dict[Thing, Edge] = {edge.by: edge for edge in reversed(uses)}
    queue = deque(edge.by for edge in uses)
    while queue:
        at = queue.popleft()
        if at.kind in UNITS:
            chain = [came[at]]
            while chain[-1] not in uses:
                chain.append(came[chain[-1].needs])
            return tuple(chain)
        for edge in needed.get(at, ()):
            if edge.by not in came:
                came[edge.by] = edge
                queue.append(edge.by)
    return (uses[0],)
