"""Vault, as hand-overs write to it: beside what others write, and what is answered by something else."""

from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Route

from rebirth.errors import Broken, NotYet
from rebirth.lab.systems.faults import Fault, Faults
from rebirth.providers.vault import VaultApi
from rebirth.secrets import Secret
from standins.vault import Vault, vault_app

TOKEN, MOUNT, PATH = "hvs.test", "secret", "castle/grafana"


@pytest.fixture
async def vault(serve):
    """`vault.api` is the product's client of `vault.stand_in`, a stand-in; `await vault.other(answer)` one of something else."""
    stand_in, faults, opened = Vault(TOKEN), Faults(), []

    async def client(app, mount=MOUNT):
        served = await serve(app)
        opened.append(VaultApi(address=served.url, mount=mount, token=Secret(TOKEN), ca=Secret(serve.ca.read_text())))
        return opened[-1]

    async def other(answer):
        return await client(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))

    async def put(name, value):
        await api.set(path=PATH, name=name, value=Secret(value))

    api = await client(faults.around("vault", vault_app(stand_in)))
    yield SimpleNamespace(api=api, stand_in=stand_in, faults=faults, other=other, client=client, put=put)
    for one in opened:
        await one.close()


async def test_a_property_is_set_beside_the_others(vault):
    vault.stand_in.put(PATH, {"other": "kept"})
    await vault.put("password", "new")
    assert vault.stand_in.held(PATH) == {"other": "kept", "password": "new"}
    before = dict(vault.faults.writes)
    await vault.put("password", "new")
    assert dict(vault.faults.writes) == before, "what stands there already is not written again"


@pytest.mark.parametrize("before", [[], [{"a": "1"}, None]], ids=["never written", "deleted"])
async def test_where_there_is_nothing(vault, before):
    for version in before:
        vault.stand_in.put(PATH, version)
    await vault.put("password", "new")
    assert vault.stand_in.held(PATH) == {"password": "new"}


@pytest.mark.parametrize("there", [True, False])
async def test_a_write_in_between_is_not_lost(vault, there):
    if there:
        vault.stand_in.put(PATH, {"other": "old"})
    vault.stand_in.between[PATH] = {"other": "theirs"}
    with pytest.raises(NotYet, match="somebody else wrote"):
        await vault.put("password", "new")
    await vault.put("password", "new")
    assert vault.stand_in.held(PATH) == {"other": "theirs", "password": "new"}


async def test_killed_after_the_write(vault):
    vault.faults.set("vault", Fault(lose=True, times=1, method="POST"))
    with pytest.raises(NotYet):
        await vault.put("password", "new")
    await vault.put("password", "new")
    assert vault.stand_in.secrets[PATH].number == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_what_passes_by_itself(vault, status):
    vault.faults.set("vault", Fault(status=status))
    with pytest.raises(NotYet) as caught:
        await vault.api.reach()
    assert caught.value.hint


async def test_a_token_that_is_refused(vault):
    vault.stand_in.token = "another"
    with pytest.raises(Broken, match="the token was rejected") as caught:
        await vault.api.reach()
    assert caught.value.hint


async def test_rights_are_named_one_by_one(vault):
    vault.stand_in.capabilities = frozenset({"read"})
    full = f"{MOUNT}/data/{PATH}"
    assert await vault.api.lacks(writes=[PATH]) == [f"create on {full}", f"update on {full}"]
    vault.stand_in.capabilities = frozenset({"root"})
    assert await vault.api.lacks(writes=[PATH]) == []
    assert dict(vault.faults.writes) == {}


ODD = {
    "HTML": lambda _: HTMLResponse("<h1>Sign in</h1>"),
    "other JSON": lambda _: JSONResponse({"message": "fine"}),
    "a list": lambda _: JSONResponse([1]),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
async def test_answers_that_are_not_vaults(vault, answer):
    api = await vault.other(answer)
    for ask in (api.reach(), api.read(path=PATH), api.set(path=PATH, name="a", value=Secret("b"))):
        with pytest.raises(NotYet, match="the answer does not match Vault's API") as caught:
            await ask
        assert "engine.vault.address" in caught.value.hint


async def test_a_server_that_is_no_vault_at_all(vault):
    api = await vault.other(lambda _: JSONResponse({"message": "Not Found"}, 404))
    for ask in (api.reach(), api.read(path=PATH), api.lacks(writes=[PATH])):
        with pytest.raises(Broken, match="no such path") as caught:
            await ask
        assert "engine.vault.address" in caught.value.hint


async def test_a_mount_that_is_not_there(vault):
    api = await vault.client(vault_app(vault.stand_in), mount="kv")
    for ask in (api.read(path=PATH), api.set(path=PATH, name="a", value=Secret("b"))):
        with pytest.raises(Broken, match="no such path") as caught:
            await ask
        assert "engine.vault.mount (kv)" in caught.value.hint


async def test_a_redirect_that_leads_nowhere(vault):
    api = await vault.other(lambda request: RedirectResponse(request.url.path))
    with pytest.raises(NotYet, match="Vault: look up token"):
        await api.reach()
