"""`init` on the repository of each example, with castle.yaml taken away, and on the command line."""

import shutil
from pathlib import Path

import pytest

from rebirth.castle import load
from rebirth.init.starting import start

EXAMPLES = sorted(file.parent for file in (Path(__file__).parents[2] / "examples").glob("*/castle.yaml"))
_MOST = 3  # answers
# What no repository can say, and nothing asks for: a Secret that the castle places from its vault directory.
BEFOREHAND = {
    "trio": [
        (
            "engine.direct_secrets=[{namespace: site, name: site-tls, type: kubernetes.io/tls, "
            "data: {tls.crt: {secret: site/tls.crt}, tls.key: {secret: site/tls.key}}}]"
        )
    ]
}


@pytest.fixture(params=EXAMPLES, ids=lambda folder: folder.name)
def example(request, desk):
    """The repository alone, and the castle that is known of it."""
    folder = desk.folder / "castle"
    shutil.copytree(request.param, folder, ignore=shutil.ignore_patterns("castle.yaml", "logs", ".rebirth"))
    castle = load(request.param)
    git = folder / "gitops" / ".git"  # as a clone has it
    git.mkdir()
    (git / "config").write_text(f'[remote "origin"]\n\turl = {castle.gitops.repository}\n')
    (git / "HEAD").write_text(f"ref: refs/heads/{castle.gitops.branch}\n")
    return folder, castle


def replies(castle):
    """What its operator would answer, by the path of the question."""
    planes = " ".join(str(machine.address) for machine in castle.machines.control_planes)
    workers = " ".join(str(machine.address) for machine in castle.machines.workers)
    known = castle.model_dump(mode="json", by_alias=True)
    variables = known["gitops"]["variables"]

    def reply(question):
        if question.path == "machines.nodes":
            return f"{planes} / {workers}"
        if question.path == "gitops.variables":
            return " ".join(f"{name}={value}" for name, value in variables.items())
        value = known
        for part in question.path.split("."):
            value = value[part]
        return str(value)

    return reply


def test_three_answers_give_a_castle_that_can_come_up(example, desk):
    folder, castle = example
    asked = []

    def ask(question):
        asked.append(question.path)
        assert not question.wrong, question
        return replies(castle)(question)

    beforehand = BEFOREHAND.get(castle.name, [])
    started = start(folder, [], beforehand, ask)
    assert started.problems == []
    assert len(asked) + len(beforehand) <= _MOST, asked
    code, out, complaints = desk.run("check", "castle")
    assert (code, complaints) == (0, ""), out
    begun = load(folder)
    assert begun.gitops.repository == castle.gitops.repository
    assert [machine.address for machine in begun.machines.nodes] == [one.address for one in castle.machines.nodes]


def test_without_a_terminal_nothing_is_asked(desk):
    code, out, complaints = desk.run("init", "home")
    assert code == 2
    assert out.startswith("home/castle.yaml: 0 values found, ")
    assert "  assumed proxmox.bridge: vmbr0 (as Proxmox is installed)\n" in out
    assert "error: home/castle.yaml:" in complaints
    assert "values are left. Edit home/castle.yaml; `rebirth check home` then proves it." in complaints
    again, _, complaints = desk.run("init", "home")
    assert again == 2
    assert "home/castle.yaml is there already" in complaints


def test_a_folder_elsewhere_is_read_too(desk):
    away = desk.folder / "away"
    away.mkdir()
    (away / "terraform.tfvars").write_text('proxmox_endpoint = "https://pve.example:8006/"\n')
    desk.run("init", "home", "--from", "away", "--set", "name=mine")
    written = (desk.folder / "home" / "castle.yaml").read_text()
    assert f"endpoint: https://pve.example:8006  # {away}/terraform.tfvars:1\n" in written
    assert "name: mine  # answered\n" in written
    assert "--from: nowhere is no folder" in desk.run("init", "other", "--from", "nowhere")[2]
    assert not (desk.folder / "other").exists()
