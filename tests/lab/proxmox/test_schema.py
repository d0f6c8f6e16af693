"""What the stand-in declares of itself is what is published of Proxmox VE: paths, parameters, rights; and the oracle itself can fail."""

import re
from pathlib import Path

import pytest

from pve_schema import check, endpoints, judge, request_errors
from rebirth.lab.proxmox import METHODS
from rebirth.lab.proxmox.forms import IP_CONFIG, PCI, STARTUP, Parts
from rebirth.lab.proxmox.recording import Exchange
from rebirth.lab.proxmox.rights import All, Either, Perm


def published(method):
    return endpoints()[method.path][method.verb]


def shown(kind):
    """A published parameter as the stand-in would declare it."""
    limits = {name: float(kind[name]) for name in ("minimum", "maximum") if name in kind}
    plain = {name: kind[name] for name in ("maxLength", "requires") if name in kind}
    plain |= {"pattern": kind["pattern"].replace("(?^:", "(?:")} if "pattern" in kind else {}
    form = kind["format"] if isinstance(kind.get("format"), dict) else {}
    return limits | plain | {
        "type": kind.get("type", "string"),
        "required": not kind.get("optional"),
        "enum": tuple(kind.get("enum") or ()),
        "parts": frozenset(form),
    }  # fmt: skip


def declared(kind):
    found = {"minimum": kind.least, "maximum": kind.most, "maxLength": kind.longest}
    found |= {"pattern": kind.pattern or None, "requires": kind.needs or None}
    # Of some forms no more than the name is published.
    parts = (
        kind.form.keys if isinstance(kind.form, Parts) and kind.form not in (IP_CONFIG, PCI, STARTUP) else frozenset()
    )
    return {name: value for name, value in found.items() if value is not None} | {
        "type": kind.type, "required": kind.required, "enum": kind.choices, "parts": parts,
    }  # fmt: skip


def rights(allowed):
    """As Proxmox writes them."""
    match allowed:
        case Perm():
            return ["perm", allowed.path, list(allowed.privileges), *(["any", 1] if allowed.any else [])]
        case All():
            return ["and", *map(rights, allowed.checks)]
        case Either():
            return ["or", *map(rights, allowed.checks)]


METHOD = pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.verb} {method.path}")


@METHOD
def test_parameters_are_the_published_ones(method):
    in_path = set(re.findall(r"\{(\w+)\}", method.path))
    theirs = published(method)["parameters"].get("properties", {})
    assert {name: declared(kind) for name, kind in method.parameters.items()} == {
        name: shown(kind) for name, kind in theirs.items() if name not in in_path
    }
    assert in_path <= theirs.keys()


@METHOD
def test_rights_are_the_published_ones(method):
    said = published(method)["permissions"]
    if method.allowed is None:
        assert said["user"] == "all"
    else:
        assert rights(method.allowed) == said["check"]


# -- the oracle


def exchange(verb, path, status=200, answer=None, **given):
    return Exchange(verb, f"/api2/json{path}", given, status, answer)


REFUSED = {"data": None, "message": "Parameter verification failed.\n"}
ROW = {"vmid": 800, "status": "running", "name": "x"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (exchange("GET", "/version", answer={"data": {"version": "9"}}), "data.release: is missing"),
        (exchange("GET", "/nodes/pve/qemu", answer={"data": [ROW | {"colour": 1}]}), r"data\[0\].colour: is not published"),
        (exchange("GET", "/nodes/pve/qemu", answer={"data": [ROW | {"status": "on"}]}), "status: 'on' is none of"),
        (exchange("GET", "/nodes/pve/qemu", answer={"data": [ROW | {"vmid": 8}]}), "vmid: 8 is less than 100"),
        (exchange("GET", "/nodes/pve/qemu", answer=[]), "without an object"),
        (exchange("GET", "/nodes/pve/qemu", 501, {"data": None, "message": "no\n"}), "is published, and not implemented"),
        (exchange("GET", "/nodes/pve/nothing", answer={"data": 1}), "is not published, and yet"),
        (exchange("DELETE", "/nodes/pve/qemu/800", answer={"data": "UPID:"}, force=1), "takes what the schema refuses"),
        (exchange("DELETE", "/nodes/pve/qemu/800", 400, REFUSED, force=1), "does not say what is wrong"),
        (exchange("DELETE", "/nodes/pve/qemu/800", 500, {"data": None, "message": "no newline"}), "in another form"),
    ],
)  # fmt: skip
def test_a_violation_is_seen(said, words):
    assert re.search(words, " ".join(judge(said).wrong))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {}),
        ({"scsix": "local:1"}, {"scsix"}),
        ({"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1"}, {}),
        ({"net0": "model=virtio,macaddr=BC:24:11:00:00:01"}, {}),
        ({"net0": "bridge=vmbr0"}, {"net0"}),
        ({"net0": "virtio=BC:24:11:00:00:0Z"}, {"net0"}),
        ({"net0": "virtio,colour=red"}, {"net0"}),
        ({"agent": "1"}, {}),
        ({"agent": "perhaps"}, {"agent"}),
        ({"scsi0": "local-lvm:40,iothread=1,discard=on"}, {}),
        ({"scsi0": "local-lvm:40,cache=always"}, {"scsi0"}),
        ({"boot": "order=scsi0;ide2"}, {}),
        ({"boot": "order=scsi0,ide2"}, {"boot"}),
        ({"cores": "0"}, {"cores"}),
        ({"onboot": "yes"}, {"onboot"}),
        ({"onboot": True}, {}),
        ({"force": 1}, {"archive"}),
        ({"vmid": None}, {"vmid"}),
        ({"colour": "red"}, {"colour"}),
    ],
)
def test_what_is_asked_wrongly_is_named(given, wrong):
    asked = {"node": "pve", "vmid": 800} | given
    assert set(request_errors(endpoints()["/nodes/{node}/qemu"]["POST"], asked)) == set(wrong)


def test_values_are_read_as_proxmox_reads_them():
    wrong = {}
    check(
        {"a": "12", "b": 1},
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}},
        "",
        wrong,
    )
    assert wrong == {}


def test_every_test_of_the_stand_in_is_watched():
    """Whoever serves it in a test does so inside of `published.around`."""
    here = Path(__file__)
    for file in here.parents[2].rglob("*.py"):
        served = re.findall(r"(\S*)proxmox_app\(", file.read_text(encoding="utf-8"))
        assert all(before.endswith("published.around(") for before in served) or file in {
            here,
            here.parents[2] / "watching.py",
        }
