"""A whole lab, met by clients that nobody here wrote: dig, git, helm, containerd, hvac, curl, talosctl."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from lab.inside import ENTER, Inside, running
from lab.world.castles import write_castle
from rebirth.castle import load
from rebirth.lab.cgroups import create
from rebirth.lab.state import LabState
from rebirth.lab.up import down, up

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def inside(tmp_path_factory):
    with running(tmp_path_factory, "test") as (inside, said):
        assert any("Vault" in line for line in said), "up says what it waits for"
        yield inside


def test_up_again_changes_nothing(inside):
    first = inside.state.first
    asyncio.run(up(inside.state.name, inside.castle, print))
    assert inside.state.first == first


def test_names(inside):
    def dig(*question: str) -> str:
        return inside.run("dig", "+short", *question)

    assert dig("github.com") == "198.18.0.10"
    assert dig("+tcp", "ghcr.io") == "198.18.0.11"
    assert dig("blog.tazlab.example") == ""
    vault = "lushycorp-vault.magellanic-gondola.ts.net"
    assert ip_address(dig(vault)) in ip_network("100.64.0.0/10")
    assert dig(vault, "@192.168.50.1") == "", "machines do not see the tailnet's names"


def test_there_is_no_way_out(inside):
    reach = """
        import socket, errno
        for address in ("1.1.1.1", "8.8.8.8", "169.254.169.254", "10.0.0.1"):
            with socket.socket() as s:
                s.settimeout(3)
                try:
                    s.connect((address, 443))
                except OSError as error:
                    print(errno.errorcode.get(error.errno, error))
    """
    assert set(inside.python(reach).split()) <= {"ENETUNREACH", "EHOSTUNREACH"}


def test_only_the_lab_is_trusted(inside):
    assert inside.run("curl", "--silent", "--show-error", "https://ghcr.io/v2/").startswith('{"errors":')
    assert inside.run("curl", "--head", "--silent", "--cacert", "/dev/null", "https://ghcr.io/v2/", ok=False) == ""
    bundles = inside.run("sh", "-c", "cat /etc/ssl/certs/* | grep -c BEGIN")
    assert bundles == "1"


def test_git(inside, tmp_path):
    url = "github.com/tazlab/tazlab-k8s.git"
    environment = ("env", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL=/dev/null")
    inside.run(*environment, "git", "clone", f"https://x:wrong@{url}", str(tmp_path / "a"), ok=False)
    inside.run(*environment, "git", "clone", f"https://x:{inside.secret('github-token')}@{url}", str(tmp_path / "b"))
    assert (tmp_path / "b/clusters/tazlab-k8s/kustomization.yaml").exists()
    assert inside.run("git", "-C", str(tmp_path / "b"), "branch", "--show-current") == "master"


def test_charts(inside):
    charts = (
        ("https://charts.external-secrets.io", "external-secrets", "CustomResourceDefinition"),
        ("https://metallb.github.io/metallb", "metallb", "DaemonSet"),
    )
    for repository, chart, kind in charts:
        rendered = inside.run("helm", "template", chart, "--repo", repository, "--generate-name", "--include-crds")
        assert f"kind: {kind}" in rendered


def test_vault(inside):
    program = """
        import hvac, os, pathlib
        folder = pathlib.Path(os.environ["REBIRTH_VAULT_DIRECTORY"], "lushycorp-vault")
        client = hvac.Client(
            "https://lushycorp-vault.magellanic-gondola.ts.net:8200",
            token=(folder / "eso-token").read_text(), verify=str(folder / "ca.crt"),
        )
        kv = client.secrets.kv.v2
        read = lambda path: kv.read_secret_version(path, mount_point="secret", raise_on_deleted_version=True)["data"]["data"]
        print(client.is_authenticated(), read("app/admin")["USER"], len(read("app/admin")["PASSWORD"]) > 20)
        print(read("app/tls")["tls.crt"].splitlines()[0])
        kv.create_or_update_secret("new/one", {"a": "b"}, mount_point="secret")
        print(read("new/one"))
        try:
            client.sys.list_policies()
        except hvac.exceptions.Forbidden:
            print("forbidden")
    """
    said = inside.python(program).splitlines()
    assert said == ["True admin True", "-----BEGIN CERTIFICATE-----", "{'a': 'b'}", "forbidden"]
    assert asyncio.run(inside.state.ask("/writes"))["vault"] == 1


CONTAINERD = """
version = 2
root = "{0}/root"
state = "{0}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{0}/socket"
"""


@pytest.fixture
def ctr(inside, tmp_path):
    if shutil.which("containerd") is None:
        pytest.skip("containerd is not installed")
    file = tmp_path / "containerd.toml"
    file.write_text(CONTAINERD.format(tmp_path))
    with inside.start("containerd", "--config", str(file), stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            if (tmp_path / "socket").exists():
                break
            time.sleep(0.1)
        yield lambda *arguments, **options: inside.run("ctr", "--address", f"{tmp_path}/socket", *arguments, **options)
        process.terminate()


def test_images(inside, ctr):
    def pull(reference: str, password: str | None = None, *, ok: bool = True) -> str:
        return ctr("images", "pull", *(("--user", f"x:{password}") if password else ()), reference, ok=ok)

    pull("registry.k8s.io/pause:3.10")
    pull("docker.io/library/traefik:v3.6.12")
    private = "ghcr.io/tazlab/site:v1"
    assert "authorization failed" in pull(private, ok=False)
    assert "401" in pull(private, "wrong", ok=False)
    pull(private, inside.secret("github-token"))
    assert "not found" in pull("quay.io/metallb/speaker:v9", ok=False)


def test_a_machine_behind_the_proxmox_api(inside, tmp_path):
    """Its network card is what DHCP knows it by: the name of the VM is another one."""
    castle = load(inside.state.castle)
    worker = castle.machines.workers[0]
    card = worker.mac_address(castle.name)
    program = """
        import os, pathlib, time
        from proxmoxer import ProxmoxAPI
        folder = pathlib.Path(os.environ["REBIRTH_VAULT_DIRECTORY"])
        identity, value = (folder / "proxmox-api-token").read_text().split("=")
        user, name = identity.split("!")
        pve = ProxmoxAPI("pve.castle.lan", port=8006, user=user, token_name=name, token_value=value, verify_ssl=os.environ["SSL_CERT_FILE"])
        node = pve.nodes("pve")
        def done(upid):
            while node.tasks(upid).status.get()["status"] == "running":
                time.sleep(0.05)
            assert node.tasks(upid).status.get()["exitstatus"] == "OK", node.tasks(upid).log.get()
        image = "https://factory.talos.dev/image/SCHEMATIC/v1.12.0/metal-amd64.iso"
        done(node.storage("local")("download-url").post(content="iso", filename="talos.iso", url=image))
        done(node.qemu.post(
            vmid=801, name="whatever", cores=1, memory=1024, net0="virtio=CARD,bridge=vmbr0", scsihw="virtio-scsi-pci",
            scsi0="local-lvm:10", ide2="local:iso/talos.iso,media=cdrom", boot="order=scsi0;ide2",
        ))
        done(node.qemu(801).status.start.post())
    """
    inside.python(program.replace("CARD", card).replace("SCHEMATIC", castle.talos.schematic))
    for _ in range(100):
        said = subprocess.run(
            [sys.executable, "-c", ENTER, inside.state.name, "talosctl", "-n", str(worker.address), "get", "links", "--insecure"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if said.returncode == 0:
            break
        time.sleep(0.2)
    assert card in said.stdout, said
    assert asyncio.run(inside.state.status())["machines"] == {"whatever": True}


def test_faults_strike_and_end(inside):
    def head() -> str:
        return inside.run("curl", "--silent", "--head", "https://metallb.github.io/metallb/index.yaml", ok=True)

    asyncio.run(inside.state.ask("/faults/charts", "POST", {"status": 503, "times": 1}))
    assert "503" in head()
    assert "200" in head()


def test_programs_end_as_they_end(inside):
    with inside.start("sh", "-c", "exit 7") as process:
        assert process.wait(60) == 7
    with inside.start("sh", "-c", "kill -9 $$") as process:
        assert process.wait(60) == 128 + signal.SIGKILL
    with inside.start("no-such-program", stderr=subprocess.PIPE) as process:
        assert b"no-such-program: No such file" in process.stderr.read()
        assert process.wait(60) == 127


def test_a_program_sees_the_terminals_folder_and_the_labs_secrets(inside, tmp_path):
    said = inside.run("sh", "-c", "pwd; hostname; echo $REBIRTH_LAB; ls $REBIRTH_VAULT_DIRECTORY", cwd=tmp_path)
    assert said.splitlines()[:3] == [str(tmp_path), f"rebirth-{inside.state.name}", inside.state.name]
    assert "github-token" in said


def test_ctrl_c_reaches_the_program(inside):
    program = "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.1; done"
    with inside.start("sh", "-c", program, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "caught\n"
        assert process.wait(60) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_program_ends_with_whoever_started_it(inside, tmp_path, number):
    program = f"echo $$; while :; do sleep 0.1; date +%s.%N > {tmp_path}/alive; done"
    with inside.start("sh", "-c", program, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(number)
        process.wait(60)
    time.sleep(0.5)
    last = (tmp_path / "alive").read_text()
    time.sleep(0.5)
    assert (tmp_path / "alive").read_text() == last


def _marks(name: str) -> list[str]:
    """Everything on this system that carries the lab's name."""
    processes = [folder.name for folder in Path("/proc").glob("[0-9]*") if _mentions(folder / "cmdline", name)]
    groups = [str(path) for path in Path("/sys/fs/cgroup").rglob(f"rebirth-{name}")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if name in line]
    return processes + groups + mounts


