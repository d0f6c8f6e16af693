"""Databases that are new get what was kept of them: real PostgreSQL on loopback, through its own pg_dump and psql.

On paper is the way there: a Kubernetes API that knows the pod, and a kubectl that runs here what it was to run in it.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest

from anchored import all_bytes, archive_in, new_key
from fleet.database import _BIN, Database
from rebirth.backup.keep_databases import keep_databases
from rebirth.castle import DatabaseAnchor, DatabaseAnchors, Restore
from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.paths import Paths
from rebirth.phases import restore_databases
from rebirth.phases.made.kept import DATABASE
from rebirth.providers.access import ClusterAccess
from rebirth.providers.anchors.databases import Databases
from rebirth.providers.cluster import Cluster
from rebirth.run.facts import ArchiveRead, DatabasesRestored
from rebirth.run.journal import Journal, Marks
from rebirth.secrets import Redaction
from standins.apiserver import kubernetes_app
from standins.conftest import write_kubeconfig
from standins.kubernetes import Kubernetes
from standins.transport import InProcess

LABELS = {"role": "master", "cluster": "db"}
ANCHOR = DatabaseAnchor(
    name="grafana", namespace="data", labels=LABELS, container="database", database="grafana", user="rebirth"
)
BOTH = DatabaseAnchors(databases=[ANCHOR])
LATEST = Restore(generation="latest")
GENERATION = "20260101T000000Z-castle"
CANARY = "canary of a row: it's \\ 'quoted' and \t tabbed"
KUBECTL = """#!/bin/sh
# kubectl on paper: what is to run in the pod runs here.
echo "$@" >> "$PAPER_CALLS"
while [ "$1" != -- ]; do shift; done
shift
[ -e "$PAPER_CALLS.lost" ] && { rm "$PAPER_CALLS.lost"; "$BIN/$@" > /dev/null; echo "error: stream closed" >&2; exit 1; }
exec "$BIN/$@"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    found = Database(tmp_path_factory.mktemp("postgres"))
    found.start()
    yield found
    found.stop()


