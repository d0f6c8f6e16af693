"""What a castle cannot be made of is said in one message with a hint, before anything is made: in the lab, by the command."""

import shutil
import sys

import pytest

from rehearsal import EXAMPLE, rehearsed

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def castle(tmp_path_factory):
    with rehearsed(tmp_path_factory.mktemp("refused"), "refused") as castle:
        castle.rebirth("lab", "up", str(castle.folder), "--lab-name", castle.lab.name)
        yield castle


def refused(castle, code=1):
    """What create says on standard error; it has made nothing."""
    before = castle.ask("/writes")
    ended, said, complained = castle.run(*castle.in_lab("create"))
    assert ended == code, said + complained
    assert castle.ask("/writes") == before, "nothing was made"
    assert castle.ask("/status")["machines"] == {}
    assert [line.startswith("error: ") for line in complained.splitlines()].count(True) == 1, complained
    assert "Traceback" not in said + complained
    return complained


@pytest.mark.parametrize(
    ("old", "new", "words", "hint"),
    [
        ("branch: master", "branch: main", "has no branch main", "gitops.branch"),
        ("tazlab-k8s.git", "other.git", "the repository does not exist", "gitops.repository"),
        ("node: pve", "node: attic", "Proxmox: list nodes: has no node attic", "Its nodes are: pve."),
        # A token sees no storage that it has no right on: that there is none is not known.
        (
            "disk_storage: local-lvm",
            "disk_storage: nas",
            "Datastore.AllocateSpace on /storage/nas",
            "API Token Permission",
        ),
        ("tailnet: magellanic", "tailnet: magellan", "Tailscale: list devices: HTTP 404", "tailscale.tailnet"),
        ("mount: secret", "mount: secrets", "Vault: create on secrets/data/", "engine.vault.token"),
    ],
)
def test_a_castle_that_names_what_is_not_there(castle, old, new, words, hint):
    shutil.copy(EXAMPLE / "castle.yaml", castle.folder)
    file = castle.folder / "castle.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    complained = refused(castle)
    assert words in complained
    assert hint in complained.partition("hint: ")[2]


def test_a_repository_path_that_does_not_exist(castle):
    shutil.copy(EXAMPLE / "castle.yaml", castle.folder)
    file = castle.folder / "castle.yaml"
    file.write_text(file.read_text().replace("path: clusters/tazlab-k8s", "path: clusters/nowhere", 1))
    complained = refused(castle, code=2)  # the proof, which comes first, looks at the files
    assert "has no folder clusters/nowhere" in complained
    assert "gitops.path" in complained.partition("hint: ")[2]


@pytest.mark.parametrize(
    ("secret", "words", "hint"),
    [
        ("proxmox-api-token", "Proxmox: version: the token was rejected", "proxmox.token"),
        ("github-token", "https://github.com/tazlab/tazlab-k8s.git: clone: the token was rejected", "gitops.token"),
        ("tailscale-oauth-client-secret", "Tailscale: log in: the OAuth client was rejected", "OAuth client"),
        ("lushycorp-vault/eso-token", "Vault: look up token: the token was rejected", "engine.vault.token"),
    ],
)
def test_credentials_that_are_refused(castle, secret, words, hint):
    shutil.copy(EXAMPLE / "castle.yaml", castle.folder)
    value = "root@pam!rebirth=5f8f3f0e-0000-4000-8000-000000000001" if secret.startswith("proxmox") else "of-yesterday"
    file = castle.lab.secrets / secret
    right = file.read_text()
    file.write_text(value)
    try:
        complained = refused(castle)
    finally:
        file.write_text(right)
    assert words in complained
    assert hint in complained.partition("hint: ")[2]


@pytest.mark.parametrize(
    ("system", "words", "hint"),
    [
        ("proxmox", "last seen: Proxmox: version", "proxmox.endpoint"),
        ("tailscale", "last seen: Tailscale: log in", "tailscale.api"),
        ("vault", "last seen: Vault: look up token", "engine.vault.address"),
        ("git", "last seen: git: clone", "gitops.repository"),
    ],
)
def test_a_system_that_does_not_answer(castle, system, words, hint):
    shutil.copy(EXAMPLE / "castle.yaml", castle.folder)
    castle.ask(f"/faults/{system}", "POST", {"die": True})
    try:
        ended, _, complained = castle.run(*castle.in_lab("create", "--budget", "4"))
    finally:
        castle.ask("/faults", "DELETE")
    assert ended == 1, complained
    assert words in complained
    assert hint in complained.partition("hint: ")[2]
    assert castle.ask("/status")["machines"] == {}


def test_a_program_that_is_missing(castle, tmp_path):
    shutil.copy(EXAMPLE / "castle.yaml", castle.folder)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "sh"):
        (programs / name).symlink_to(shutil.which(name))
    lab = ("lab", "run", "--lab-name", castle.lab.name, "--", "env", f"PATH={programs}")
    ended, _, complained = castle.run(*lab, sys.executable, "-m", "rebirth", "create", str(castle.folder))
    assert ended == 1
    assert "find programs: talosctl, helm are not on PATH" in complained
    assert "https://www.talos.dev" in complained.partition("hint: ")[2]
    assert castle.ask("/status")["machines"] == {}
