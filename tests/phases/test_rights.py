"""Rights of the three tokens: asked before anything is made, and named one by one."""

import pytest

from rebirth.castle import FluxByOperator, Handovers
from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.lab.proxmox import Rights
from rebirth.lab.systems.faults import Fault
from rebirth.lab.tailscale import OAuthClient
from rebirth.phases import reach_outside
from rebirth.phases.connections import vault_api
from rebirth.providers.anchors.snapshots import VaultSnapshots
from rebirth.run.facts import ArchiveRead, RepositoryRead
from rebirth.secrets import Secret
from standins.raft import Raft
from standins.vault import Vault, vault_app

EVERYTHING = frozenset({
    "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit", "SDN.Use", "Sys.AccessNetwork", "VM.Allocate",
    "VM.Audit", "VM.Config.CPU", "VM.Config.Disk", "VM.Config.HWType", "VM.Config.Memory",
    "VM.Config.Network", "VM.Config.Options", "VM.PowerMgmt",
})  # fmt: skip
REPOSITORY = RepositoryRead("0" * 40, ())


@pytest.fixture
async def reach(outside, serve, tmp_path, monkeypatch):
    """`await reach()`: the phase, with all programs there; `reach.vault` is its Vault."""
    castle = outside.castle
    paper = Vault(outside.secrets[castle.engine.vault.token].reveal())
    served = await serve(outside.faults.around("vault", vault_app(paper)))
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("talosctl", "helm"):
        (programs / name).touch(0o755)
    monkeypatch.setenv("PATH", str(programs))
    vault = vault_api(castle.engine.vault.model_copy(update={"address": served.url}), outside.secrets)

    class Reach:
        def __init__(self):
            self.vault, self.programs = paper, programs
            self.snapshots = self.kept = None

        async def __call__(self, repository=REPOSITORY, flux_operator=None):
            return await reach_outside.reach_outside(
                castle.proxmox, castle.tailscale, castle.machines, Handovers(handovers=castle.handovers), outside.paths,
                outside.proxmox, outside.tailscale, vault, Commands(outside.redaction), repository, flux_operator,
                self.snapshots, self.kept,
            )  # fmt: skip

    yield Reach()
    await vault.close()


async def test_from_nothing_and_again_without_a_write(outside, reach):
    outside.pve.rights = Rights({"/": EVERYTHING})
    assert (await reach()).proxmox == "9.2.4"
    await reach()
    assert outside.writes == {}


@pytest.mark.parametrize("privilege", sorted(EVERYTHING - {"Datastore.Audit"}))
async def test_each_right_of_proxmox_that_is_missing_is_named(outside, reach, privilege):
    outside.pve.rights = Rights({"/": EVERYTHING - {privilege}})
    with pytest.raises(Broken, match=f"missing rights: Proxmox: .*{privilege} on /") as caught:
        await reach()
    assert "API Token Permission" in caught.value.hint
    assert outside.writes == {}


async def test_all_that_is_missing_is_named_at_once(outside, reach):
    outside.pve.rights = Rights({"/": EVERYTHING - {"VM.PowerMgmt", "SDN.Use"}})
    client = outside.tailnet.clients[0]
    outside.tailnet.clients[0] = OAuthClient(
        client.identity, client.secret, scopes=frozenset({"devices:core"}), tags=client.tags
    )
    reach.vault.capabilities = frozenset({"read", "create"})
    with pytest.raises(Broken) as caught:
        await reach()
    path = f"secret/data/{outside.castle.handovers[0].to.path}"
    assert str(caught.value) == (
        "look up rights: missing rights: Proxmox: SDN.Use on /sdn/zones/localnetwork/vmbr0, VM.PowerMgmt on /vms/800; "
        f"Tailscale: auth_keys; Vault: update on {path}"
    )
    assert all(f"{system}:" in caught.value.hint for system in ("Proxmox", "Tailscale", "Vault"))


@pytest.mark.parametrize(
    ("given", "enough"),
    [
        ({"Sys.Audit", "Sys.Modify"}, True),  # what Proxmox VE asked for before it had Sys.AccessNetwork
        ({"Sys.Audit"}, False),
        ({"Sys.Modify"}, False),
    ],
)
async def test_rights_to_fetch_from_the_network(outside, reach, given, enough):
    outside.pve.rights = Rights({"/": (EVERYTHING - {"Sys.AccessNetwork"}) | given})
    if enough:
        await reach()
        return
    with pytest.raises(Broken, match=r"Sys.AccessNetwork on /nodes/pve \(or Sys.Audit on / and Sys.Modify on /\)"):
        await reach()


async def test_a_token_without_any_right(outside, reach):
    outside.pve.rights = Rights({"/": frozenset()})
    with pytest.raises(Broken, match=r"VM\.Allocate on /vms/800"):
        await reach()


@pytest.mark.parametrize("scopes", [{"all"}, {"auth_keys", "devices"}])
async def test_wider_scopes_do_as_well(outside, reach, scopes):
    client = outside.tailnet.clients[0]
    outside.tailnet.clients[0] = OAuthClient(client.identity, client.secret, scopes=frozenset(scopes), tags=client.tags)
    await reach()


async def test_a_name_that_somebody_holds_is_seen_before_anything_is_made(outside, reach):
    outside.control.add_device("lushycorp-k8s", tags=("tag:theirs",))
    with pytest.raises(Broken, match="the name lushycorp-k8s belongs to"):
        await reach()
    assert outside.writes == {}


async def test_a_program_that_is_not_there(reach):
    (reach.programs / "helm").unlink()
    with pytest.raises(Broken, match="helm is not on PATH"):
        await reach()
    with pytest.raises(Broken, match="helm, flux are not on PATH"):
        await reach(RepositoryRead("0" * 40, None))
    with pytest.raises(Broken, match="helm is not on PATH"):
        await reach(RepositoryRead("0" * 40, None), FluxByOperator(operator={"version": "0.33.0"}))


@pytest.mark.parametrize("system", ["proxmox", "tailscale", "vault"])
async def test_a_system_that_does_not_answer(outside, reach, system):
    outside.faults.set(system, Fault(die=True))
    with pytest.raises(NotYet, match=system.capitalize()) as caught:
        await reach()
    assert caught.value.hint
    assert outside.writes == {}


async def test_a_vault_that_is_to_be_restored_need_not_know_the_castles_token(reach):
    """It knows it when it has what was kept; one that others use is refused before anything is made."""

    def snapshots(**how):
        raft = Raft(Vault("of nobody"), mounted=False, **how)
        common = {"address": "https://vault.test", "mount": "secret", "ca": None, "unseal_keys": [], "transport": raft}
        return VaultSnapshots(**common, token=Secret("x"), restore_token=Secret(raft.root))

    reach.vault.token = "another"
    with pytest.raises(Broken, match="the token was rejected"):
        await reach()
    reach.snapshots = snapshots()
    with pytest.raises(Broken, match="the token was rejected"):
        await reach()
    reach.kept = ArchiveRead("20260101T000000Z-castle", {})
    assert await reach()
    reach.snapshots = snapshots(other_mounts=["theirs"])
    with pytest.raises(Broken, match="it holds other mounts"):
        await reach()
