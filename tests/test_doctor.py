"""What the doctor sees of a castle on real systems, and what it says to do."""

import datetime as dt
import json
import uuid
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from paper import PaperControl, PaperHypervisor
from rebirth.castle import load
from rebirth.doctor import examine, programs
from rebirth.errors import SpecError
from rebirth.lab.proxmox import Pve, Rights, Storage, proxmox_app
from rebirth.lab.systems.git import Repository, git_app
from rebirth.lab.tailscale import OAuthClient, Tailnet, tailscale_app
from rebirth.terminal.checklist import Check, as_json, as_text, exit_code
from ssh_host import new_key
from trees import change

_STORAGES = {"local": Storage(frozenset({"iso"})), "local-lvm": Storage(frozenset({"images"}))}
EXAMPLE = Path(__file__).parents[1] / "examples" / "castle"


@pytest.mark.parametrize(("addressing", "said"), [("reserved-dhcp", 2), ("cloud-init", 0)])
async def test_the_reservations_that_the_router_needs(castle, vault, addressing, said):
    text = (castle / "castle.yaml").read_text()
    (castle / "castle.yaml").write_text(text.replace("machines:\n", f"machines:\n  addressing: {addressing}\n"))
    checks = [check.what for check in await examine(castle) if "DHCP" in check.what]
    assert len(checks) == said
    assert all("DHCP reserves 192.168.50." in check for check in checks)


def authority() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def castle(tmp_path: Path, unused_tcp_port: int) -> Path:
    """The example castle, with outside systems that are on this machine only, where nothing answers."""
    folder = tmp_path / "castle"
    folder.mkdir()
    text = (EXAMPLE / "castle.yaml").read_text()
    for name in ("pve.castle.lan:8006", "lushycorp-vault.magellanic-gondola.ts.net:8200", "github.com"):
        text = text.replace(f"https://{name}", f"https://localhost:{unused_tcp_port}")
    api = f"https://localhost:{unused_tcp_port}"
    text = text.replace("  tailnet: magellanic", f"  api: {api}\n  tailnet: magellanic")
    (folder / "castle.yaml").write_text(text)
    return folder


