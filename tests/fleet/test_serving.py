"""Who may see the page, and who may act: over a real connection, without a browser."""

import http.client
import re
import threading
from contextlib import closing

import pytest

from rebirth.fleet.engine import Engine
from rebirth.fleet.job import Job
from rebirth.fleet.place import Place
from rebirth.fleet.serving import Site, server

MARKUP = '<script>alert(1) & "q" $name'


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("fleet"))
    made = Engine(place)
    made.add(Job("one", "check", "/nowhere", MARKUP))
    yield made, place
    made.close()


@pytest.fixture
def ask(engine):
    """ask(method, path, ...) -> status, headers, body; ask.site is what is served."""
    made, place = engine
    sites = {}

    def asked(method, path, *, cookie="", host="", body="", may_act=False):
        if may_act not in sites:
            site = Site(place, made, may_act)
            serving = server(site, 0)
            threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
            sites[may_act] = site, serving
        asked.site, serving = sites[may_act]
        with closing(http.client.HTTPConnection("127.0.0.1", serving.server_port, timeout=10)) as connection:
            headers = {"Host": host or f"127.0.0.1:{serving.server_port}"}
            headers |= {"Cookie": f"rebirth-fleet={asked.site.token if cookie == 'own' else cookie}"} if cookie else {}
            connection.request(method, path, body.replace("TOKEN", asked.site.token) or None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read().decode()

    yield asked
    for _, serving in sites.values():
        serving.shutdown()
        serving.server_close()


@pytest.mark.parametrize("path", ["/", "/data.json", "/job/one", "/castle?of=x", "/?token=wrong"])
@pytest.mark.parametrize("cookie", ["", "wrong"])
def test_nobody_sees_anything_without_the_token(ask, path, cookie):
    status, _, body = ask("GET", path, cookie=cookie)
    assert status == 403
    assert "one" not in body.replace("none", "")


def test_the_token_of_the_address_is_kept_in_a_cookie_that_no_script_reads(ask):
    ask("GET", "/")
    status, headers, _ = ask("GET", f"/?token={ask.site.token}")
    assert (status, headers["Location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= set(headers["Set-Cookie"].split("; "))


def test_every_text_is_escaped_and_nothing_runs_but_its_own_script(ask):
    for path in ("/", "/job/one", "/castle?of=%3Cscript%3Ealert(1)"):
        status, headers, body = ask("GET", path, cookie="own")
        assert status == 200
        assert "<script>alert" not in body
        (nonce,) = set(re.findall(r'nonce="([^"]+)"', body))
        assert f"script-src 'nonce-{nonce}'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert not re.findall(r'(?:src|href)="(?!/)', body)


def test_another_name_that_leads_here_gets_nothing(ask):
    assert ask("GET", "/", cookie="own", host="evil.example")[0] == 421


@pytest.mark.parametrize("verb", ["cancel", "resume", "destroy"])
def test_it_may_only_be_looked_at(ask, engine, verb):
    assert ask("POST", f"/{verb}/one", cookie="own", body="token=TOKEN")[0] == 405
    assert engine[0].state("one") == "waiting"


def test_who_may_act_has_to_say_the_token_in_the_form_too(ask, engine):
    assert ask("POST", "/cancel/one", cookie="own", body="token=x", may_act=True)[0] == 403
    assert ask("POST", "/cancel/one", cookie="own", may_act=True)[0] == 403
    assert engine[0].state("one") == "waiting"
    assert ask("POST", "/cancel/one", cookie="own", body="token=TOKEN", may_act=True)[0] == 303
    assert engine[0].state("one") == "cancelled"
    assert ask("POST", "/resume/one", cookie="own", body="token=TOKEN", may_act=True)[0] == 303
    assert engine[0].state("one") == "waiting"


@pytest.mark.parametrize("path", ["/job/../../etc/passwd", "/job/two", "/frob"])
def test_no_such_page(ask, path):
    assert ask("GET", path, cookie="own")[0] == 404


@pytest.mark.parametrize("job", ["two", ""])
def test_no_such_job(ask, job):
    status, _, said = ask("POST", f"/cancel/{job}", cookie="own", body="token=TOKEN", may_act=True)
    assert (status, said) == (404, f"no such job: {job}"), "nor is it the only one, where none is named"


def test_it_listens_on_loopback_alone(engine):
    with server(Site(engine[1], engine[0], may_act=False), 0) as serving:
        assert serving.server_address[0] == "127.0.0.1"
