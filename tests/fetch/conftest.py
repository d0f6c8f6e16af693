import pytest

from rebirth.commands import Commands
from rebirth.fetch.fetching import Fetcher
from rebirth.fetch.logins import Logins
from rebirth.fetch.progress import Silent
from rebirth.fetch.web import Web
from rebirth.secrets import Redaction
from rebirth.store.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "fetched")


@pytest.fixture
async def fetching(tmp_path, store, keys, monkeypatch):
    """`fetching(thing, ...)` -> the outcome, or those of several; everybody on loopback is trusted who has the tests' certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(keys.folder / "ca.crt"))
    monkeypatch.setenv("GIT_SSL_CAINFO", str(keys.folder / "ca.crt"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("HOME", str(tmp_path))
    said = []
    redaction = Redaction()
    async with Web(tell=said.append, limit=4.0) as web:

        async def fetch(*things, castle=None, paths=None, **options):
            logins = Logins(redaction, castle, paths)
            found = await Fetcher(store, web, logins, Commands(redaction), Silent(), **options).fetch(things)
            return found if len(found) > 1 else found[0]

        fetch.said = said
        fetch.redaction = redaction
        fetch.web = web
        yield fetch


@pytest.fixture
def docker(tmp_path):
    """Writes Docker's file of credentials."""
    import base64
    import json

    def write(host, user, password):
        folder = tmp_path / "docker"
        folder.mkdir(exist_ok=True)
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))

    return write