@pytest.fixture
def vault(castle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Every secret of the castle, sound; name -> file."""
    monkeypatch.setenv("REBIRTH_VAULT_DIRECTORY", str(tmp_path / "vault"))
    shapes = {"proxmox-api-token": f"root@pam!t={uuid.uuid4()}", "lushycorp-vault/ca.crt": authority()}
    files = {reference.secret: tmp_path / "vault" / reference.secret for _, reference in load(castle).references()}
    for name, file in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(shapes.get(name, "value"))
        file.chmod(0o600)
    return files


async def secrets_of(castle: Path) -> dict[str, Check]:
    return {check.what.split()[1]: check for check in await examine(castle) if check.what.startswith("secret ")}


async def system(castle: Path, name: str) -> Check:
    return next(check for check in await examine(castle) if check.what.startswith(f"{name} ("))


async def test_secrets_that_are_there(castle, vault):
    checks = await secrets_of(castle)
    assert set(checks) == set(vault)
    assert [check for check in checks.values() if not check.sound] == []


async def test_a_secret_that_is_missing_or_empty(castle, vault):
    vault["github-token"].unlink()
    vault["proxmox-api-token"].write_text("")
    checks = await secrets_of(castle)
    assert {name for name, check in checks.items() if not check.sound} == {"github-token", "proxmox-api-token"}
    assert str(vault["github-token"]) in checks["github-token"].fix
    assert "REBIRTH_SECRET_GITHUB_TOKEN" in checks["github-token"].fix


async def test_a_secret_of_the_wrong_shape_is_found_without_being_shown(castle, vault):
    vault["proxmox-api-token"].write_text("my-token-of-today")
    check = (await secrets_of(castle))["proxmox-api-token"]
    assert not check.sound
    assert "USER@REALM!TOKENID=UUID" in check.fix
    assert "my-token" not in check.fix


async def test_a_secret_from_the_environment(castle, vault, monkeypatch):
    vault["github-token"].unlink()
    monkeypatch.setenv("REBIRTH_SECRET_GITHUB_TOKEN", "x")
    check = (await secrets_of(castle))["github-token"]
    assert check.sound


@pytest.mark.parametrize(
    ("mode", "sound"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False), (0o660, False)]
)
async def test_a_secret_that_others_may_read(castle, vault, mode, sound):
    vault["github-token"].chmod(mode)
    check = (await secrets_of(castle))["github-token"]
    assert check.sound is sound
    assert sound or check.fix == f"Others can read it: chmod 600 {vault['github-token']}"


async def test_what_only_the_lab_needs_is_not_asked_for(castle, vault):
    named = {check.what.split()[0] for check in await examine(castle)}
    assert {"git", "helm", "talosctl", "secret", "Proxmox", "Tailscale", "Vault", "Git"} == named


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Proxmox", "proxmox.endpoint"),
        ("Vault", "engine.vault.address"),
        ("Tailscale", "reachable"),
        ("Git", "gitops.repository"),
    ],
)
async def test_a_system_that_does_not_answer_is_named_with_the_fix(castle, vault, name, key):
    check = await system(castle, name)
    assert not check.sound
    assert key in check.fix


async def test_a_system_whose_secret_is_missing_is_not_asked(castle, vault):
    vault["github-token"].unlink()
    assert (await system(castle, "Git")).fix == "Not checked: the secret github-token is missing."


@pytest.fixture
async def host(castle, vault, serve, tmp_path, monkeypatch):
    """A Git host with the castle's repository, whose tree is in the folder `tree`."""
    tree = tmp_path / "tree"
    (tree / "clusters/tazlab-k8s").mkdir(parents=True)
    (tree / "clusters/tazlab-k8s/apps.yaml").write_text("kind: A\n")
    repository = Repository(tmp_path / "git/localhost/tazlab/tazlab-k8s.git", tree, "master")
    await repository.make()
    served = await serve(git_app(tmp_path / "git", "value"))
    monkeypatch.setenv("GIT_SSL_CAINFO", str(served.ca))
    file = castle / "castle.yaml"
    url = load(castle).gitops.repository
    file.write_text(file.read_text().replace(url, f"{served.url}/tazlab/tazlab-k8s.git"))
    return repository


async def test_a_repository_that_keeps_no_flux_needs_the_flux_program(castle, host, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(_without_flux(tmp_path)))
    checks = {check.what.split()[0]: check for check in await examine(castle)}
    assert checks["Git"].sound, checks["Git"].fix
    assert not checks["flux"].sound
    assert "flux-system" in checks["flux"].fix
    (host.source / "clusters/tazlab-k8s/flux-system").mkdir()
    (host.source / "clusters/tazlab-k8s/flux-system/gotk.yaml").write_text("kind: Namespace\n")
    await host.take()
    assert not any(check.what.startswith("flux") for check in await examine(castle))


async def test_flux_operator_needs_no_flux_program(castle, host, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(_without_flux(tmp_path)))
    change(castle, "castle.yaml", "  interval: 1m\n", "  interval: 1m\n  flux: {operator: {version: 0.59.0}}\n")
    assert not any(check.what.startswith("flux") for check in await examine(castle))


async def test_a_deploy_key_needs_an_agent(castle, vault, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(_without_flux(tmp_path)))
    file = castle / "castle.yaml"
    document = yaml.safe_load(file.read_text())
    del document["gitops"]["token"], document["engine"]["direct_secrets"]
    document["gitops"]["repository"] = "ssh://git@127.0.0.1:1/tazlab/tazlab-k8s.git"
    known = "[127.0.0.1]:1 ssh-ed25519 AAAA"
    document["gitops"]["ssh"] = {"private_key": {"secret": "deploy-key"}, "known_hosts": known}
    file.write_text(yaml.safe_dump(document))
    (vault["github-token"].parent / "deploy-key").write_text(new_key()[0])
    checks = {check.what.split()[0]: check for check in await examine(castle)}
    assert checks["ssh-agent"].fix == "Install the OpenSSH client."
    assert "ssh-agent" in checks["Git"].fix


def _without_flux(folder: Path) -> Path:
    import shutil

    programs = folder / "bin"
    programs.mkdir()
    for name in ("git", "sh"):
        (programs / name).symlink_to(shutil.which(name) or "")
    return programs


async def test_a_token_that_git_rejects_is_named(castle, vault, host):
    vault["github-token"].write_text("of-yesterday")
    check = await system(castle, "Git")
    assert not check.sound
    assert "gitops.token" in check.fix
    assert "of-yesterday" not in check.fix


# -- what a credential may do


@pytest.fixture
async def systems(castle, vault, serve, monkeypatch, published):
    """Stand-ins of Proxmox and the tailnet that know the castle's credentials."""
    pve = Pve(
        "pve", vault["proxmox-api-token"].read_text(), PaperHypervisor(), dict(_STORAGES), bridges=frozenset({"vmbr0"})
    )
    names = ("tailscale-oauth-client-id", "tailscale-oauth-client-secret")
    client = OAuthClient(*(vault[name].read_text() for name in names), tags=frozenset({"tag:tazlab-k8s"}))
    tailnet = Tailnet("magellanic-gondola.ts.net", PaperControl(), [client])
    served = [await serve(published.around(proxmox_app(pve))), await serve(tailscale_app(tailnet))]
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(served[0].ca))
    file = castle / "castle.yaml"
    spec = load(castle)
    text = file.read_text().replace(f"endpoint: {spec.proxmox.endpoint}", f"endpoint: {served[0].url}")
    file.write_text(text.replace(f"api: {spec.tailscale.api}", f"api: {served[1].url}"))
    return pve, tailnet


