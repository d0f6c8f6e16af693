"""Machines that somebody else made."""

import pytest


@pytest.fixture
def existing(draft):
    del draft["proxmox"]
    draft["existing"] = {}
    return draft


def test_they_have_their_addresses_and_boot_a_plain_talos(existing):
    castle = existing.load()
    assert castle.proxmox is None
    assert castle.existing.reset_on_destroy
    assert castle.machines.addressing == "existing"
    assert castle.machines.platform == "metal"
    assert castle.machines.reservations(castle.name) == {}


@pytest.mark.parametrize(
    ("path", "value", "at", "said"),
    [
        ("existing.reset_on_destro", False, "existing.reset_on_destro", "unknown key; did you mean reset_on_destroy?"),
        ("machines.addressing", "cloud-init", "machines.addressing", "have their addresses already"),
        ("machines.nodes.1.disks", [{"name": "data", "size_gib": 10}], "machines", "made by Proxmox"),
    ],
)
def test_what_only_proxmox_could_give_them(existing, path, value, at, said):
    existing[path] = value
    (problem,) = existing.refused()
    assert problem.path == at
    assert said in problem.message


def test_one_platform(draft):
    draft["existing"] = {}
    (problem,) = draft.refused()
    assert (problem.path, "choose one" in problem.message) == ("existing", True)


def test_no_platform(draft):
    del draft["proxmox"]
    (problem,) = draft.refused()
    assert "`existing: {}` where somebody else made them" in problem.message


def test_proxmox_gives_addresses_itself(draft):
    draft["machines.addressing"] = "existing"
    (problem,) = draft.refused()
    assert problem.path == "machines.addressing"
