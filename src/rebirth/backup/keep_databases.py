"""Dumps of the databases."""

from rebirth.backup.facts import DatabasesKept
from rebirth.castle import DatabaseAnchor, DatabaseAnchors
from rebirth.errors import Broken
from rebirth.phases.made.kept import DATABASE
from rebirth.providers.access import ClusterAccess
from rebirth.providers.anchors.archive import Archive, Part
from rebirth.providers.anchors.databases import Databases
from rebirth.providers.cluster import Cluster
from rebirth.run.waiting import together

LAYER = "waits"
PATIENCE = 3600


async def keep_databases(
    anchors: DatabaseAnchors, databases: Databases, access: ClusterAccess, archive: Archive
) -> DatabasesKept:
    """Keep dumps of the databases."""
    async with access.opened() as cluster:
        return DatabasesKept(
            tuple(await together(*(_one(anchor, databases, cluster, archive) for anchor in anchors.databases)))
        )


async def _one(anchor: DatabaseAnchor, databases: Databases, cluster: Cluster, archive: Archive) -> Part:
    if await databases.state(anchor, cluster) == "empty":
        hint = "`rebirth create` restores what was kept of it, where anchors.restore says so; else leave it out."
        text = f"the database {anchor.name} has no table, and nothing is kept"
        raise Broken(text, operation="keep dumps of the databases", hint=hint)
    return await archive.keep(DATABASE, anchor.name, await databases.dump(anchor, cluster))
