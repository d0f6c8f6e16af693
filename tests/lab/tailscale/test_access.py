"""OAuth clients, scopes and tags of the stood-in tailnet, through authlib."""

import pytest


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
async def test_a_client_logs_in(world, method):
    client = await world.client("castle", method=method)
    token = client.token
    assert (token["token_type"], token["expires_in"], token["scope"], token["tags"]) == (
        "Bearer",
        3600,
        "auth_keys devices:core",
        "tag:castle",
    )
    assert (await client.get("/tailnet/-/devices")).json() == {"devices": []}


@pytest.mark.parametrize(("name", "secret"), [("castle", "wrong"), ("castle", "wröng"), ("nobody", "wrong")])
async def test_a_wrong_secret(world, name, secret):
    answer = await world.lab.post("/api/v2/oauth/token", data={"client_id": name, "client_secret": secret})
    assert (answer.status_code, answer.json()) == (401, {"message": "API token invalid"})


async def test_authlib_takes_the_refusal_of_a_wrong_secret_for_a_token(world):
    """So does a client built on it, unless it looks: Tailscale's refusal has no `error`, and that is what authlib looks for."""
    client = await world.client("castle", secret="wrong")
    assert client.token == {"message": "API token invalid"}


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer tskey-api-wrong"}, {"authorization": "Basic ???"}])
async def test_without_a_token(world, header):
    answer = await world.lab.get("/api/v2/tailnet/-/devices", headers=header)
    assert (answer.status_code, answer.json()) == (401, {"message": "API token invalid"})


async def test_a_token_as_the_user_of_basic_authentication(world):
    token = world.castle.token["access_token"]
    assert (await world.lab.get("/api/v2/tailnet/-/devices", auth=(token, ""))).status_code == 200


async def test_a_token_lives_an_hour(world, clock):
    headers = {"authorization": f"Bearer {world.castle.token['access_token']}"}
    clock.now += 3599
    assert (await world.lab.get("/api/v2/tailnet/-/devices", headers=headers)).status_code == 200
    clock.now += 1
    assert (await world.lab.get("/api/v2/tailnet/-/devices", headers=headers)).status_code == 401


async def test_scopes(world, control):
    reader, device = await world.client("reader"), control.add_device("node")
    assert (await reader.get("/tailnet/-/devices")).status_code == 200
    refused = [
        await reader.delete(f"/device/{device.identity}"),
        await reader.get("/tailnet/-/keys"),
        await world.mint(by=reader),
        await world.castle.get("/tailnet/-/acl"),
    ]
    assert [answer.status_code for answer in refused] == [403] * 4
    assert refused[0].json() == {"message": "calling actor does not have enough permissions to perform this function"}
    assert device.identity in control.devices


async def test_a_token_for_less(world, control):
    control.add_device("node")
    less = await world.client("castle", scope="devices:core:read")
    assert less.token["scope"] == "devices:core:read"
    assert (await less.get("/tailnet/-/devices")).status_code == 200
    assert (await world.mint(by=less)).status_code == 403


async def test_a_token_for_more_is_refused(world, passwords):
    form = {"client_id": "reader", "client_secret": passwords["reader"], "scope": "auth_keys"}
    answer = await world.lab.post("/api/v2/oauth/token", data=form)
    assert (answer.status_code, answer.json()) == (403, {"message": 'OAuth client cannot grant scopes "auth_keys"'})
    form = {"client_id": "castle", "client_secret": passwords["castle"], "tags": "tag:operator"}
    assert (await world.lab.post("/api/v2/oauth/token", data=form)).status_code == 400


async def test_another_tailnet(world):
    assert (await world.castle.get("/tailnet/other.ts.net/devices")).status_code == 404
    assert (await world.castle.get("/tailnet/magellanic-gondola.ts.net/devices")).status_code == 200


async def test_paths_that_are_not_there(world):
    answer = await world.castle.get("/tailnet/-/nonsense")
    assert (answer.status_code, answer.json()) == (404, {"message": "not found"})


@pytest.mark.parametrize(
    ("client", "tags", "status"),
    [
        ("castle", ["tag:castle"], 200),
        ("castle", ["tag:operator"], 400),
        ("castle", ["tag:castle", "tag:operator"], 400),
        ("castle", [], 400),
        ("operator", ["tag:service"], 200),
        ("castle", ["tag:service"], 400),
        ("two", ["tag:two", "tag:one"], 200),
        ("two", ["tag:one"], 400),
    ],
)
async def test_tags_are_all_of_the_clients_or_owned_by_them(world, client, tags, status):
    answer = await world.mint(by=await world.client(client), tags=tags)
    assert answer.status_code == status
    if status == 400 and tags:
        assert answer.json() == {"message": f"requested tags [{' '.join(tags)}] are invalid or not permitted"}


async def test_a_token_for_one_of_two_tags_mints_keys_with_it(world):
    one = await world.client("two", tags="tag:one")
    assert (await world.mint(by=one, tags=["tag:one"])).status_code == 200
