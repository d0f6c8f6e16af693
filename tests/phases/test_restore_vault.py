"""A Vault that is new gets what was kept of another; held against OpenBao itself where the lab's programs are built."""

import asyncio
import json
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import pytest

from rebirth.castle import Handovers, Restore, Vault, VaultAnchor
from rebirth.castle.reference import SecretRef
from rebirth.errors import Broken, NoAnswer, NotYet
from rebirth.lab.building.toolchain import Toolchain
from rebirth.phases import restore_vault
from rebirth.phases.made.kept import VAULT
from rebirth.providers.anchors.snapshots import VaultSnapshots
from rebirth.providers.vault import VaultApi
from rebirth.run.facts import ArchiveRead, OutsideReached, VaultRestored
from rebirth.secrets import Secret
from standins.raft import Raft
from standins.vault import Vault as Keys

PATH, ROW = "castle/grafana", {"password": "canary-of-vault"}


@dataclass
class Server:
    """A Vault, stood in for or real."""

    url: str
    key: str  # that unseals it
    root: str
    token: str = ""  # the castle's, where it knows one
    stand_in: Raft | None = None

    @property
    def transport(self):
        return self.stand_in


class StoodIn:
    async def full(self):
        raft = Raft(Keys("hvs.castle"))
        raft.vault.put(PATH, ROW)
        return Server("https://vault.test:8200", raft.key, raft.root, "hvs.castle", raft)

    async def new(self, **how):
        raft = Raft(Keys("hvs.nobodys"), mounted=False, **how)
        return Server("https://vault.test:8200", raft.key, raft.root, stand_in=raft)


