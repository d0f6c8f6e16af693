"""What castle.yaml may say, and how it is told what it may not."""

import secrets
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from rebirth.castle import load
from rebirth.castle.reference import SecretRef
from rebirth.errors import SpecError

EXAMPLE = Path(__file__).parents[2] / "examples" / "castle"


def line_of(draft, key: str) -> int:
    lines = (draft.directory / "castle.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().lstrip("- ").startswith(f"{key}:"))


def test_the_example_loads():
    castle = load(EXAMPLE)
    assert castle.name == "tazlab-k8s"
    assert [machine.role for machine in castle.machines.nodes] == ["controlplane", "worker"]
    assert castle.engine.coredns.replicas == 2


def test_every_reference_is_found_with_its_path():
    found = dict(load(EXAMPLE).references())
    assert found["proxmox.token"] == SecretRef(secret="proxmox-api-token")
    assert "engine.vault.ca" in found
    assert "engine.direct_secrets[0].data.ca.crt" in found
    text = (EXAMPLE / "castle.yaml").read_text()
    uncommented = "\n".join(line.split("#")[0] for line in text.splitlines())
    assert len(found) == uncommented.count("{secret:")


def test_a_castle_cannot_be_changed():
    castle = load(EXAMPLE)
    with pytest.raises(ValidationError):
        castle.name = "other"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("proxmox.port", 8006, "unknown key"),
        ("machines.nodes.0.colour", "red", "unknown key"),
        ("engine.vault.token", {"secret": "a", "file": "b"}, "unknown key"),
        ("version", 2, "must be 1"),
        ("version", "1", "must be 1"),
        ("name", "Tazlab", "DNS label"),
        ("name", "-a", "DNS label"),
        ("name", "a" * 41, "at most 40"),
        ("machines.nodes.0.cores", "4", "must be a whole number"),
        ("machines.nodes.0.cores", 0, "at least 1"),
        ("machines.nodes.0.role", "master", "controlplane"),
        ("machines.nodes.0.memory_mib", 8192.5, "must be a whole number"),
        ("machines.nodes.0.memory_mib", True, "must be a whole number"),
        ("machines.nodes.0.address", "192.168.50.300", "must be an IPv4 or IPv6 address"),
        ("machines.nodes.0.address", "192.168.51.11", "outside the network 192.168.50.0/24"),
        ("machines.nodes.1.address", "192.168.50.1", "is the gateway's"),
        ("machines.gateway", "10.0.0.1", "outside the network"),
        ("machines.network", "192.168.50.7/24", "network"),
        ("machines.nodes", [], "at least 1"),
        ("machines.nameservers", [], "at least 1"),
        ("kubernetes.pod_network", "10.96.0.0/16", "overlaps"),
        ("kubernetes.pod_network", "192.168.0.0/16", "holds the address 192.168.50.11 of the machine lushycorp-k8s"),
        ("kubernetes.cluster_dns", "10.244.0.10", "outside service_network"),
        ("kubernetes.version", "1.35.4", "such as v1.35.4"),
        ("kubernetes.endpoint", "http://192.168.50.11:6443", "https URL"),
        ("kubernetes.endpoint", "https://user:pw@192.168.50.11:6443", "https URL"),
        ("kubernetes.endpoint", "https://host:port", "https URL"),
        ("kubernetes.service_account.issuers", [], "at least 1"),
        ("tailscale.node_key.tags", ["tazlab-k8s"], "such as tag:my-castle"),
        ("tailscale.node_key.ttl_seconds", 5, "at least 60"),
        ("tailscale.node_key.ephemeral", "no", "must be true or false"),
        ("proxmox.vm_ids", {"first": 900, "last": 800}, "smaller than"),
        ("proxmox.vm_ids", {"first": 800, "last": 800}, "fewer ids than there are machines"),
        ("proxmox.vm_ids.first", 99, "at least 100"),
        ("proxmox.tag", "Castle", "in lower case"),
        ("secrets.produced", "../elsewhere", "below the vault directory"),
        ("secrets.produced", "/etc", "below the vault directory"),
        ("gitops.path", "../../etc", "inside the repository"),
        ("gitops.interval", "1 minute", "such as 1m"),
        ("gitops.variables", {"a-b": "c"}, "name of a variable"),
        ("gitops.variables", {"A": 1}, "string"),
        ("networking.pool.addresses", ["192.168.50.220-192.168.50.200"], "ends before it starts"),
        ("networking.pool.addresses", ["some"], "FIRST-LAST"),
        ("talos.schematic", "abc", "must be the 64-digit id from factory.talos.dev, or `extensions` and `kernel_args`"),
        ("storage.chart", "ceph", "longhorn"),
        ("handovers.0.ready.kind", "Pod", "Deployment"),
        ("online.sites", [], "at least 1"),
        ("online.sites.0.path", "blog", "begins with /"),
        ("online.sites.0.status", 700, "at most 599"),
        ("proxmox.token", "a-token", "write `{secret: NAME}` and put the token into the file NAME"),
        ("version", True, "must be 1"),
        ("machines.nodes.0.memory_mib", 10**400, "at most 4194304"),
        ("machines.nodes.0.disk_gib", 10**400, "at most 131072"),
        ("engine.coredns.replicas", 10**400, "at most 100"),
        ("engine.coredns.image", " ", "image reference"),
        ("talos.installer", "an image", "image reference"),
        ("proxmox.node", " ", "not blank"),
        ("online.sites.0.contains", "", "at least 1 character"),
        ("secrets.produced", ".", "below the vault directory"),
        ("secrets.produced", "./", "below the vault directory"),
        ("proxmox.token", {"secret": "../outside"}, "file below the vault directory"),
        ("proxmox.token", {"secret": "/etc/passwd"}, "file below the vault directory"),
        ("proxmox.token", {"secret": ""}, "file below the vault directory"),
        ("proxmox.token", None, "write `{secret: NAME}` and put the token into the file NAME"),
    ],
)
def test_one_wrong_value_is_one_problem_with_line_and_path(draft, path, value, said):
    draft[path] = value
    (problem,) = draft.refused()
    assert problem.file == str(draft.directory / "castle.yaml")
    assert problem.line > 0
    assert problem.path.split(".")[0].split("[")[0] in {path.split(".")[0], ""}
    assert said in problem.message


