"""The tailnet: names that are freed, keys that are minted, and what is refused."""

import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from phases.conftest import REACHED, SETTLED
from rebirth.castle import Identity
from rebirth.errors import Broken, NotYet
from rebirth.lab.systems.faults import Fault
from rebirth.lab.tailscale import tailscale_app
from rebirth.phases import free_names, mint_node_key
from rebirth.phases.connections import tailnet_api
from rebirth.phases.made import machine_records as records
from rebirth.providers.tailnet import _device
from rebirth.run.facts import MachinesCreated
from rebirth.run.journal import Journal, Marks

CREATED = MachinesCreated({"lushycorp-k8s": 800, "tazlab-k8s-worker-1": 801})
OURS, OPERATOR = "tag:tazlab-k8s", "tag:k8s-operator"


async def free(outside):
    return await free_names.free_names(
        outside.castle.tailscale, outside.castle.machines, outside.paths, outside.tailscale, SETTLED, CREATED
    )


async def mint(outside):
    identity = Identity(name=outside.castle.name)
    with Journal(outside.paths.state) as journal:
        return await mint_node_key.mint_node_key(
            identity,
            outside.castle.tailscale,
            outside.tailscale,
            outside.redaction,
            Marks(journal),
            REACHED,
        )


def valid(outside):
    return [key.identity for key in outside.tailnet.keys.values() if key.revoked is None]


async def test_stale_devices_of_ours_give_their_names_back(outside):
    add = outside.control.add_device
    add("lushycorp-k8s", tags=(OURS,), connected=False)
    add("tazlab-k8s-operator", tags=(OPERATOR,), connected=False)
    add("lushycorp-vault", connected=False)
    await free(outside)
    assert [device.name for device in outside.control.devices.values()] == ["lushycorp-vault"]
    before = outside.writes
    await free(outside)
    assert outside.writes == before


async def test_a_connected_device_of_ours_is_this_castle_going_on(outside):
    outside.control.add_device("lushycorp-k8s", tags=(OURS,))
    await free(outside)
    assert outside.writes == {}


@pytest.mark.parametrize(
    ("tags", "connected"), [((), False), ((), True), (("tag:theirs",), False), ((OPERATOR,), True)]
)
async def test_a_name_that_somebody_else_holds(outside, tags, connected):
    outside.control.add_device("lushycorp-k8s", tags=tags, connected=connected)
    with pytest.raises(Broken, match="the name lushycorp-k8s belongs to") as caught:
        await free(outside)
    assert caught.value.hint
    assert outside.writes == {}


async def test_a_key_as_the_castle_asks_for_it(outside):
    minted = await mint(outside)
    (key,) = outside.tailnet.keys.values()
    assert (key.identity, key.value) == (minted.key_id, minted.key.reveal())
    assert (key.tags, key.reusable, key.ephemeral) == ((OURS,), True, True)
    assert key.expires - key.created == 3600
    assert key.description == "rebirth tazlab-k8s"
    assert key.value not in repr(minted)
    assert key.value not in outside.redaction.redact(f"said {key.value}"), "no log shows it"


async def test_tags_that_the_client_may_not_give(outside):
    outside.tailnet.clients[0] = type(outside.tailnet.clients[0])(
        outside.tailnet.clients[0].identity, outside.tailnet.clients[0].secret, tags=frozenset({"tag:theirs"})
    )
    with pytest.raises(Broken, match="mint key: HTTP 400") as caught:
        await mint(outside)
    assert "tags" in caught.value.hint


async def test_a_client_that_is_refused(outside):
    outside.tailnet.clients.clear()
    with pytest.raises(Broken, match="the OAuth client was rejected"):
        await free(outside)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_an_outage_of_the_login_is_no_refusal(outside, status):
    outside.faults.set("tailscale", Fault(status=status, path="oauth"))
    with pytest.raises(NotYet, match=f"Tailscale: log in: HTTP {status}") as caught:
        await outside.tailscale.devices()
    assert caught.value.hint
    outside.faults.clear()
    assert await outside.tailscale.devices() == []


