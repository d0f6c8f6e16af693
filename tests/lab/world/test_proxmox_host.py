"""The Proxmox host of a rehearsal: its token has what SECURITY.md lists, and lab.yaml can say otherwise."""

import re
from pathlib import Path

import pytest

from paper import PaperHypervisor
from rebirth.castle import load
from rebirth.errors import SpecError
from rebirth.lab.proxmox import Rights
from rebirth.lab.proxmox_host import host, least_rights
from rebirth.lab.spec import FILE, ProxmoxHost, load_lab
from rebirth.phases.made.virtual_machines import needs
from rebirth.providers import proxmox_rights

ROOT = Path(__file__).parents[3]
CASTLE = load(ROOT / "examples" / "castle")
SPEC = CASTLE.proxmox


def documented():
    """The table of SECURITY.md, with the castle's names in it: path -> sets of privileges that are each enough."""
    names = {
        "NODE": SPEC.node,
        "IMAGE_STORAGE": SPEC.image_storage,
        "DISK_STORAGE": SPEC.disk_storage,
        "BRIDGE": SPEC.bridge,
    }
    rows = re.findall(r"^\| Proxmox, on `([^`]+)` \| (.+) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    return {
        re.sub(r"[A-Z_]{4,}", lambda name: names[name[0]], path): set(re.findall(r"`([A-Z]\w+\.[\w.]+)`", said))
        for path, said in rows
    }


def test_the_rights_of_the_lab_are_the_documented_ones():
    given, said = least_rights(CASTLE), documented()
    assert given.keys() == said.keys()
    for path, privileges in given.items():
        alternatives = {"Sys.Audit", "Sys.Modify"} if path.startswith("/nodes/") else set()
        alternatives |= {"Datastore.AllocateSpace"} if path.endswith(f"/{SPEC.image_storage}") else set()
        assert privileges <= said[path] <= privileges | alternatives


def test_the_rights_of_the_lab_are_what_the_product_asks_for():
    needed = proxmox_rights.needed(needs(CASTLE.machines, SPEC))
    rights = Rights(least_rights(CASTLE))
    assert proxmox_rights.missing(needed, {path: rights.on(path) for path in proxmox_rights.paths(needed)}) == []
    asked = {(right.path.replace("/vms/800", "/vms"), right.privilege) for right in needed}
    assert asked == {(path, one) for path, privileges in least_rights(CASTLE).items() for one in privileges}


@pytest.mark.parametrize("storage", ["local", "local-lvm"])
def test_room_and_pace_are_as_lab_yaml_says(tmp_path, storage):
    said = ProxmoxHost(storage_gib={storage: 2.5}, task_seconds=1, mib_per_second=10)
    pve = host(CASTLE, said, token="x", hypervisor=PaperHypervisor(), ca=tmp_path)
    assert pve.storages[storage].total == 5 << 29
    assert (pve.pace.task_seconds, pve.pace.bytes_per_second) == (1, 10 << 20)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("token_rights: {/vms: [VM.Everything]}", "must be a privilege of Proxmox"),
        ("token_rights: {vms: [VM.Audit]}", "must be a path of Proxmox' permissions"),
        ("storage_gib: {local: 0}", "must be more than 0"),
        ("task_seconds: -1", "must be at least 0"),
        ("speed: 3", "speed"),
    ],
)
def test_mistakes_are_named(tmp_path, text, words):
    (tmp_path / FILE).write_text(f"version: 1\nproxmox:\n  {text}\n")
    with pytest.raises(SpecError) as caught:
        load_lab(tmp_path)
    assert words in str(caught.value)
