"""Tokens, privileges, nodes, tasks and paths of the stood-in Proxmox."""

import httpx
import pytest
from proxmoxer import ResourceException

from rebirth.lab.proxmox import Rights, Volume

RIGHTS = frozenset({"VM.Allocate", "VM.Audit", "VM.Config.Network", "Datastore.AllocateSpace", "SDN.Use"})


@pytest.fixture
async def web(proxmox):
    """Without a token."""
    base = f"{proxmox.served.url}/api2/json"
    async with httpx.AsyncClient(base_url=base, verify=proxmox.served.trust, trust_env=False) as client:
        yield client


async def test_version_and_nodes(proxmox):
    assert (await proxmox.call(proxmox.api.version.get))["version"].startswith("9.")
    (node,) = await proxmox.call(proxmox.api.nodes.get)
    assert (node["node"], node["status"]) == ("pve", "online")
    assert (await proxmox.call(proxmox.node.status.get))["memory"]["used"] == 0
    assert [row["iface"] for row in await proxmox.call(proxmox.node.network.get)] == ["vmbr0"]


@pytest.mark.parametrize("wrong", [{"secret": "5f8f3f0e-0000-4000-8000-000000000002"}, {"name": "other"}])
async def test_a_wrong_token(proxmox, wrong):
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.client(**wrong).version.get)
    assert refused.value.status_code == 401


async def test_no_token(web):
    answer = await web.get("/version")
    assert (answer.status_code, answer.json()) == (401, {"data": None, "message": "No ticket\n"})


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("castle@pve!other=x", "no such token 'other' for user 'castle@pve'\n"),
        ("castle@pve!rebirth=x", "invalid token value!\n"),
        ("castle@pve!rebirth=ä", "invalid token value!\n"),
    ],
)
async def test_the_words_of_a_wrong_token(web, token, words):
    answer = await web.get("/version", headers={"authorization": f"PVEAPIToken={token}".encode()})
    assert (answer.status_code, answer.json()["message"]) == (401, words)


async def test_a_node_that_is_not_there(proxmox):
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.api.nodes("other").qemu.get)
    assert refused.value.status_code == 500


@pytest.mark.usefixtures("outside_the_schema")
async def test_paths_that_are_not_there(proxmox):
    for path in ("nonsense", "nodes/pve/nonsense"):
        with pytest.raises(ResourceException) as refused:
            await proxmox.call(proxmox.api(path).get)
        assert refused.value.status_code == 501


@pytest.mark.usefixtures("outside_the_schema")
async def test_the_form_of_a_refusal(proxmox, web):
    headers = {"authorization": "PVEAPIToken=castle@pve!rebirth=5f8f3f0e-0000-4000-8000-000000000001"}
    answer = await web.post("/nodes/pve/qemu", headers=headers, data={"vmid": 800, "foo": 1})
    assert answer.status_code == 400
    reason = "property is not defined in schema and the schema does not allow additional properties"
    assert answer.json() == {"data": None, "message": "Parameter verification failed.\n", "errors": {"foo": reason}}
    await proxmox.done(proxmox.node.qemu.post, vmid=800)
    answer = await web.post("/nodes/pve/qemu", headers=headers, json={"vmid": 800, "onboot": True})
    assert (answer.status_code, answer.json()["message"]) == (
        500,
        "unable to create VM 800 - VM 800 already exists on node 'pve'\n",
    )


@pytest.mark.parametrize(
    ("privilege", "path"),
    [
        ("VM.Allocate", None),  # Proxmox would take the right on a pool as well, and names neither
        ("Datastore.AllocateSpace", "/storage/local-lvm"),
        ("VM.Config.Network", "/vms/800"),
        ("SDN.Use", "/sdn/zones/localnetwork/vmbr0"),
    ],
)
async def test_a_privilege_that_is_missing(proxmox, host, web, privilege, path):
    host.rights = Rights({"/": RIGHTS - {privilege}})
    options = {"vmid": 800, "scsi0": "local-lvm:4", "net0": "virtio,bridge=vmbr0"}
    with pytest.raises(ResourceException) as refused:
        await proxmox.call(proxmox.node.qemu.post, **options)
    assert refused.value.status_code == 403
    headers = {"authorization": f"PVEAPIToken={host.token}"}
    answer = await web.post("/nodes/pve/qemu", headers=headers, data=options)
    assert answer.json()["message"] == "Permission check failed" + (f" ({path}, {privilege})\n" if path else "\n")
    assert host.machines == {}


async def test_rights_are_told_path_by_path(proxmox, host):
    """What is given on a path replaces what comes from above it."""
    host.rights = Rights({"/vms": frozenset({"VM.Audit", "VM.PowerMgmt"}), "/vms/801": frozenset({"VM.Audit"})})
    ask = proxmox.api.access.permissions.get
    both = {"VM.Audit": 1, "VM.PowerMgmt": 1}
    assert await proxmox.call(ask) == {"/vms": both, "/vms/801": {"VM.Audit": 1}}
    assert await proxmox.call(ask, path="/vms/800") == {"/vms/800": both}
    assert await proxmox.call(ask, path="/vms/801") == {"/vms/801": {"VM.Audit": 1}}
    assert await proxmox.call(ask, path="/storage/local") == {"/storage/local": {}}
    assert await proxmox.call(ask, userid=host.token_identity, path="/vms") == {"/vms": both}
    with pytest.raises(ResourceException, match=r"/access, Sys\.Audit"):
        await proxmox.call(ask, userid="root@pam")


@pytest.mark.usefixtures("outside_the_schema")
async def test_tasks_have_a_status_and_a_log(proxmox, host):
    host.storages["local"].volumes["local:iso/a.iso"] = Volume("iso", 1)
    upid = await proxmox.call(proxmox.node.storage("local").content("local:iso/a.iso").delete)
    assert await proxmox.ended(upid) == "OK"
    state = await proxmox.call(proxmox.node.tasks(upid).status.get)
    shown = {name: state[name] for name in ("type", "id", "user", "tokenid", "node", "upid")}
    assert shown == {
        "type": "imgdel",
        "id": "local",
        "user": "castle@pve",
        "tokenid": "rebirth",
        "node": "pve",
        "upid": upid,
    }
    assert await proxmox.call(proxmox.node.tasks(upid).log.get) == [{"n": 1, "t": "TASK OK"}]
    assert [row["upid"] for row in await proxmox.call(proxmox.node.tasks.get)] == [upid]
    (row,) = await proxmox.call(proxmox.node.tasks.get, source="all", typefilter="imgdel")
    assert row["status"] == "OK"
    assert row["endtime"] >= row["starttime"]
    assert await proxmox.call(proxmox.node.tasks.get, source="active") == []
    assert await proxmox.call(proxmox.node.tasks.get, source="all", typefilter="download") == []
    for wrong, status in (("nonsense", 400), (upid.replace("imgdel", "imgadd"), 500)):
        with pytest.raises(ResourceException) as refused:
            await proxmox.call(proxmox.node.tasks(wrong).status.get)
        assert refused.value.status_code == status
