"""Git hosts: git's own smart HTTP, to be read by everybody, whatever credentials they bring."""

from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from rebirth.lab.systems.git import backend
from rebirth.rehearse.outside.answers import host_of, refused
from rebirth.rehearse.outside.missing import Refusals
from rebirth.rehearse.outside.names import Askers, address
from rebirth.store.store import Store

_REFERENCES, _FETCH, _PUSH = "/info/refs", "/git-upload-pack", "/git-receive-pack"
_SERVICE = _FETCH.removeprefix("/")


class GitHosts:
    """`repositories`: bare repositories by address; what is not among them is asked of the store."""

    def __init__(self, repositories: Mapping[str, Path], store: Store, refusals: Refusals, askers: Askers) -> None:
        self._repositories, self._store = dict(repositories), store
        self._refusals, self._askers = refusals, askers

    async def answer(self, request: Request) -> Response | None:
        path = request.url.path
        service = next((one for one in (_REFERENCES, _FETCH, _PUSH) if path.endswith(one)), None)
        if service is None or (service == _REFERENCES and "service" not in request.query_params):
            return None
        if service == _PUSH or request.query_params.get("service", _SERVICE) != _SERVICE:
            return PlainTextResponse("a rehearsal takes no commits\n", 403)
        url = f"https://{host_of(request)}{path.removesuffix(service)}"
        bare = self._repositories.get(address(url)) or self._stored(url)
        if bare is None:
            place = address(url)
            return refused(self._refusals.add("Git repository", place, self._askers.of(place)))
        return await backend(bare.parent, f"/{bare.name}{service}", request)

    def _stored(self, url: str) -> Path | None:
        plain = url.removesuffix(".git")
        return self._store.git(plain) or self._store.git(f"{plain}.git")
