"""Destroy, and the devices that operators in the cluster have made: the cluster knows which they are, while it lives."""

import base64
import json
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from phases.ruins import LEFT, OPERATOR, PROXY, killed_when, names_left
from rebirth.events import PhaseDone
from rebirth.run.journal import Journal


@dataclass
class Inside:
    """The Secrets of a cluster, and its API for as long as it lives."""

    secrets: list[dict[str, bytes]]
    alive: bool = True

    def app(self):
        async def secrets(_):
            if not self.alive:
                return JSONResponse({"kind": "Status", "code": 503, "message": "gone"}, 503)
            items = [
                {
                    "metadata": {"name": f"secret-{number}", "namespace": "tailscale"},
                    "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
                }
                for number, data in enumerate(self.secrets)
            ]
            return JSONResponse({"apiVersion": "v1", "kind": "SecretList", "metadata": {}, "items": items})

        async def kinds(_):
            listed = [{"name": "secrets", "kind": "Secret", "namespaced": True, "verbs": ["list"]}]
            return JSONResponse({"kind": "APIResourceList", "groupVersion": "v1", "resources": listed})

        return Starlette(routes=[Route("/api/v1", kinds), Route("/api/v1/secrets", secrets)])


@pytest.fixture
async def inside(outside, ruin, serve):
    """Devices with names that the castle does not know: a proxy's, an operator's; and beside them another castle's."""
    proxy = outside.control.add_device("tailscale-vault", tags=(PROXY,))
    operator = outside.control.add_device("operator-of-this", tags=(OPERATOR,))
    outside.control.add_device("operator-of-another", tags=(OPERATOR,))
    state = {"1a2b": {"ID": "1a2b", "Name": "operator-of-this", "NodeID": operator.identity}}
    found = Inside(
        [
            {"password": b"nothing to do with it"},
            {"device_id": proxy.identity.encode(), "device_fqdn": b"tailscale-vault."},
            {"_current-profile": b"profile-1a2b", "_profiles": json.dumps(state).encode()},
        ]
    )
    served = await serve(found.app())
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": served.url, "certificate-authority": str(serve.ca)}}],
        "users": [{"name": "x", "user": {"token": "x"}}],
    }  # fmt: skip
    outside.paths.kubeconfig.write_text(json.dumps(config))
    return found


async def test_devices_that_only_the_cluster_knows(outside, ruin, inside):
    left = await ruin()
    assert left.outcome.ok
    assert names_left(outside)[1] == sorted([*LEFT[1], "operator-of-another"])
    assert "device" not in {one.kind for one in left.stays}


ODD = {
    "device_id that is binary": {"device_id": bytes(range(216, 256))},
    "device_id that is empty": {"device_id": b""},
    "_profiles that is binary": {"_profiles": bytes(range(216, 256))},
    "_profiles that is another JSON": {"_profiles": b"[1]"},
    "_profiles of something else": {"_profiles": b'{"a": 1, "b": {"NodeID": 7}, "c": {}}'},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_secrets_that_are_none_of_tailscales(outside, ruin, inside, odd):
    inside.secrets.insert(0, odd)
    assert (await ruin()).outcome.ok
    assert names_left(outside)[1] == sorted([*LEFT[1], "operator-of-another"])


async def test_devices_of_a_cluster_that_does_not_answer_are_said(outside, ruin, inside):
    inside.alive = False
    with Journal(outside.paths.state) as journal:
        found = await ruin.destruction(journal).look()
    doubtful = {one.name: one.stays for one in found.stays if one.kind == "device"}
    assert doubtful.keys() == {"tailscale-vault", "operator-of-this", "operator-of-another"}
    assert all("the cluster does not answer" in why for why in doubtful.values())
    assert "tazlab-k8s-operator" in {one.name for one in found.goes}, "its name and tag say whose it is"
    assert (await ruin()).outcome.ok
    assert {"tailscale-vault", "operator-of-this"} <= set(names_left(outside)[1]), "they may be somebody else's"


async def test_devices_are_said_also_where_an_earlier_destroy_knew_some(outside, ruin, inside):
    with Journal(outside.paths.state) as journal:
        journal.mark("device", "n0CNTRL")
    inside.alive = False
    with Journal(outside.paths.state) as journal:
        found = await ruin.destruction(journal).look()
    assert "operator-of-this" in {one.name for one in found.stays}


async def test_a_run_that_is_killed_still_knows_devices_of_the_cluster(outside, ruin, inside):
    await killed_when(ruin, lambda: len(outside.pve.hypervisor.destroyed) == 2)
    inside.alive = False
    assert "tailscale-vault" in names_left(outside)[1]
    assert (await ruin()).outcome.ok
    assert names_left(outside)[1] == sorted([*LEFT[1], "operator-of-another"])


async def test_a_device_that_the_cluster_makes_while_the_list_is_read_goes_too(outside, ruin, inside):
    """Between the look that is shown and the removal minutes may lie."""
    with Journal(outside.paths.state) as journal:
        destruction = ruin.destruction(journal)
        found = await destruction.look()
        late = outside.control.add_device("tailscale-late", tags=(PROXY,))
        inside.secrets.append({"device_id": late.identity.encode()})
        assert (await destruction.remove(found)).outcome.ok
    assert names_left(outside)[1] == sorted([*LEFT[1], "operator-of-another"])


async def test_a_device_that_appears_when_the_cluster_can_no_longer_be_asked_is_said(outside, ruin, inside):
    def dies(event):
        gone = (
            isinstance(event, PhaseDone) and event.phase == "undo_create_machines" and names_left(outside)[0] == [802]
        )
        if gone and inside.alive:
            inside.alive = False
            outside.control.add_device("tailscale-last", tags=(PROXY,))

    ruin.when = dies
    left = await ruin()
    assert left.outcome.ok
    said = {one.name: one.stays for one in left.stays if one.kind == "device"}
    assert said.keys() == {"tailscale-last"}, "the other castle's was there when its own cluster said what it had"
    assert "appeared while the castle was removed" in said["tailscale-last"]


async def test_what_the_cluster_said_is_known_to_a_later_run_too(outside, ruin, inside):
    """The first is killed once the machines are gone, and so is the last device's only witness."""
    await killed_when(ruin, lambda: len(outside.pve.hypervisor.destroyed) == 2)
    inside.alive = False
    outside.control.add_device("tailscale-last", tags=(PROXY,))
    left = await ruin()
    assert left.outcome.ok
    assert {one.name for one in left.stays if one.kind == "device"} == {"tailscale-last"}