async def test_systems_that_answer_say_what_they_are(castle, systems):
    proxmox, tailscale = await system(castle, "Proxmox"), await system(castle, "Tailscale")
    assert proxmox.sound, proxmox.fix
    assert "version 9" in proxmox.what
    assert tailscale.sound, tailscale.fix


async def test_a_right_that_is_missing_is_named_with_where_it_is_given(castle, systems):
    pve, _ = systems
    pve.rights = Rights({"/": frozenset({"VM.Audit", "Sys.Audit", "Datastore.Audit"})})
    check = await system(castle, "Proxmox")
    assert not check.sound
    assert "VM.Allocate on /vms/800" in check.fix
    assert "VM.Audit" not in check.fix
    assert "API Token Permission" in check.fix


async def test_a_name_that_somebody_else_holds(castle, systems):
    _, tailnet = systems
    tailnet.control.add_device("lushycorp-k8s", tags=("tag:another",))
    check = await system(castle, "Tailscale")
    assert not check.sound
    assert "lushycorp-k8s belongs to a device that is not this castle's" in check.fix


async def test_a_storage_that_the_node_has_not(castle, systems):
    pve, _ = systems
    del pve.storages["local-lvm"]
    assert "proxmox.disk_storage" in (await system(castle, "Proxmox")).fix


async def test_a_castle_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(SpecError):
        await examine(tmp_path)


def test_programs_are_looked_for_without_a_castle(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {"helm", "talosctl"} <= {check.what for check in programs() if not check.sound}


# -- how it is shown


@pytest.mark.parametrize(("sound", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_and_the_fix(sound, code):
    checks = [Check("a", True), Check("b", sound, "Fix b.\nThen c.")]
    assert exit_code(checks) == code
    text = as_text("the lab", checks)
    assert text.startswith("the lab:\n")
    assert ("Fix b." in text) is not sound
    shown = json.loads(as_json("the lab", checks))
    assert (shown["version"], shown["sound"]) == (1, sound)
    assert [check["what"] for check in shown["checks"]] == ["a", "b"]
    assert ("fix" in shown["checks"][1]) is not sound
