"""PostgreSQL in the cluster, through the programs of its own container: the pg_dump of that version, over the local socket.

What they read and say stays in memory; psql is told to say no more of an error than its code, since its words quote rows.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rebirth.castle import DatabaseAnchor
from rebirth.commands import Commands, ProgramFailed
from rebirth.errors import Broken, NotYet
from rebirth.paths import Paths
from rebirth.providers.cluster import Cluster, Object
from rebirth.run.waiting import asking

_SYSTEM = "PostgreSQL"
_MARK = "rebirth: restored from "  # how the comment of a database begins that was restored
_SCRIPT_FAILED = 3  # psql's code for an error in a script, with ON_ERROR_STOP
_NO_SUCH_ROLE = (
    "42704"  # undefined_object: the operator makes the roles that own what was kept, and may not be done yet
)
_COMPLETE = b"-- PostgreSQL database dump complete"  # pg_dump's last words, but for a line or two
_TAIL = 500  # bytes
_PSQL = ("psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate")
# Relations of nobody but the database's users: neither the system's nor an extension's. And the comment of the database.
_STATE = r"""
SELECT (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')),
       coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '')
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""

State = Literal["empty", "restored", "full"]


class Databases:
    """The databases of a castle's cluster."""

    def __init__(self, *, paths: Paths, commands: Commands) -> None:
        self._paths, self._commands = paths, commands

    async def state(self, anchor: DatabaseAnchor, cluster: Cluster) -> State:
        """Whether it holds anything, and whether a restore has put it there. Raises NotYet until it answers."""
        said = await self._psql(anchor, cluster, "look", "--tuples-only", "--no-align", f"--command={_STATE}")
        number, _, comment = said.decode(errors="replace").strip().partition("|")
        if not number.isdigit():
            raise NotYet(f"{_SYSTEM}: {anchor.name}: the answer is not psql's")
        if comment.startswith(_MARK):
            return "restored"
        return "full" if int(number) else "empty"

    async def dump(self, anchor: DatabaseAnchor, cluster: Cluster) -> bytes:
        """All that it holds, as SQL. Roles are the cluster's, and not in it."""
        argv = ("pg_dump", "--no-password", "--encoding=UTF8", f"--username={anchor.user}", anchor.database)
        try:
            dump = await self._exec(anchor, cluster, "dump", argv)
        except ProgramFailed as error:
            raise self._failed(anchor, error) from None
        if _COMPLETE not in dump[-_TAIL:]:
            raise NotYet(f"{_SYSTEM}: {anchor.name}: the dump was cut off on its way")
        return dump

    async def restore(self, anchor: DatabaseAnchor, cluster: Cluster, dump: bytes, generation: str) -> None:
        """Runs a dump and leaves word of it, in one transaction: all of it, or nothing. Raises NotYet until it answers."""
        name = anchor.database.replace('"', '""')
        mark = f"\nCOMMENT ON DATABASE \"{name}\" IS '{_MARK}{generation}';\n".encode()
        options = ("--single-transaction", "--output=/dev/null", "--file=-")
        await self._psql(anchor, cluster, "restore", *options, stdin=dump + mark)

    async def _psql(
        self, anchor: DatabaseAnchor, cluster: Cluster, operation: str, *options: str, stdin: bytes = b""
    ) -> bytes:
        argv = (*_PSQL, *options, f"--username={anchor.user}", f"--dbname={anchor.database}")
        try:
            return await self._exec(anchor, cluster, operation, argv, stdin)
        except ProgramFailed as error:
            if error.status == _SCRIPT_FAILED and _NO_SUCH_ROLE not in error.said:
                raise self._failed(anchor, error) from None
            raise NotYet(f"{_SYSTEM}: {anchor.name}: {operation}: {error.said}") from None

    async def _exec(
        self, anchor: DatabaseAnchor, cluster: Cluster, operation: str, argv: Sequence[str], stdin: bytes = b""
    ) -> bytes:
        pod = await self._primary(anchor, cluster)
        kubectl = (_kubectl(), f"--kubeconfig={self._paths.kubeconfig}", "exec", f"--namespace={anchor.namespace}")
        inside = ("--stdin", pod, f"--container={anchor.container}", "--", *argv)
        with asking(_SYSTEM, f"{operation} {anchor.name}"):
            return await self._commands.read((*kubectl, *inside), operation=f"{operation} {anchor.name}", stdin=stdin)

    async def _primary(self, anchor: DatabaseAnchor, cluster: Cluster) -> str:
        pods = await cluster.all("v1", "Pod", anchor.namespace)
        found = [pod for pod in pods if anchor.labels.items() <= (pod["metadata"].get("labels") or {}).items()]
        labels = ",".join(f"{key}={value}" for key, value in anchor.labels.items())
        if not (ready := [pod["metadata"]["name"] for pod in found if _is_ready(pod)]):
            raise NotYet(f"no pod with {labels} in {anchor.namespace} is ready ({len(found)} there)")
        if len(ready) > 1:
            hint = "anchors.databases[].labels have to be those of the primary alone, such as its role."
            text = f"{len(ready)} pods have the labels {labels}: {', '.join(ready)}"
            raise Broken(text, system=_SYSTEM, operation="find the primary", hint=hint)
        return str(ready[0])

    def _failed(self, anchor: DatabaseAnchor, error: ProgramFailed) -> Broken:
        hint = f"`kubectl logs --namespace {anchor.namespace}` of its pod says more."
        return Broken(error.said, system=_SYSTEM, operation=error.operation, status=error.status, hint=hint)


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _kubectl() -> str:
    """The one on PATH, or the one that this program was installed with."""
    beside = Path(sys.executable).with_name("kubectl")
    if found := shutil.which("kubectl") or (str(beside) if beside.exists() else ""):
        return found
    raise Broken("is not on PATH", system="kubectl", operation="find programs", hint="Install kubectl.")