@pytest.mark.parametrize(
    "path", ["name", "proxmox.token", "machines.nodes.1.address", "machines", "engine.vault.address"]
)
def test_what_is_missing_is_named(draft, path):
    del draft[path]
    (problem,) = draft.refused()
    assert problem.message == "is missing"
    assert problem.path == path.replace(".1.", "[1].")


@pytest.mark.parametrize(
    ("path", "key", "near"),
    [
        ("proxmox", "bridges", "bridge"),
        ("machines.nodes.1", "memory_mb", "memory_mib"),
        ("engine.vault.ca", "secrets", "secret"),
        ("handovers.0", "form", "from"),
        ("", "gitop", "gitops"),
        ("engine.coredns", "xyz", ""),
    ],
)
def test_a_mistyped_key_is_told_what_it_may_have_been_meant_to_be(draft, path, key, near):
    draft[f"{path}.{key}".lstrip(".")] = "x"
    (problem,) = draft.refused()
    assert problem.path == f"{path}.{key}".lstrip(".").replace(".0", "[0]").replace(".1", "[1]")
    assert problem.message == "unknown key" + (f"; did you mean {near}?" if near else "")


@pytest.mark.parametrize("number", ["1:30", "0:01:30", "010", "1_000.5"])
def test_a_number_that_another_reader_takes_for_another_is_no_number(draft, number):
    text = EXAMPLE.joinpath("castle.yaml").read_text().replace("cores: 4,", f"cores: {number},")
    with pytest.raises(SpecError) as caught:
        draft.load_text(text)
    (problem,) = caught.value.problems
    assert number in text.splitlines()[problem.line - 1]
    assert "number" in problem.message


def test_all_problems_are_told_at_once(draft):
    draft["name"] = "No Name"
    draft["proxmox.port"] = 8006
    draft["kubernetes.version"] = "latest"
    del draft["online.ingress"]
    assert {problem.path for problem in draft.refused()} == {
        "name", "proxmox.port", "kubernetes.version", "online",
    }  # fmt: skip