@dataclass
class OpenBao:
    program: str
    folder: object
    running: ExitStack
    number: int = field(default=0)

    async def _start(self):
        self.number += 1
        folder = self.folder / str(self.number)
        (folder / "data").mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            port, inner = one.getsockname()[1], other.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        raft = {"path": str(folder / "data"), "node_id": "one", "performance_multiplier": 1}
        listener = {"address": f"127.0.0.1:{port}", "cluster_address": f"127.0.0.1:{inner}", "tls_disable": True}
        said = {"storage": {"raft": raft}, "listener": {"tcp": listener}, "disable_mlock": True, "api_addr": url}
        said["cluster_addr"] = f"http://127.0.0.1:{inner}"
        (folder / "configuration.json").write_text(json.dumps(said))
        log = self.running.enter_context((folder / "log").open("w"))
        argv = [self.program, "server", f"-config={folder / 'configuration.json'}"]
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        self.running.callback(process.wait)
        self.running.callback(process.kill)
        client = self.running.enter_context(httpx.Client(base_url=f"{url}/v1", timeout=30, trust_env=False))
        made = (await self._ask(client, "PUT", "/sys/init", {"secret_shares": 1, "secret_threshold": 1})).json()
        await self._ask(client, "PUT", "/sys/unseal", {"key": made["keys"][0]})
        client.headers["X-Vault-Token"] = made["root_token"]
        await self._ask(client, "GET", "/sys/health")
        return Server(url, made["keys"][0], made["root_token"]), client

    async def _ask(self, client, method, path, body=None):
        for _ in range(300):
            try:
                answer = client.request(method, path, json=body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 400:
                return answer
            await asyncio.sleep(0.1)
        raise AssertionError(f"{method} {path}: {answer and answer.text}")

    async def full(self):
        server, client = await self._start()
        await self._ask(client, "POST", "/sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        await self._ask(client, "POST", f"/secret/data/{PATH}", {"data": ROW})
        rules = {"secret/*": ["create", "read", "update", "list"], "sys/storage/raft/snapshot": ["read"]}
        policy = "\n".join(f'path "{path}" {{ capabilities = {json.dumps(rights)} }}' for path, rights in rules.items())
        await self._ask(client, "PUT", "/sys/policies/acl/castle", {"policy": policy})
        made = await self._ask(client, "POST", "/auth/token/create-orphan", {"policies": ["castle"], "ttl": "1h"})
        server.token = made.json()["auth"]["client_token"]
        return server

    async def new(self):
        return (await self._start())[0]


@pytest.fixture(params=["stand-in", pytest.param("OpenBao", marks=pytest.mark.lab)])
async def vaults(request, tmp_path):
    if request.param == "stand-in":
        yield StoodIn()
        return
    program = (await Toolchain().programs())["bao"]
    with ExitStack() as running:
        yield OpenBao(program, tmp_path, running)


@pytest.fixture
async def clients():
    """`clients(server, old)`: of `server`, to which what the Vault `old` held is to be given."""
    opened = []

    def of(server, old, *, restore_token=None, keys=None):
        common = {"address": server.url, "mount": "secret", "ca": None, "transport": server.transport}
        unseal_keys = [Secret(key) for key in ([old.key] if keys is None else keys)]
        own = Secret(restore_token or server.root) if restore_token != "" else None
        token = Secret(old.token)
        snapshots = VaultSnapshots(**common, token=token, restore_token=own, unseal_keys=unseal_keys)
        opened.extend((snapshots, api := VaultApi(**common, token=token)))
        return SimpleNamespace(snapshots=snapshots, api=api)

    yield of
    for one in opened:
        await one.close()


def run(client, snapshot):
    spec = Vault(address="https://vault.test:8200", mount="secret", token=SecretRef(secret="token"))
    anchor = VaultAnchor(token=SecretRef(secret="token"))
    kept = ArchiveRead("20260101T000000Z-castle", {(VAULT, "secret"): snapshot})
    return restore_vault.restore_vault(
        Restore(generation="latest"), spec, anchor, Handovers(), client.snapshots, client.api, kept, OutsideReached("")
    )  # fmt: skip


async def snapshot_of(client):
    assert await client.snapshots.state() == "full"
    return await client.snapshots.take()


async def test_from_nothing_again_and_a_second_time(vaults, clients):
    """A new Vault with other keys; what it then holds is kept again, and restored into a third."""
    old = await vaults.full()
    snapshot = await snapshot_of(clients(old, old, restore_token="unknown here"))
    assert b"canary-of-vault" not in snapshot or old.stand_in
    new = await vaults.new()
    client = clients(new, old)
    assert await client.snapshots.state() == "empty"
    assert await run(client, snapshot) == VaultRestored("secret")
    assert (await client.api.read(path=PATH))["password"].reveal() == ROW["password"]
    await client.api.set(path=PATH, name="since", value=Secret("later"))

    assert await run(client, snapshot) == VaultRestored("secret"), "again: nothing is done"
    assert await restore_vault.still(VaultRestored("secret"), client.snapshots)
    assert {*(await client.api.read(path=PATH))} == {"password", "since"}

    second = await snapshot_of(client)
    third = await vaults.new()
    client = clients(third, old)
    await run(client, second)
    assert {*(await client.api.read(path=PATH))} == {"password", "since"}


async def test_refused_where_the_keys_are_others_and_nobody_knows_them(vaults, clients):
    old, new = await vaults.full(), await vaults.new()
    snapshot = await snapshot_of(clients(old, old))
    client = clients(new, old, keys=[])
    with pytest.raises(Broken, match="restore a snapshot: the request was rejected"):
        await run(client, snapshot)
    assert await client.snapshots.state() == "empty"


async def test_refused_where_nobody_has_said_that_it_is_new(clients):
    old, new = await StoodIn().full(), await StoodIn().new()
    new.stand_in.vault.token = old.token
    client = clients(new, old, restore_token="")
    with pytest.raises(Broken, match="nobody has said that this Vault is new") as caught:
        await run(client, await snapshot_of(clients(old, old)))
    assert "anchors.vault.restore_token" in caught.value.hint
    assert new.stand_in.restored == 0


async def test_refused_where_others_would_lose_what_they_have(clients):
    old, new = await StoodIn().full(), await StoodIn().new(other_mounts=["theirs"])
    with pytest.raises(Broken, match="it holds other mounts, which a snapshot would replace: theirs"):
        await run(clients(new, old), await snapshot_of(clients(old, old)))
    assert new.stand_in.restored == 0


async def test_killed_after_the_write(clients):
    """It is sealed then, and its answer was lost: the next run opens it."""
    old, new = await StoodIn().full(), await StoodIn().new()
    snapshot = await snapshot_of(clients(old, old))

    def die():
        raise KeyboardInterrupt

    new.stand_in.dies = die
    with pytest.raises(KeyboardInterrupt):
        await run(clients(new, old), snapshot)
    assert new.stand_in.vault.sealed
    client = clients(new, old)
    assert await client.snapshots.state() == "sealed"
    await run(client, snapshot)
    assert new.stand_in.restored == 1
    assert (await client.api.read(path=PATH))["password"].reveal() == ROW["password"]


async def test_sealed_and_nobody_knows_the_keys(clients):
    old = await StoodIn().full()
    old.stand_in.vault.sealed = True
    for keys in ([], ["another"]):
        with pytest.raises(NoAnswer, match="it is sealed") as caught:
            await clients(old, old, keys=keys).snapshots.open()
        assert "anchors.vault.unseal_keys" in caught.value.hint


async def test_a_storage_that_is_not_raft(clients):
    old = await StoodIn().full()
    old.stand_in.raft = False
    with pytest.raises(Broken, match="its storage is not Raft"):
        await clients(old, old).snapshots.take()


async def test_a_token_that_may_not(clients):
    old = await StoodIn().full()
    client = clients(old, old, restore_token="")
    old.stand_in.vault.token = "another"
    with pytest.raises(Broken, match="the token was rejected") as caught:
        await client.snapshots.take()
    assert "sys/storage/raft/snapshot" in caught.value.hint
    with pytest.raises((Broken, NotYet)):
        await client.snapshots.state()
