"""The token server; the real registry and containerd's client meet it in test_lab.py."""

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from rebirth.lab.systems.registry import TokenServer, token_app

PRIVATE, PUBLIC = "repository:castle/app:pull", "repository:fluxcd/source-controller:pull"


@pytest.fixture
def ask(tmp_path):
    import json

    server = TokenServer(["right"], ["castle/"])
    server.write_keys(tmp_path / "keys.json")
    keys = KeySet.import_key_set(json.loads((tmp_path / "keys.json").read_text()))

    async def asked(*scopes: str, password: str | None = None) -> list[str] | int:
        transport = httpx.ASGITransport(token_app(server))
        async with httpx.AsyncClient(transport=transport, base_url="https://auth.docker.io") as client:
            auth = ("anybody", password) if password is not None else None
            answer = await client.get("/token", params=[("scope", scope) for scope in scopes], auth=auth)
        if answer.status_code != 200:
            return answer.status_code
        claims = jwt.decode(answer.json()["token"], keys, algorithms=["ES256"]).claims
        return [f"{access['name']}:{','.join(access['actions'])}" for access in claims["access"]]

    return asked


async def test_everybody_pulls_what_is_public(ask):
    assert await ask(PUBLIC) == ["fluxcd/source-controller:pull"]


async def test_what_is_private_takes_the_password(ask):
    assert await ask(PRIVATE) == []
    assert await ask(PRIVATE, password="right") == ["castle/app:pull"]


async def test_a_prefix_is_a_folder_not_a_beginning(ask):
    assert await ask("repository:castles/app:pull") == ["castles/app:pull"]


@pytest.mark.parametrize("password", ["wrong", ""])
async def test_a_wrong_password_is_refused_for_public_images_too(ask, password):
    assert await ask(PUBLIC, password=password) == 401


async def test_nobody_pushes(ask):
    assert await ask("repository:castle/app:pull,push", password="right") == ["castle/app:pull"]
    assert await ask("repository:castle/app:push", password="right") == []


async def test_several_scopes_are_judged_one_by_one(ask):
    assert await ask(PRIVATE, PUBLIC) == ["fluxcd/source-controller:pull"]
