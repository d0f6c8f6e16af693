"""Serves the fleet's pages: on loopback alone, to who has the token, and only to look at unless asked."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rebirth.errors import Broken, Rebirth, SpecError
from rebirth.fleet import page
from rebirth.fleet.engine import Engine, found
from rebirth.fleet.place import Place
from rebirth.fleet.seen import as_data, seen

_COOKIE = "rebirth-fleet"
_LONGEST = 4096  # bytes of a form


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    kind: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)
    nonce: str = ""


@dataclass(frozen=True)
class Site:
    """What is served. `token` is asked for in the first address; the browser keeps it in a cookie then."""

    place: Place
    engine: Engine
    may_act: bool
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def get(self, target: str, cookie: str) -> Answer:
        parts = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if self._fits(asked.get("token", "")):
            kept = f"{_COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            return Answer(303, headers={"Location": parts.path, "Set-Cookie": kept})
        if not self._fits(cookie):
            return Answer(403, "The address that `rebirth fleet serve` has printed has the token.", "text/plain")
        return self._show(unquote(parts.path), asked)

    def post(self, target: str, cookie: str, form: Mapping[str, str]) -> Answer:
        if not (self._fits(cookie) and self._fits(form.get("token", ""))):
            return Answer(403, "no token", "text/plain")
        _, verb, job = (*unquote(urlsplit(target).path).split("/", 2), "", "")[:3]
        if not self.may_act or verb not in {"cancel", "resume"}:
            return Answer(405, "It may only be looked at: `rebirth fleet serve --may-act`.", "text/plain")
        row = found(self.engine.rows(), job)
        if verb == "cancel":
            self.engine.cancel(row.job.id)
        else:
            self.engine.resume(row.job)
        return Answer(303, headers={"Location": f"/job/{row.job.id}"})

    def _fits(self, token: str) -> bool:
        return compare_digest(token.encode(), self.token.encode())

    def _show(self, path: str, asked: Mapping[str, str]) -> Answer:
        rows = self.engine.rows()
        if path == "/data.json":
            return Answer(200, json.dumps(as_data(self.place, rows), indent=2), "application/json")
        all_jobs, acts, nonce = seen(self.place, rows), self.token if self.may_act else "", secrets.token_urlsafe(16)
        back = '<a href="/">Fleet</a>'
        if path == "/":
            return Answer(
                200, page.page("Fleet", page.jobs(self.place.workers(), all_jobs, asked, acts), nonce), nonce=nonce
            )
        if path == "/castle":
            key = asked.get("of", "")
            return Answer(200, page.page(key, page.castle(key, all_jobs), nonce, nav=back), nonce=nonce)
        one = next((one for one in all_jobs if path == f"/job/{one.job.id}"), None)
        if one is None:
            return Answer(404, "no such page", "text/plain")
        main = page.job(one, self.place.account(one.job.id), acts)
        return Answer(200, page.page(one.job.id, main, nonce, nav=back), nonce=nonce)


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def server(site: Site, port: int) -> ThreadingHTTPServer:
    """Listens on loopback. Raises Broken where the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answered(lambda cookie: site.get(self.path, cookie))

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), _LONGEST)
            form = {name: values[-1] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            self._answered(lambda cookie: site.post(self.path, cookie, form))

        def _answered(self, answer: Callable[[str], Answer]) -> None:
            if self.headers.get("Host") not in names:  # another name that was made to lead here
                self._send(Answer(421, "not a name of this server", "text/plain"))
                return
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
            try:
                self._send(answer(cookies[_COOKIE].value if _COOKIE in cookies else ""))
            except Rebirth as error:  # a job that there is not, or a database that does not answer
                self._send(Answer(404 if isinstance(error, SpecError) else 503, str(error), "text/plain"))

        def _send(self, answer: Answer) -> None:
            body = answer.body.encode()
            self.send_response(answer.status)
            only = f"'nonce-{answer.nonce}'" if answer.nonce else "'none'"
            policy = f"default-src 'none'; style-src {only}; script-src {only}; connect-src 'self'; form-action 'self'"
            headers = {
                "Content-Type": f"{answer.kind}; charset=utf-8",
                "Content-Length": str(len(body)),
                "Content-Security-Policy": f"{policy}; base-uri 'none'; frame-ancestors 'none'",
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                **answer.headers,
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Addresses have the token in them: they are written nowhere."""

    try:
        listening = _Server(("127.0.0.1", port), Handler)
    except OSError as error:
        raise Broken(error.strerror or "cannot listen", system=f"127.0.0.1:{port}", operation="serve") from None
    names = {f"{host}:{listening.server_port}" for host in ("127.0.0.1", "localhost")}
    return listening


def serve(place: Place, engine: Engine, port: int, say: Callable[[str], None], *, may_act: bool) -> None:
    """Until a signal ends it."""
    site = Site(place, engine, may_act)
    with server(site, port) as serving:
        say(f"http://127.0.0.1:{serving.server_address[1]}/?token={site.token}")
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return
