"""Databases that are new get what was kept of them, before a password that is handed over lets anybody in.

A database with tables that no restore has made is not touched. In a life that began without a restore that is as it should be;
in one that began with it somebody was there too early, and what was kept is not there.
"""

from functools import partial

from rebirth.castle import DatabaseAnchor, DatabaseAnchors, Restore
from rebirth.errors import Broken
from rebirth.phases.made.kept import DATABASE
from rebirth.providers.anchors.databases import Databases, State
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import ArchiveRead, Converged, DatabasesRestored
from rebirth.run.journal import Marks
from rebirth.run.waiting import note, together, until

LAYER = "waits"
PATIENCE = 3600
WAITS_FOR = (Converged,)  # the graph brings the databases
WAITS = True
HINT = "Does Flux bring the database, and do anchors.databases[] name its pod, container and superuser?"
_FIRST_LIFE = "database of a life without a restore"


async def restore_databases(
    anchors: DatabaseAnchors,
    restore: Restore | None,
    databases: Databases,
    cluster: Cluster,
    marks: Marks,
    kept: ArchiveRead | None,
) -> DatabasesRestored:
    """Restore databases."""
    names = tuple(anchor.name for anchor in anchors.databases)
    if kept is None:
        for name in names:
            marks.add(_FIRST_LIFE, name)
        return DatabasesRestored(names)
    await together(*(_one(anchor, databases, cluster, marks, kept) for anchor in anchors.databases))
    return DatabasesRestored(names)


async def _one(anchor: DatabaseAnchor, databases: Databases, cluster: Cluster, marks: Marks, kept: ArchiveRead) -> None:
    if anchor.name in marks.of(_FIRST_LIFE):
        note(f"the database {anchor.name} began without a restore, and is left as it is")
        return
    state: State = await until(
        partial(databases.state, anchor, cluster),
        what=f"the database {anchor.name} answers",
        every=3,
        changes=cluster.changes("v1", "Pod", anchor.namespace),
    )
    if state == "full":
        text = f"the database {anchor.name} has tables that are not of a restore: somebody was there before"
        hint = (
            "Nothing was written. What uses it has to wait, such as for a password that is handed over (`handovers`). "
            "If it is to stay as it is: leave out anchors.restore."
        )
        raise Broken(text, operation="restore databases", hint=hint)
    if state == "empty":
        dump = kept.contents[DATABASE, anchor.name]
        await until(
            partial(databases.restore, anchor, cluster, dump, kept.generation),
            what=f"the database {anchor.name} takes what was kept",
            every=3,
        )
        if await databases.state(anchor, cluster) != "restored":  # its last line leaves word that all of it arrived
            text = f"the database {anchor.name} has only a part of what was kept"
            hint = "Drop what is in it, or the database's cluster, and run the same command again."
            raise Broken(text, operation="restore databases", hint=hint)
        note(f"the database {anchor.name} has what it held in the generation {kept.generation}")


async def found(anchors: DatabaseAnchors) -> DatabasesRestored:
    return DatabasesRestored(tuple(anchor.name for anchor in anchors.databases))


async def still(
    fact: DatabasesRestored, anchors: DatabaseAnchors, restore: Restore | None, databases: Databases, cluster: Cluster
) -> bool:
    if restore is None:
        return True
    states = await together(*(databases.state(anchor, cluster) for anchor in anchors.databases))
    return "empty" not in states
