"""Which hosts a container's command line and variables name."""

import pytest

from rebirth.proof.sources.hosts import talked_to, waited_for


def container(line, name="init", **variables):
    return {
        "name": name,
        "command": ["sh", "-c", line],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
    }


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        ("until nc -z -w 2 db 5432; do echo waiting for cache; sleep 1; done", ["db"]),
        ("until pg_isready -h pg -p 5432 -U app -d app; do sleep 1; done", ["pg"]),
        ("mysqladmin ping --host=db -u root", ["db"]),
        ("wait-for-it.sh redis:6379 -t 60", ["redis"]),
        ("until curl -sf -o /dev/null http://api:80/health; do sleep 1; done", ["api"]),
        ("until wget -q web/health; do sleep 1; done", ["web"]),
        ("until [ $(curl -s http://api) = ok ]; do sleep 1; done", ["api"]),
        ("dockerize -wait tcp://db:5432 -wait tcp://mq.x:5672", ["db", "mq.x"]),
        ('bash -c "</dev/tcp/db/5432"', ["db"]),
        ('timeout 10 sh -c "until nc -z db 5432; do sleep 1; done"', ["db"]),
        ("/usr/bin/nc -z db.data.svc.cluster.local 1", ["db.data.svc.cluster.local"]),
        ("kubectl -n web wait --for=condition=ready pod -l app=web", []),
        ("psql -d app -U app", []),
        ("cp -r /app /web && echo curl api", []),
    ],
)
def test_where_a_host_stands(line, hosts):
    assert [one.host for one in waited_for(container(line))] == hosts


@pytest.mark.parametrize("line", ["nslookup db", "until getent hosts db; do sleep 1; done", "dig +short db"])
def test_who_asks_for_a_name_alone(line):
    assert waited_for(container(line)) == [("db", True)]


def test_variables():
    assert waited_for(container("until nc -z $DB 1; do sleep 1; done", DB="pg")) == [("pg", False)]
    assert waited_for(container("psql", PGHOST="pg", PGDATABASE="app")) == [("pg", False)]
    assert waited_for(container("/wait", "wait-for-db", TARGETS="pg:5432,mq:5672")) == [("pg", False), ("mq", False)]
    assert not waited_for(container("/migrate", DB_HOST="pg"))


def test_what_a_job_talks_to():
    url = "postgres://app:app@pg:5432/app"
    assert talked_to(container("/migrate", DATABASE_URL=url, PGDATABASE="app")) == ["pg"]
    assert talked_to(container("/migrate -h db --name app")) == ["db"]
    assert talked_to(container("/migrate", DB_HOSTS="a,b.c")) == ["a", "b.c"]