def pod(name, **labels):
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    meta = {"name": name, "namespace": "data", "labels": labels or LABELS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": []}, "status": status}


@pytest.fixture
async def world(server, tmp_path, monkeypatch):
    """`world.sql(...)` in the database; `await world.restore(dump)`: the phase; `await world.keep()`: its dump."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "kubectl").write_text(KUBECTL)
    (programs / "kubectl").chmod(0o755)
    calls = tmp_path / "calls"
    for name, value in {
        "PATH": f"{programs}:/usr/bin:/bin", "BIN": str(_BIN), "PAPER_CALLS": str(calls), "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port), "PGPASSWORD": server.password,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    kubernetes = Kubernetes()
    kubernetes.put(pod("db-1"))
    kubernetes.put(pod("other", role="replica"))
    paths = Paths(tmp_path, tmp_path, tmp_path / "produced", tmp_path / "state", tmp_path / "logs")
    write_kubeconfig(paths.kubeconfig, "http://kubernetes.test")
    transport = InProcess(kubernetes_app(kubernetes))
    databases = Databases(paths=paths, commands=Commands(Redaction()))
    cluster = Cluster(paths=paths, transport=transport)
    key = new_key()

    def admin(statement):
        import psycopg

        where = f"host=127.0.0.1 port={server.port} user=rebirth dbname=postgres"
        with psycopg.connect(where, password=server.password, autocommit=True) as connection:
            connection.execute(statement)

    def run(statement):
        import psycopg

        where = f"host=127.0.0.1 port={server.port} user=rebirth dbname=grafana"
        with psycopg.connect(where, password=server.password, autocommit=True) as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    def new():
        """As after a rebirth: the operator has made the role and an empty database."""
        admin("DROP DATABASE IF EXISTS grafana WITH (FORCE)")
        admin("DO $$ BEGIN CREATE ROLE grafana; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        admin("CREATE DATABASE grafana OWNER grafana")

    async def keep():
        archive = archive_in(tmp_path / "kept", key)
        fact = await keep_databases(BOTH, databases, ClusterAccess(paths, transport), archive)
        made = await archive.write(list(fact.parts))
        return (await archive.contents(made.name))[1][DATABASE, "grafana"]

    async def restore(dump=None):
        kept = None if dump is None else ArchiveRead(GENERATION, {(DATABASE, "grafana"): dump})
        with Journal(paths.state) as journal:
            return await restore_databases.restore_databases(
                BOTH, LATEST if kept else None, databases, cluster, Marks(journal), kept
            )

    new()
    yield SimpleNamespace(
        new=new, sql=run, admin=admin, keep=keep, restore=restore, databases=databases, cluster=cluster, calls=calls,
        kubernetes=kubernetes, kept=tmp_path / "kept",
    )  # fmt: skip
    await cluster.close()


def fill(world, row=CANARY):
    world.sql("CREATE TABLE dashboards (id serial PRIMARY KEY, title text)")
    world.sql("ALTER TABLE dashboards OWNER TO grafana")
    literal = row.replace("'", "''")
    world.sql(f"INSERT INTO dashboards (title) VALUES ('{literal}')")


def rows(world):
    return [title for (title,) in world.sql("SELECT title FROM dashboards ORDER BY id")]


async def test_from_nothing_again_and_a_second_time(world):
    """A row of the first life is there in the second, and one of the second in the third."""
    fill(world)
    first = await world.keep()
    world.new()
    fact = await world.restore(first)
    assert fact == DatabasesRestored(("grafana",))
    assert rows(world) == [CANARY]
    assert world.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'dashboards'") == [("grafana",)]
    world.sql("INSERT INTO dashboards (title) VALUES ('of the second life')")
    await world.restore(first)
    assert rows(world) == [CANARY, "of the second life"], "again: nothing is done"
    assert await restore_databases.still(fact, BOTH, LATEST, world.databases, world.cluster)

    second = await world.keep()
    world.new()
    assert not await restore_databases.still(fact, BOTH, LATEST, world.databases, world.cluster)
    await world.restore(second)
    assert rows(world) == [CANARY, "of the second life"]
    everywhere = all_bytes(world.kept) + world.calls.read_bytes()
    assert b"canary of a row" not in everywhere
    assert b"of the second life" not in everywhere


async def test_killed_after_the_write(world):
    fill(world)
    dump = await world.keep()
    world.new()
    Path(f"{world.calls}.lost").touch()
    with pytest.raises(NotYet, match="stream closed"):
        await world.databases.restore(ANCHOR, world.cluster, dump, GENERATION)
    assert rows(world) == [CANARY]
    await world.restore(dump)
    assert rows(world) == [CANARY]


async def test_all_of_it_or_nothing(world):
    """What ends in an error has written nothing, and its words do not quote rows."""
    dump = b"CREATE TABLE half (a text UNIQUE);\nINSERT INTO half VALUES ('secret-row'), ('secret-row');\n"
    with pytest.raises(Broken, match="23505") as caught:
        await world.restore(dump)
    assert "secret-row" not in str(caught.value)
    assert await world.databases.state(ANCHOR, world.cluster) == "empty"


async def test_refused_where_somebody_was_there_before(world):
    fill(world)
    dump = await world.keep()
    world.new()
    fill(world, "of who came too early")
    with pytest.raises(Broken, match="has tables that are not of a restore") as caught:
        await world.restore(dump)
    assert "handovers" in caught.value.hint
    assert rows(world) == ["of who came too early"]


async def test_a_life_that_began_without_a_restore(world):
    """Its databases are as they should be when anchors.restore is written into castle.yaml later."""
    await world.restore()
    fill(world)
    await world.restore(await world.keep())
    assert rows(world) == [CANARY]


async def test_a_role_that_is_not_there_yet(world):
    with pytest.raises(NotYet, match="42704"):
        await world.databases.restore(
            ANCHOR, world.cluster, b"CREATE TABLE t (); ALTER TABLE t OWNER TO later;\n", GENERATION
        )


async def test_nothing_is_kept_of_an_empty_one(world):
    with pytest.raises(Broken, match="has no table, and nothing is kept"):
        await world.keep()


async def test_which_pod(world):
    world.kubernetes.put(pod("db-2"))
    with pytest.raises(Broken, match="2 pods have the labels role=master,cluster=db: db-1, db-2"):
        await world.databases.state(ANCHOR, world.cluster)
    for name in ("db-1", "db-2"):
        world.kubernetes.take("v1", "Pod", name, "data")
    with pytest.raises(NotYet, match=r"no pod with role=master,cluster=db in data is ready \(0 there\)"):
        await world.databases.state(ANCHOR, world.cluster)
