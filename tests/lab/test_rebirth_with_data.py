"""The example castle in three lives: a row of the first is in the second, one of the second in the third.

Its database is real PostgreSQL that a stand-in of PGO brings; Vault's snapshots are OpenBao's own.
"""

import json
import re

import pytest

from rehearsal import rehearsed

pytestmark = [pytest.mark.lab, pytest.mark.long]
ANCHORS = {
    "archive": {"folder": "kept"},
    "age_key": {"secret": "castle-age-key"},
    "vault": {"token": {"secret": "snapshot-token"}, "unseal_keys": [{"secret": "unseal-key"}]},
    "databases": [
        {
            "name": "grafana", "namespace": "tazlab-db", "container": "database", "database": "grafana",
            "labels": {"postgres-operator.crunchydata.com/cluster": "tazlab-db"},
        }
    ],
}  # fmt: skip


@pytest.fixture
def castle(tmp_path):
    with rehearsed(tmp_path, "anchors") as castle:
        castle.plain = (castle.folder / "castle.yaml").read_text()
        yield castle


def anchor(castle, **more):
    (castle.folder / "castle.yaml").write_text(f"{castle.plain}\nanchors: {json.dumps(ANCHORS | more)}\n")


def sql(castle, statement):
    """In Grafana's database, as who may do everything there."""
    psql = ("psql", "--username=postgres", "--dbname=grafana", "--tuples-only", "--no-align", f"--command={statement}")
    pod = ("exec", "--namespace=tazlab-db", "tazlab-db-instance1-0", "--container=database", "--", *psql)
    return castle.rebirth("lab", "run", "--lab-name", castle.lab.name, "--", "kubectl", *pod).splitlines()


def authority(castle):
    """Of the cluster, as the Talos secrets have it."""
    return re.findall(r"crt: (\S+)", (castle.lab.secrets / "produced" / "talos-secrets.yaml").read_text())


def backup(castle):
    said = castle.inside("backup")
    assert "credentials talos-secrets.yaml, database grafana, vault secret" in said
    return re.search(r"kept as (\S+)", said)[1]


def test_three_lives(castle):
    anchor(castle)
    castle.inside("create", "--budget", "900")
    sql(castle, "CREATE TABLE notes (said text); ALTER TABLE notes OWNER TO grafana")
    sql(castle, "INSERT INTO notes VALUES ('canary-of-the-first-life')")
    first, authorities = backup(castle), authority(castle)

    anchor(castle, restore="latest")
    castle.inside("destroy", "--yes")
    said = castle.inside("create", "--budget", "900")
    assert f"restores from the generation {first}" in said
    assert sql(castle, "SELECT said FROM notes") == ["canary-of-the-first-life"]
    assert authority(castle) == authorities
    assert "online after" in said
    sql(castle, "INSERT INTO notes VALUES ('of the second')")
    second = backup(castle)
    assert second > first

    castle.inside("destroy", "--yes")
    castle.inside("create", "--budget", "900")
    assert sql(castle, "SELECT said FROM notes") == ["canary-of-the-first-life", "of the second"]
    castle.inside("create")

    kept = [file for file in castle.folder.rglob("*") if file.is_file()]
    assert any(second in file.name for file in kept)
    leaked = [file for file in kept if b"canary-of-the-first-life" in file.read_bytes()]
    assert leaked == []
    canaries = castle.canaries()
    for file in (file for file in kept if "archive" in file.parts):
        text = file.read_bytes().decode(errors="replace")
        assert not [value for value in canaries if value in text], file