def _mentions(file: Path, name: str) -> bool:
    try:
        return name.encode() in file.read_bytes()
    except OSError:
        return False


@pytest.mark.parametrize("killed", ["nothing", "first", "holder"])
def test_two_labs_side_by_side_and_nothing_left_of_the_second(inside, tmp_path, killed):
    name = f"{inside.state.name}-b"
    castle = write_castle(tmp_path / "castle")
    state = asyncio.run(up(name, castle, print))
    try:
        other = Inside(state, castle)
        assert other.secret("github-token") != inside.secret("github-token")
        assert other.run("dig", "+short", "github.com") == "198.18.0.10"
        create(f"{state.cgroup}/machine")
        assert _marks(name)
        if killed == "first":
            os.kill(state.first, signal.SIGKILL)
        elif killed == "holder":
            os.kill(state.init, signal.SIGKILL)
    finally:
        was_there = asyncio.run(down(name))
    assert was_there
    assert _marks(name) == []
    assert not state.folder.exists()
    assert inside.run("dig", "+short", "github.com") == "198.18.0.10", "the first is as it was"


def test_a_lab_that_cannot_start_says_why_and_leaves_no_process(inside, tmp_path):
    castle = write_castle(tmp_path / "castle")
    shutil.rmtree(castle / "gitops")
    name = f"{inside.state.name}-c"
    with pytest.raises(Exception, match="gitops"):
        asyncio.run(up(name, castle, print))
    assert _marks(name) == []
    assert (LabState(name).log / "world.log").exists()
    assert asyncio.run(down(name)) is True
