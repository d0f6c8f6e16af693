"""Destroy, on an outside that a castle was created in: all of it goes, nothing else does, and a lost journal loses nothing."""

import datetime as dt
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from phases.conftest import REACHED
from phases.ruins import LEFT, files_left, killed_when, names_left
from rebirth.castle import Identity
from rebirth.errors import SpecError
from rebirth.events import PhaseDone
from rebirth.lab.proxmox import Volume
from rebirth.lab.systems.faults import Fault
from rebirth.phases.mint_node_key import mint_node_key
from rebirth.run.journal import Journal, Marks

AWAY = {"hang-up": Fault(die=True), "503": Fault(status=503), "500": Fault(status=500)}


async def test_all_of_it_and_nothing_else(outside, ruin):
    left = await ruin()
    assert (left.goes, left.outcome.failures) == ([], {})
    assert names_left(outside) == LEFT
    assert files_left(outside) == []
    assert sorted(outside.pve.hypervisor.destroyed) == [800, 801]
    assert "removed the machine lushycorp-k8s (800)" in ruin.said
    assert len([line for line in ruin.said if line.startswith("removed the device")]) == 3
    before = outside.writes
    await ruin()
    assert outside.writes == before, "there was nothing to remove"


@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe\n", b"{}\n{", b'{"kind"'])
async def test_a_journal_that_says_nothing(outside, ruin, garbage):
    file = outside.paths.state / "journal.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(garbage)
    assert (await ruin.destruction(Journal(file.parent).glimpse()).look()).goes
    assert file.read_bytes() == garbage
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


async def test_a_look_writes_nothing(outside, ruin):
    state = outside.paths.state
    found = await ruin.destruction(Journal(state).glimpse()).look()
    assert [one.identity for one in found.goes if one.kind == "machine"] == ["800", "801"]
    assert {one.kind for one in found.goes} == {"machine", "device", "key", "file"}
    assert (outside.writes, state.exists()) == ({}, False)


async def test_what_comes_back_meanwhile_is_found_by_the_last_look(outside, ruin):
    def somebody_creates(event):
        if isinstance(event, PhaseDone) and event.phase == "undo_create_machines" and names_left(outside)[0] == [802]:
            outside.pve.machines[803] = {**outside.pve.machines[802], "tags": outside.castle.proxmox.tag}
            outside.pve.conditions[803] = outside.pve.conditions[802]

    ruin.when = somebody_creates
    left = await ruin()
    assert [one.identity for one in left.goes] == ["803"]
    (error,) = left.outcome.failures.values()
    assert "still there: the machine lushycorp-k8s (803)" in str(error)
    ruin.when = lambda _: None
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


async def test_what_stays_is_said(outside, ruin):
    volume = f"local:iso/{outside.image}"
    outside.pve.storage("local").volumes[volume] = Volume("iso", 1 << 20)
    left = await ruin()
    stays = {one.kind: one for one in left.stays}
    assert stays.keys() == {"boot image", "key", "value"}
    assert stays["boot image"].name == volume
    assert "other castles" in stays["boot image"].stays
    assert stays["key"].name == "rebirth other"
    assert stays["value"].name == "GRAFANA_DB_PASSWORD of tazlab-k8s/static/monitoring/grafana"
    assert volume in outside.pve.storage("local").volumes


@pytest.mark.parametrize("system", ["proxmox", "tailscale"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_answer_that_gets_lost(outside, ruin, system, method):
    """A request is carried out, but what it said is lost: destroy looks again, and goes on."""
    outside.faults.set(system, Fault(lose=True, times=1, method=method))
    await ruin()
    assert names_left(outside) == LEFT


@pytest.mark.parametrize("writes", range(1, 8))
async def test_killed_after_each_write_and_run_again(outside, ruin, writes):
    """Seven writes: one machine is stopped, two are removed, and so are three devices and a key."""
    await killed_when(ruin, lambda: sum(outside.writes.values()) >= writes)
    left = await ruin()
    assert left.outcome.ok
    assert names_left(outside) == LEFT
    assert files_left(outside) == []


async def test_a_machine_that_is_still_being_created(outside, ruin):
    whole, condition = outside.pve.machines[801], outside.pve.conditions[801]
    outside.pve.machines[801], condition.lock = {"name": "VM 801"}, "create"
    left = await ruin(patience=3.0)
    (error,) = left.outcome.failures.values()
    assert "Proxmox is still creating the machine 801" in str(error)
    assert outside.writes == {}
    outside.pve.machines[801], condition.lock = whole, None
    await ruin()
    assert names_left(outside) == LEFT


@pytest.mark.parametrize("fault", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize(("system", "path"), [("proxmox", "/nodes"), ("tailscale", "/tailnet")])
async def test_an_outside_that_does_not_answer(outside, ruin, system, path, fault):
    outside.faults.set(system, Fault(**{**vars(fault), "path": path}))
    left = await ruin(patience=4.0)
    errors = "\n".join(map(str, left.outcome.failures.values())).lower()
    assert f"{system}: list " in errors
    assert any(f"{system}: list " in line.lower() for line in ruin.waited), "what is waited for is said meanwhile"
    assert outside.writes == {}, "nothing goes before everything was looked at"
    assert len(files_left(outside)) == 3, "what was not proven gone keeps its credentials"
    outside.faults.set(system, Fault(**{**vars(fault), "path": path, "times": 1}))
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


@pytest.mark.parametrize("fault", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("system", ["proxmox", "tailscale"])
async def test_an_outside_that_goes_away_in_between(outside, ruin, system, fault):
    outside.faults.set(system, Fault(**{**vars(fault), "method": "DELETE", "times": 1}))
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT
    assert ruin.waited


async def test_a_machine_that_will_not_go(outside, ruin):
    outside.pve.machines[801]["protection"] = "1"
    left = await ruin(patience=20.0)
    said = [str(error) for error in left.outcome.failures.values()]
    assert any("protection mode enabled" in words for words in said)
    assert len(files_left(outside)) == 3, "the machine that is there keeps its credentials"
    del outside.pve.machines[801]["protection"]
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


async def test_its_budget_is_for_looks_and_removals_together(outside, ruin):
    slow = Fault(delay=40, path="/nodes", times=1)
    with Journal(outside.paths.state) as journal:
        destruction = ruin.destruction(journal, budget=60)
        outside.faults.set("proxmox", slow)
        found = await destruction.look()
        assert found.outcome.ok, "there is the time for one such look"
        outside.faults.set("proxmox", slow)
        left = await destruction.remove(found)
    said = "\n".join(map(str, left.outcome.failures.values()))
    assert re.search("gave up after [12]?[0-9] s|budget is used up", said), "not for two"
    assert outside.writes == {}
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


async def test_machines_under_an_earlier_tag(outside, ruin):
    """create has noted the tag before it made them; castle.yaml names another by now."""
    with Journal(outside.paths.state) as journal:
        Marks(journal).add("tag of machines", outside.castle.proxmox.tag)
    outside.castle = outside.castle.model_copy(
        update={"proxmox": outside.castle.proxmox.model_copy(update={"tag": "castle-renamed"})}
    )
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


# -- secrets


@pytest.mark.parametrize("lost", ["lushycorp-vault/eso-token", "lushycorp-vault/ca.crt", "github-token"])
async def test_a_secret_that_removal_does_not_need(outside, ruin, lost):
    (outside.paths.vault / lost).unlink()
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


def _expired() -> str:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, long_ago, long_ago + dt.timedelta(1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


async def test_an_expired_authority_of_vault(outside, ruin):
    reference = outside.castle.engine.vault.ca
    (outside.paths.vault / reference.secret).write_text(_expired())
    assert (await ruin()).outcome.ok
    assert names_left(outside) == LEFT


async def test_a_secret_that_removal_needs(outside, ruin):
    for file in outside.paths.vault.rglob("*"):
        if file.is_file() and file.name not in {"proxmox-api-token", "proxmox-ca.crt"}:
            file.unlink()
    with pytest.raises(SpecError) as caught:
        await ruin()
    missing = sorted(problem.file.rpartition("/")[2] for problem in caught.value.problems)
    assert missing == ["tailscale-oauth-client-id", "tailscale-oauth-client-secret"]
    assert outside.writes == {}


# -- a castle that was renamed


async def test_keys_under_the_castles_earlier_name(outside, ruin):
    """What was minted under another name is known by the journal; where that is lost, it is said to stay."""
    with Journal(outside.paths.state) as journal:
        await mint_node_key(
            Identity(name="other"),
            outside.castle.tailscale,
            outside.tailscale,
            outside.redaction,
            Marks(journal),
            REACHED,
        )
    left = await ruin()
    assert left.outcome.ok
    assert names_left(outside)[2] == ["somebody's"]
    assert "key" not in {one.kind for one in left.stays}
