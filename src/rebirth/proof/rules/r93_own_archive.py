"""A database is restored from the very archive that it writes to.

What it finds:
    A CloudNativePG Cluster with bootstrap.recovery whose source is the same bucket, path and server name as its own backups,
    be it of barmanObjectStore or of the Barman Cloud plugin.

Why it cannot work:
    Before it restores, CloudNativePG checks that the archive it will write to is empty, so that the new history does not mix
    with the old. This one holds the backup that is to be restored: the recovery job fails with `Expected empty archive`, each
    time. If the archive is empty there is nothing to restore.

Example:
    `serverName` is left at the cluster's name on both sides when the cluster is made again.

Instead:
    Give the backups another serverName (wiki-db-v2) and leave the source at the old one; raise both at the next restore.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r93_own_archive(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("own-archive"):
        yield Finding(
            "R93",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="It restores only if the archive that it will write to is empty, and this one holds what is to be restored.",
            instead=f"Give its backups another serverName than {remark['server']}.",
        )
