"""A world for tests of machines alone: a network namespace with a bridge and nothing else, driven through the real talosctl.

Run as process 1 of new namespaces: `python world.py FOLDER MODULE FUNCTION` calls `await FUNCTION(World)`. What the
scenario starts is gone when the process ends.
"""

import asyncio
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rebirth.lab import cgroups
from rebirth.lab.building.toolchain import Toolchain
from rebirth.lab.ca import Authority
from rebirth.lab.hypervisor import Machines, Network, VirtualMachine

NODES = {"cp-1": "192.168.77.11", "cp-2": "192.168.77.12", "cp-3": "192.168.77.13", "worker-1": "192.168.77.21"}
ENDPOINT = "https://192.168.77.11:6443"


class World:
    """Machines of a throwaway lab, and the operator's programs."""

    def __init__(self, folder: Path, programs: dict[str, str]) -> None:
        self.folder, self.programs = folder, programs
        self.name = f"test-{folder.name}"
        self.talosconfig, self.kubeconfig = folder / "talosconfig", folder / "kubeconfig"
        ca = folder / "ca.crt"
        ca.write_text(Authority("test").pem)
        network = Network("lan", 24, "192.168.77.1", ("192.168.77.1",), NODES)
        self.machines = Machines(self.name, folder / "state", network, ca, programs, "v1.12.0")

    async def prepare(self) -> None:
        for line in (
            "link set lo up",
            "link add lan type bridge",
            "address add 192.168.77.1/24 dev lan",
            "link set lan up",
        ):
            await self.run("ip", *line.split())
        await self.talosctl("gen", "secrets", "-o", str(self.folder / "secrets.yaml"))

    async def run(self, *argv: str, check: bool = True) -> str:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
        output, _ = await process.communicate()
        text = output.decode()
        assert process.returncode == 0 or not check, f"{argv}: {text}"
        return text

    async def talosctl(self, *argv: str, check: bool = True) -> str:
        return await self.run(self.programs["talosctl"], *argv, check=check)

    async def talos(self, node: str, *argv: str, endpoint: str | None = None, check: bool = True) -> str:
        """talosctl with the cluster's credentials, at one node."""
        address = NODES[node]
        where = ("--talosconfig", str(self.talosconfig), "-n", address, "-e", endpoint or address)
        return await self.talosctl(*argv, *where, check=check)

    async def kubectl(self, *argv: str, check: bool = True) -> str:
        return await self.run(self.programs["kubectl"], "--kubeconfig", str(self.kubeconfig), *argv, check=check)

    async def configuration(self, node: str, *patches: dict) -> Path:
        """A machine configuration for a node, as talosctl makes it out of the world's secrets."""
        role = "controlplane" if node.startswith("cp") else "worker"
        file = self.folder / f"{node}.yaml"
        hostname = {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "off", "hostname": node}
        options = [f"--config-patch={json.dumps(patch)}" for patch in (hostname, *patches)]
        secrets = ("--with-secrets", str(self.folder / "secrets.yaml"), "--force")
        for kind, target in ((role, file), ("talosconfig", self.talosconfig)):
            await self.talosctl("gen", "config", "test", ENDPOINT, *secrets, "-t", kind, "-o", str(target), *options)
        return file

    async def switch_on(self, *nodes: str) -> None:
        for node in nodes:
            number = 800 + list(NODES).index(node)
            mac = f"bc:24:11:00:00:{number - 800:02x}"
            await self.machines.start(VirtualMachine(number, node, 4, 4096, mac, "lan", "local:iso/talos.iso", 20))

    async def maintenance(self, node: str) -> None:
        async def answers() -> bool:
            output = await self.talosctl("version", "--insecure", "-n", NODES[node], check=False)
            return "Tag:" in output.partition("Server:")[2]

        await self.until(answers, f"maintenance mode of {node}", 20)

    async def apply(self, node: str, *patches: dict) -> str:
        file = await self.configuration(node, *patches)
        return await self.talosctl("apply-config", "--insecure", "-n", NODES[node], "-f", str(file))

    async def bootstrap(self, *nodes: str, patches: tuple[dict, ...] = ()) -> None:
        """A cluster out of nothing: the first of `nodes` is bootstrapped."""
        await self.switch_on(*nodes)
        for node in nodes:
            await self.maintenance(node)
            await self.apply(node, *patches)
        await self.until(lambda: self.answers(nodes[0]), "the Talos API", 30)
        await self.talos(nodes[0], "bootstrap")
        await self.talos(nodes[0], "kubeconfig", str(self.kubeconfig), "--force")

    async def answers(self, node: str) -> bool:
        return "Tag:" in (await self.talos(node, "version", check=False)).partition("Server:")[2]

    async def ready(self, *nodes: str, seconds: float = 90) -> None:
        async def all_ready() -> bool:
            output = await self.kubectl("get", "nodes", "--no-headers", check=False)
            rows = [line.split() for line in output.splitlines()]
            return all([node, "Ready"] in [row[:2] for row in rows] for node in nodes)

        await self.until(all_ready, f"{nodes} Ready", seconds)

    async def until(self, question, what: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not await question():
            assert time.monotonic() < end, f"not within {seconds} s: {what}"
            await asyncio.sleep(0.3)

    async def inside(self, number: int, *argv: str) -> str:
        """Runs a program in a machine's network namespace."""
        hardware = str(self.folder / "state" / "machines" / str(number) / "hardware.json")
        pids = (await self.run("pgrep", "-f", hardware)).split()
        return await self.run("nsenter", "--net", "-t", pids[-1], *argv)

    async def clear(self) -> None:
        for number in range(800, 800 + len(NODES)):
            await self.machines.destroy(number)
        cgroups.remove(f"/rebirth-{self.name}")


def programs() -> dict[str, str] | None:
    """Every program that a machine and these tests need, from the toolchain's cache and the system; None where not built."""
    found = asyncio.run(Toolchain().programs())
    for name in ("kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd",
                 "talosctl", "kubectl", "containerd", "runc"):  # fmt: skip
        if name not in found and (path := shutil.which(name)):
            found[name] = path
    return found if {"kubelet", "etcd", "talosctl", "kubectl", "containerd"} <= found.keys() else None


def run_scenario(scenario, found: dict[str, str]) -> None:
    """Runs an async function `scenario(world)` of a test module in a world of its own; fails with what it said."""
    with tempfile.TemporaryDirectory(prefix="rebirth-") as folder:
        Path(folder, "programs.json").write_text(json.dumps(found))
        spec = importlib.util.find_spec(scenario.__module__)
        file = scenario.__code__.co_filename if spec is None else spec.origin
        namespaces = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        argv = ["unshare", *namespaces, sys.executable, __file__, folder, str(file), scenario.__name__]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=560, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


async def _main(folder: Path, file: str, function: str) -> None:
    spec = importlib.util.spec_from_file_location("scenario", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    world = World(folder, json.loads((folder / "programs.json").read_text()))
    await world.prepare()
    try:
        await getattr(module, function)(world)
    except BaseException:
        for log in sorted(folder.glob("state/machines/*/console.log")):
            sys.stdout.write(f"--- {log}\n{log.read_text()[-3000:]}\n")
        raise
    finally:
        await world.clear()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    asyncio.run(_main(Path(sys.argv[1]), *sys.argv[2:4]))