ODD = {
    "HTML": HTMLResponse("<h1>Sign in</h1>"),
    "other JSON": JSONResponse({"message": "fine"}),
    "a list": JSONResponse([1]),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
@pytest.mark.parametrize("path", ["/api/v2/oauth/token", "/api/v2/tailnet/"])
async def test_answers_that_are_not_tailscales(outside, serve, answer, path):
    app = tailscale_app(outside.tailnet)

    async def odd(scope, receive, send):
        await (answer if scope["path"].startswith(path) else app)(scope, receive, send)

    served = await serve(odd)
    client = tailnet_api(outside.castle.tailscale.model_copy(update={"api": served.url}), outside.secrets)
    for ask in (client.devices(), client.keys()):
        with pytest.raises(NotYet, match="the answer does not match Tailscale's API") as caught:
            await ask
        assert "tailscale.api" in caught.value.hint
    await client.close()


@pytest.mark.parametrize("path", ["/api/v2/oauth/token", "/api/v2/tailnet/"])
async def test_a_redirect_names_the_address_to_check(outside, serve, path):
    app = tailscale_app(outside.tailnet)

    async def moved(scope, receive, send):
        await (RedirectResponse("/elsewhere") if scope["path"].startswith(path) else app)(scope, receive, send)

    served = await serve(moved)
    client = tailnet_api(outside.castle.tailscale.model_copy(update={"api": served.url}), outside.secrets)
    with pytest.raises(Broken, match="HTTP 307") as caught:
        await client.devices()
    assert "tailscale.api" in caught.value.hint
    await client.close()


async def test_a_device_has_the_id_that_it_knows_itself_by_too(outside):
    made = outside.control.add_device("lushycorp-k8s", tags=(OURS,))
    (device,) = await outside.tailscale.devices()
    assert device.node_identity == made.identity
    assert device.identity not in device.node_identity
    await outside.tailscale.delete_device(identity=device.node_identity)
    assert not outside.control.devices


async def test_the_castles_own_operator_is_nobody_else(outside):
    outside.control.add_device("tazlab-k8s-operator", tags=(OPERATOR,))
    with pytest.raises(Broken, match="the name tazlab-k8s-operator belongs to"):
        await free(outside)  # a castle without a cluster has no operator: it is somebody else's
    outside.paths.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    outside.paths.kubeconfig.touch()
    await free(outside)
    assert outside.writes == {}


async def test_an_operator_is_no_machine_even_where_there_is_a_cluster(outside):
    outside.paths.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    outside.paths.kubeconfig.touch()
    outside.control.add_device("lushycorp-k8s", tags=(OPERATOR,))
    with pytest.raises(Broken, match="the name lushycorp-k8s belongs to"):
        await free(outside)


async def test_the_device_of_a_machine_that_was_made_anew_goes_even_if_it_counts_as_connected(outside):
    add = outside.control.add_device
    for name in ("lushycorp-k8s", "tazlab-k8s-worker-1"):
        add(name, tags=(OURS,))
    records.sent(outside.paths, "lushycorp-k8s", "digest")
    records.made(outside.paths, "tazlab-k8s-worker-1")
    await free(outside)
    assert [device.name for device in outside.control.devices.values()] == ["lushycorp-k8s"]
    records.sending(outside.paths, "tazlab-k8s-worker-1", "digest")
    add("tazlab-k8s-worker-1", tags=(OURS,))
    before = outside.writes
    await free(outside)
    assert outside.writes == before, "now it is the new machine's own"


async def test_names_are_freed_after_a_kill_at_each_write(outside):
    for name in ("lushycorp-k8s", "tazlab-k8s-worker-1", "elsewhere"):
        outside.control.add_device(name, tags=(OURS,), connected=False)
    for _ in range(10):
        outside.faults.set("tailscale", Fault(lose=True, times=1, method="DELETE"))
        try:
            await free(outside)
        except NotYet:
            continue
        break
    assert [device.name for device in outside.control.devices.values()] == ["elsewhere"]


async def test_a_key_is_minted_after_a_kill_at_the_write(outside):
    """The first key's value was lost with its answer: no machine can have it."""
    outside.faults.set("tailscale", Fault(lose=True, times=1, path="/keys"))
    with pytest.raises(NotYet):
        await mint(outside)
    minted = await mint(outside)
    assert len(outside.tailnet.keys) == 2
    assert valid(outside) == [minted.key_id]


async def test_each_run_mints_its_own_key_and_revokes_what_nobody_has(outside):
    first, second = await mint(outside), await mint(outside)
    assert first.key_id != second.key_id
    assert outside.writes == {"tailscale": 3}
    assert valid(outside) == [second.key_id]


async def test_a_key_that_a_machine_may_have_been_sent_stays(outside):
    first = await mint(outside)
    with Journal(outside.paths.state) as journal:
        Marks(journal).add(mint_node_key.SENT, first.key_id)
    lost, last = await mint(outside), await mint(outside)
    assert valid(outside) == [first.key_id, last.key_id]
    assert lost.key_id not in valid(outside)


async def test_keys_of_another_folder_s_runs_stay(outside):
    """Without a journal it is not known whose they are: a machine may be on its way with one."""
    first = await mint(outside)
    (outside.paths.state / "journal.jsonl").unlink()
    second = await mint(outside)
    assert valid(outside) == [first.key_id, second.key_id]


@pytest.mark.parametrize("tags", [[1], [["tag:a"]], [True]])
def test_tags_that_are_no_texts_are_not_the_api_s(tags):
    with pytest.raises(TypeError):
        _device({"id": "1", "name": "a.example.ts.net", "hostname": "a", "tags": tags})