@pytest.mark.parametrize("what", ["name", "address"])
def test_two_machines_that_are_one(draft, what):
    draft[f"machines.nodes.1.{what}"] = draft[f"machines.nodes.0.{what}"]
    (problem,) = draft.refused()
    assert f"two machines have the {what}" in problem.message
    assert problem.path == f"machines.nodes[1].{what}"
    lines = (draft.directory / "castle.yaml").read_text().splitlines()
    holding = [
        number for number, line in enumerate(lines, 1) if line.endswith(f"{what}: {draft[f'machines.nodes.1.{what}']}")
    ]
    assert problem.line == holding[1], "the second one's line"


@pytest.mark.parametrize(("count", "sound"), [(0, False), (1, True), (2, False), (3, True), (4, False), (5, True)])
def test_control_planes_are_odd_in_number(draft, count, sound):
    (plane, worker) = draft["machines.nodes"]
    draft["machines.nodes"] = [
        *({**plane, "name": f"cp-{n}", "address": f"192.168.50.{30 + n}"} for n in range(count)),
        worker,
    ]
    if sound:
        assert len(draft.load().machines.control_planes) == count
    else:
        (problem,) = draft.refused()
        assert problem.path == "machines"
        assert "control plane" in problem.message or "controlplane" in problem.message


def test_the_line_is_the_value_s_own(draft):
    draft["machines.nodes.1.address"] = "192.168.51.21"
    (problem,) = draft.refused()
    text = (draft.directory / "castle.yaml").read_text().splitlines()
    assert problem.path == "machines.nodes[1].address"
    assert "192.168.51.21" in text[problem.line - 1]


def test_problems_are_sorted_as_they_stand_in_the_file(draft):
    draft["name"] = 5
    draft["secrets.colour"] = "red"
    draft["online.sites.0.status"] = "ok"
    draft["proxmox.node"] = 7
    lines = [problem.line for problem in draft.refused()]
    assert all(left <= right for left, right in pairwise(lines))


# -- a secret typed where none belongs is never printed


@pytest.mark.parametrize(
    "path",
    [
        "proxmox.token",
        "proxmox.token.secret",
        "tailscale.oauth_client_secret",
        "engine.vault.token",
        "engine.vault.address",
        "engine.direct_secrets.1.data",
        "engine.pull_secrets.0.password",
        "machines.nodes.0.address",
        "machines.network",
        "machines.nodes.0.role",
        "networking.pool.addresses.0",
        "kubernetes.version",
        "proxmox",
        "online",
        "name",
        "version",
        "gitops.repository",
        "tailscale.node_key.tags.0",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(draft, path):
    canary = f"{secrets.token_hex(12)} {secrets.token_hex(12)}"
    draft[path] = canary
    for problem in draft.refused():
        assert not any(part in f"{problem} {problem.hint}" for part in canary.split())


@pytest.mark.parametrize(
    "line",
    [
        "token: {CANARY",
        "token: *CANARY",
        "token: 'CANARY",
        'token: "\\qCANARY"',
        "token: !CANARY x",
        "CANARY",
        "- CANARY",
        "\ttoken: CANARY",
        "token: a: CANARY",
        "%CANARY",
        "token: @CANARY",
        "token: CANARY\x07",
        "? [CANARY]\n: x",
        "? {CANARY: 1}\n: x",
        "token: CANARY\n--- CANARY",
    ],
)
def test_a_secret_in_broken_yaml_is_not_shown(draft, line):
    canary = secrets.token_hex(12)
    with pytest.raises(SpecError) as caught:
        draft.load_text("version: 1\n" + line.replace("CANARY", canary) + "\n")
    assert canary not in f"{caught.value} {caught.value.hint}"


def test_a_reference_shows_its_variable():
    assert SecretRef(secret="lushycorp-vault/ca.crt").variable == "REBIRTH_SECRET_LUSHYCORP_VAULT_CA_CRT"


def test_the_example_survives_a_round_through_yaml(draft):
    assert draft.load() == load(EXAMPLE)
    assert yaml.safe_load((EXAMPLE / "castle.yaml").read_text()) == draft.document
