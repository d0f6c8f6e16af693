"""`init`: a castle.yaml that can be checked, which says where everything comes from; nothing that is there is changed."""

import asyncio
import re

import pytest

from init.test_opentofu import TOFU
from init.test_readers import TALCONFIG
from rebirth.castle import load
from rebirth.errors import SpecError
from rebirth.proof.prove import prove
from trees import lay as lay_flux


def lay(ground):
    """What somebody has who made the machines with talhelper and OpenTofu."""
    ground.write("talos/talconfig.yaml", TALCONFIG)
    for name, text in TOFU.items():
        ground.write(name, text)


def test_every_value_says_where_it_comes_from(ground):
    lay(ground)
    ground.start()
    written = [line for line in ground.castle.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    values = [line for line in written if not re.fullmatch(r" *\w+:", line) and not line.lstrip().startswith("- {")]
    assert values
    assert [line for line in values if "  # " not in line] == []
    assert "endpoint: https://pve3.example:8006  # tofu/terraform.tfvars:4" in ground.castle
    assert "bridge: vmbr7  # tofu/main.tf:12" in ground.castle


def test_sources_that_disagree_are_both_named(ground):
    lay(ground)
    ground.start()
    assert "# another is in tofu/terraform.tfvars:7: tofu-home\nname: home  # talos/talconfig.yaml:1" in ground.castle


def test_what_is_open_is_a_line_that_is_named(ground):
    started = ground.start()
    named = {problem.path: problem for problem in started.problems}
    assert named["proxmox.endpoint"].message.startswith("has no value: must be")
    line = ground.castle.splitlines()[named["proxmox.endpoint"].line - 1]
    assert line == "  endpoint:  # TODO: The URL of the Proxmox API, such as `https://pve.example:8006`."
    assert set(re.findall(r"^ *(\w+):  # TODO", ground.castle, re.MULTILINE)) == {
        path.rpartition(".")[2] for path in named
    }


def test_no_secret_comes_along(ground):
    lay(ground)
    ground.start()
    assert "very-secret" not in ground.castle
    assert "very.secret" not in ground.castle


def test_an_answer_that_is_refused_is_asked_for_again(ground):
    started = ground.start(proxmox__endpoint="pve.lan")
    assert ground.asked.count("proxmox.endpoint") == 2
    assert "proxmox.endpoint" in {problem.path for problem in started.problems}


def test_machines_by_their_addresses(ground):
    ground.start("name=home", machines__nodes="10.0.0.11, 10.0.0.12 10.0.0.13 / 10.0.0.21")
    castle = ground.castle
    assert re.findall(r"name: (home-\S+), role: (\w+), address: ([\d.]+)", castle) == [
        ("home-cp-1", "controlplane", "10.0.0.11"),
        ("home-cp-2", "controlplane", "10.0.0.12"),
        ("home-cp-3", "controlplane", "10.0.0.13"),
        ("home-worker-1", "worker", "10.0.0.21"),
    ]
    assert "network: 10.0.0.0/24  # assumed: a /24 around the first machine" in castle


def test_machines_that_are_counted(ground):
    started = ground.start(
        "machines.control_planes={count: 3, first_address: 10.0.0.11}",
        proxmox__endpoint="https://pve.example:8006",
        gitops__repository="https://git.example/home.git",
    )
    assert started.problems == []
    assert "machines.nodes" not in ground.asked
    assert [str(node.address) for node in load(ground.folder).machines.nodes] == ["10.0.0.11", "10.0.0.12", "10.0.0.13"]
    assert "endpoint: https://10.0.0.11:6443  # assumed: the first control plane" in ground.castle


def test_machines_that_somebody_else_made(ground):
    """They need no Proxmox, and what was found of one is left out."""
    ground.write("main.tfvars", 'proxmox_endpoint = "https://pve.example:8006"\n')
    started = ground.start(
        "existing={}", machines__nodes="10.0.0.11", gitops__repository="https://git.example/home.git"
    )
    assert started.problems == []
    assert ground.asked == ["machines.nodes", "gitops.repository"]
    assert "existing: {}  # answered\n" in ground.castle
    assert "pve.example" not in ground.castle
    assert load(ground.folder).proxmox is None


def test_machines_beforehand(ground):
    lay(ground)
    ground.start("machines.nodes=10.0.0.11 / 10.0.0.21")
    assert "machines.nodes" not in ground.asked
    assert re.findall(r"role: (\w+), address: ([\d.]+)", ground.castle) == [
        ("controlplane", "10.0.0.11"),
        ("worker", "10.0.0.21"),
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("machines.nodes=ten", "machines.nodes: ten is no address"),
        ("proxmox=5", "proxmox is a section"),
        ("machines={network: 10.0.0.0/24, control_planes: 3}", "machines.control_planes is a section"),
    ],
)
def test_answers_of_another_shape(ground, answer, said):
    with pytest.raises(SpecError, match=re.escape(said)):
        ground.start(answer)
    assert not (ground.folder / "castle.yaml").exists()


