"""Data that is backed up, and not restored when the cluster is rebuilt.

What it finds:
    A database or volume with backups and without a source that it is restored from; and a volume that is being restored
    while its user may already run.

Why it cannot work:
    A new cluster starts it empty. The first backup of the empty one then sits beside the good ones, or replaces them. A pod
    that uses a volume before its restore writes data that is then overwritten, or keeps the volume busy so that the restore
    never starts.

Example:
    Infrastructure is recreated with an empty volume claim, and the backup can no longer be restored into it
    (longhorn/longhorn#3608).

Instead:
    Name the source in the object itself: a volume claim's dataSourceRef, CloudNativePG's bootstrap.recovery, PGO's
    dataSource. Let its users depend on the restore.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.order import Order
from rebirth.proof.things import Milestone, Need, Remark, Thing


def r37_empty_database(graph: Graph) -> Iterator[Finding]:
    found: dict[tuple[str, str], list[Remark]] = {}
    for remark in graph.marked("empty-database"):
        if remark.about is not None:
            found.setdefault((remark.about.kind, remark["source"]), []).append(remark)
    for (_, source), remarks in found.items():
        others = f"; so are {len(remarks) - 1} more" if len(remarks) > 1 else ""
        yield Finding(
            "R37",
            Severity.ERROR if graph.whole else Severity.WARNING,
            f"{remarks[0].words}: a new cluster starts it empty{others}",
            remarks[0].place,
            why="Its backups are there, and nothing reads them when the cluster is made again.",
            instead=f"Say in {source} what it is restored from.",
        )
    yield from _used_too_early(graph)


def _used_too_early(graph: Graph) -> Iterator[Finding]:
    order = graph.about(Order)
    restores = list(graph.marked("restores-into"))
    needed = graph.needed_by() if restores else {}
    for remark in restores:
        if remark.about is None:
            continue
        restore = Thing(remark["kind"], remark["namespace"], remark["name"], Milestone.READY)
        units = order.units(restore)
        for use in needed.get(remark.about, ()):
            if use.need is not Need.VOLUME or graph.path(use.by, restore):
                continue
            users = order.units(use.by)
            if any(unit != user and order.is_declared(user, unit) for user in users for unit in units):
                continue
            reversed_ = any(unit != user and order.is_declared(unit, user) for user in users for unit in units)
            yield Finding(
                "R37",
                Severity.ERROR if reversed_ else Severity.WARNING,
                f"{use.by.label} mounts {remark.about.label}, and does not wait for {restore.label}, which restores into it",
                use.place,
                (use,),
                why="If it starts first it writes into an empty volume, and the restore then overwrites that, or never starts.",
                instead=f"Let the unit of {use.by.label} depend on that of {restore.label}, with its health checked.",
            )
            break
