"""An order that usage implies and nothing declares.

What it finds:
    A Kustomization that uses what another one brings (a secret store, a StorageClass, an IngressClass, an issuer, an
    address pool, a ServiceAccount), and does not depend on it. A HelmRelease whose chart contains a kind that another unit
    brings, and which is tried a few times only.

Why it cannot work:
    It mostly does: controllers retry until the other is there. Every attempt that comes too early costs its retry interval,
    and what gives up after some tries (a Helm release without retries) stays failed.

Example:
    25 apps with ExternalSecrets, none of which depends on the Kustomization with the ClusterSecretStore
    (xunholy/k8s-gitops#3527).

Instead:
    Declare it: the finding has the lines.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import DependsOn, Finding, Severity
from rebirth.proof.rules.order import Order, UnitName
from rebirth.proof.things import Edge, Milestone, Need, Strength, Thing

_IMPLIED = frozenset({
    Need.STORE, Need.STORAGE, Need.CLASS, Need.CERTIFICATE, Need.ADDRESS, Need.ACCOUNT,
})  # fmt: skip
_SHOWN = 8  # users that are named, and patched


def r16_undeclared_order(graph: Graph) -> Iterator[Finding]:
    order = graph.about(Order)
    found: dict[tuple[UnitName, bool], dict[UnitName, Edge]] = {}
    for edge in list(graph.all_edges()):
        if edge.need in _IMPLIED or (edge.need is Need.CRD and edge.strength is not Strength.SOFT):
            for user, maker in _undeclared(order, edge):
                hard = edge.strength is not Strength.SOFT
                found.setdefault((maker, hard), {}).setdefault(user, edge)
    for (maker, hard), users in found.items():
        yield _finding(graph, maker, users, hard=hard)


def _undeclared(order: Order, edge: Edge) -> Iterator[tuple[UnitName, UnitName]]:
    if any(made.needs in order.graph.starts for made in order.graph.makers(edge.needs)):
        return  # somebody brings it before Flux
    makers = order.units(edge.needs)
    users = order.units(edge.by)
    if not makers or not users:
        return
    for user in users:
        owner = order.owner(user)
        if owner is None or any(order.is_declared(owner, maker) or order.is_declared(user, maker) for maker in makers):
            continue
        maker = order.owner(makers[0])
        if maker is None or order.is_declared(owner, maker) or order.is_declared(maker, owner):
            continue  # the other way round is declared: that is a cycle, and another rule's
        yield owner, maker


def _finding(graph: Graph, maker: UnitName, users: dict[UnitName, Edge], *, hard: bool) -> Finding:
    user, edge = next(iter(users.items()))
    others = f" (and {len(users) - 1} more such)" if len(users) > 1 else ""
    names = "".join(f", {one.name}" for one in list(users)[1:_SHOWN])
    return Finding(
        "R16",
        Severity.WARNING if hard else Severity.INFO,
        f"{user.label} uses {edge.needs.label} of {maker.label}, and does not depend on it{others}",
        edge.place,
        (edge,),
        why="A unit that is applied too early gives up."
        if hard
        else "A unit that is applied too early is retried; each retry costs its interval.",
        instead=f"Let {user.label}{names}{' ...' if len(users) > _SHOWN else ''} depend on {maker.label}.",
        fixes=tuple(one for user in list(users)[:_SHOWN] for one in _fixes(graph, user, maker)),
    )


def _fixes(graph: Graph, user: UnitName, maker: UnitName) -> tuple[DependsOn, ...]:
    place = graph.where.get(Thing(*user, Milestone.APPLIED))
    elsewhere = maker.namespace if maker.namespace != user.namespace else ""
    return (DependsOn(place.file, place.line, maker.name, elsewhere),) if place and place.file else ()