@pytest.mark.parametrize("answers", [["proxmox={}"], ["existing={}", "existing.reset_on_destroy=false"], ["engine={}"]])
def test_an_empty_section_can_have_something_in_it(ground, answers):
    replies = {"machines__nodes": "10.0.0.11", "proxmox__endpoint": "https://pve.example:8006"}
    started = ground.start(*answers, gitops__repository="https://git.example/home.git", **replies)
    assert started.problems == []


def test_what_nothing_asks_for_is_left_out(ground):
    ground.start(machines__nodes="10.0.0.11")
    assert re.findall(r"^(\w+):$", ground.castle, re.MULTILINE) == [
        "secrets", "proxmox", "machines", "talos", "kubernetes", "gitops",
    ]  # fmt: skip


@pytest.mark.parametrize("reply", ["ten", "/ 10.0.0.1", "10.0.0"])
def test_machines_that_are_none(ground, reply):
    ground.start(machines__nodes=reply)
    assert "  nodes:  # TODO" in ground.castle
    assert ground.asked.count("machines.nodes") == 2


def test_an_answer_beforehand_is_believed_first(ground):
    lay(ground)
    ground.start("proxmox.endpoint=https://other.example:8006", "proxmox.vm_ids={first: 500, last: 520}")
    assert "endpoint: https://other.example:8006  # answered" in ground.castle
    assert load_or_none(ground) is None or load(ground.folder).proxmox.vm_ids.first == 500
    assert "proxmox.endpoint" not in ground.asked


def load_or_none(ground):
    try:
        return load(ground.folder)
    except SpecError:
        return None


@pytest.mark.parametrize("answer", ["proxmox.endpoint", "=x", "a b=c"])
def test_what_is_no_answer(ground, answer):
    with pytest.raises(SpecError, match="is not PATH=VALUE"):
        ground.start(answer)
    assert not (ground.folder / "castle.yaml").exists()


def test_what_is_there_is_not_overwritten(ground):
    ground.write("castle.yaml", "mine\n")
    with pytest.raises(SpecError, match="is there already") as caught:
        ground.start()
    assert caught.value.exit_code == 2
    assert ground.castle == "mine\n"


def test_not_through_a_link_that_leads_nowhere(ground):
    (ground.folder / "castle.yaml").symlink_to(ground.folder / "away.yaml")
    with pytest.raises(SpecError, match="is there already"):
        ground.start()
    assert not (ground.folder / "away.yaml").exists()


def test_what_runs_leave_is_not_for_git(ground):
    ground.start()
    assert (ground.folder / ".gitignore").read_text() == ".rebirth/\nlogs/\n"


def test_a_gitignore_that_is_there_is_left_as_it_is(ground):
    ground.write(".gitignore", "logs/\n")
    started = ground.start()
    assert (ground.folder / ".gitignore").read_text() == "logs/\n"
    assert any(".gitignore lacks .rebirth/" in remark for remark in started.remarks)


def test_a_small_flux_repository_where_there_is_none(ground):
    started = ground.start("name=home")
    assert {str(file.relative_to(ground.folder)) for file in started.laid} == {
        "gitops/clusters/home/apps.yaml",
        "gitops/clusters/home/kustomization.yaml",
        "gitops/apps/kustomization.yaml",
        "gitops/apps/namespace.yaml",
    }
    assert asyncio.run(prove(ground.folder / "gitops", clusters=["clusters/home"])).findings == []


@pytest.mark.parametrize("there", ["a folder of that name", "Flux"])
def test_none_where_there_is_one(ground, there):
    if there == "Flux":
        lay_flux(ground.folder, a="")
    else:
        ground.write("gitops/notes.txt", "mine")
    before = sorted(ground.folder.rglob("*"))
    started = ground.start("gitops.path=clusters/x")
    assert started.laid == []
    assert set(ground.folder.rglob("*")) - set(before) == {ground.folder / "castle.yaml", ground.folder / ".gitignore"}


def test_where_flux_starts_is_asked_where_there_are_several(ground):
    lay_flux(ground.folder, a="")
    ground.write("clusters/y/a.yaml", (ground.folder / "clusters" / "x" / "a.yaml").read_text())
    ground.start()
    assert "gitops.path" in ground.asked
    assert "path:  # TODO: there are several clusters: clusters/x or clusters/y\n" in ground.castle
