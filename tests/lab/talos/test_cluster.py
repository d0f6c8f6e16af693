"""Machines driven by the real talosctl, with a real Kubernetes behind: each scenario in a world of its own."""

import json
from pathlib import Path

import pytest

from lab.talos.world import World, programs, run_scenario

pytestmark = pytest.mark.lab

ISSUERS = ("https://oidc.castle.example/first", "https://kubernetes.default.svc.cluster.local")


async def one_and_one(world: World) -> None:
    """What a castle needs: refused configurations, patches obeyed, bootstrapped once, Ready, the same after a power cut."""
    await world.switch_on("cp-1", "worker-1")
    await world.maintenance("cp-1")
    await refused(world)
    patch = {
        "machine": {"install": {"image": "factory.talos.dev/metal-installer/4a0d:v1.12.0"}},
        "cluster": {
            "coreDNS": {"disabled": True},
            "apiServer": {
                "certSANs": ["castle.tailnet.ts.net"],
                # One flag twice out of a map: Kubernetes takes `_` for `-`, Talos does not.
                "extraArgs": {
                    "service-account-issuer": ISSUERS[0],
                    "service_account-issuer": ISSUERS[1],
                    "api-audiences": f"{ISSUERS[1]},vault",
                },
            },
        },
    }
    await world.bootstrap("cp-1", "worker-1", patches=(patch,))
    again = await world.talos("cp-1", "bootstrap", check=False)
    assert "AlreadyExists" in again
    assert "etcd data directory is not empty" in again
    on_worker = await world.talos("worker-1", "bootstrap", check=False)
    assert "bootstrap can only be performed on a control plane node" in on_worker
    await world.ready("cp-1", "worker-1")
    await obeyed(world)
    await pods_go_out_under_the_node_s_address(world)
    await the_talos_api(world)
    await power_cut(world)


async def refused(world: World) -> None:
    file = await world.configuration("cp-1")
    broken = world.folder / "broken.yaml"
    broken.write_text(file.read_text().replace("podSubnets:", "podSubNets:"))
    said = await world.talosctl("apply-config", "--insecure", "-n", "192.168.77.11", "-f", str(broken), check=False)
    assert "podSubNets" in said
    dry = await world.talosctl("apply-config", "--insecure", "--dry-run", "-n", "192.168.77.11", "-f", str(file))
    assert "dry-run" in dry
    await world.maintenance("cp-1")


async def obeyed(world: World) -> None:
    assert "coredns" not in await world.kubectl("get", "deployments", "-A")
    assert "castle.tailnet.ts.net" in await names_of_the_api_server(world)
    discovery = json.loads(await world.kubectl("get", "--raw", "/.well-known/openid-configuration"))
    assert discovery["issuer"] == ISSUERS[0]
    role = "node-role.kubernetes.io/control-plane"

    async def node() -> dict:
        return json.loads(await world.kubectl("get", "node", "cp-1", "-o", "json"))

    async def labelled() -> bool:
        return role in (await node())["metadata"]["labels"]

    async def account() -> bool:
        return "default" in await world.kubectl("get", "serviceaccounts", check=False)

    await world.until(labelled, "the label of the role", 30)
    await world.until(account, "the service account", 30)
    assert {"key": role, "effect": "NoSchedule"} in (await node())["spec"]["taints"]
    assert (await node())["status"]["capacity"]["cpu"] == "4"  # the VM's, whatever this system has
    assert (await world.kubectl("create", "token", "default")).count(".") == 2
    await pod_security(world)


async def pod_security(world: World) -> None:
    # Enforced as talosctl configures it: baseline everywhere but in kube-system.
    privileged = ("run", "p", "--image=x", "--privileged", "--dry-run=server")
    assert "violates PodSecurity" in await world.kubectl(*privileged, check=False)
    await world.kubectl("-n", "kube-system", *privileged)


async def pods_go_out_under_the_node_s_address(world: World) -> None:
    for number in (800, 803):
        rules = await world.inside(number, "nft", "list", "table", "ip", "pod_network")
        assert "ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16" in rules

    async def routed() -> bool:
        return "10.244." in await world.inside(800, "ip", "route", "show", "via", "192.168.77.21")

    await world.until(routed, "a route to the worker's pods", 30)


async def names_of_the_api_server(world: World) -> str:
    command = "openssl s_client -connect 192.168.77.11:6443 </dev/null | openssl x509 -noout -ext subjectAltName"
    return await world.run("sh", "-c", command, check=False)


async def the_talos_api(world: World) -> None:
    assert "v1.12.0" in await world.talos("worker-1", "version", endpoint="192.168.77.11")
    both = await world.talosctl(
        "--talosconfig", str(world.talosconfig), "-e", "192.168.77.11", "-n", "192.168.77.11,192.168.77.21", "services"
    )
    assert "192.168.77.21" in both
    assert "etcd" in both
    assert "cp-1" in await world.talos("cp-1", "etcd", "members")
    assert "containerd" in await world.talos("worker-1", "logs", "containerd")
    nobody = world.folder / "nobody"
    await world.talosctl("gen", "config", "other", "https://192.168.77.11:6443", "-t", "talosconfig", "-o", str(nobody))
    other = ("--talosconfig", str(nobody), "-n", "192.168.77.11", "-e", "192.168.77.11", "version")
    assert "Tag" not in (await world.talosctl(*other, check=False)).partition("Server:")[2]


async def power_cut(world: World) -> None:
    for number in (800, 803):
        await world.machines.stop(number)
        assert not await world.machines.running(number)
    left = [str(folder) for folder in Path("/sys/fs/cgroup").glob(f"**/rebirth-{world.name}/*/**") if folder.is_dir()]
    assert left == [], "the next kubelet looks at each for seconds"
    await world.switch_on("cp-1", "worker-1")
    await world.until(lambda: world.answers("worker-1"), "the worker's API", 30)
    assert "v1.12.0" in await world.talos("cp-1", "version")

    async def renewed() -> bool:
        leases = await world.kubectl("get", "nodes", check=False)
        return leases.count(" Ready ") == 2

    await world.until(renewed, "both Ready again", 60)
    assert "AlreadyExists" in await world.talos("cp-1", "bootstrap", check=False)
    await world.talos("worker-1", "reboot", "--wait=false")
    await world.until(lambda: boots(world, "worker-1", 3), "the worker's reboot", 30)
    await world.talos("worker-1", "shutdown", "--wait=false")

    async def off() -> bool:
        return not await world.machines.running(803)

    await world.until(off, "the worker to be off", 30)


async def boots(world: World, node: str, times: int) -> bool:
    said = await world.talos(node, "logs", "containerd", check=False)
    return said.count("containerd successfully booted") >= times


async def three_control_planes(world: World) -> None:
    """etcd has three members; one machine less does not matter; a reset one leaves and is empty."""
    await world.bootstrap("cp-1", "cp-2", "cp-3")
    await world.ready("cp-1", "cp-2", "cp-3")

    async def three() -> bool:
        members = await world.talos("cp-2", "etcd", "members", check=False)
        return all(name in members for name in ("cp-1", "cp-2", "cp-3")) and "true" not in members

    await world.until(three, "three members that vote", 60)
    await world.talos("cp-3", "reset", "--graceful", "--reboot", "--wait=false")
    await world.maintenance("cp-3")

    async def gone() -> bool:
        members = await world.talos("cp-1", "etcd", "members", check=False)
        return "cp-1" in members and "cp-3" not in members

    await world.until(gone, "cp-3 to be no member", 30)
    assert "ok" in await world.kubectl("get", "--raw", "/readyz")


async def another_configuration(world: World) -> None:
    """On a running machine: what Talos owns is taken back, new names are obeyed, and machine.certSANs is the trap it is."""
    await world.bootstrap("cp-1")
    await world.ready("cp-1")
    await taken_back(world)
    patch = {"cluster": {"apiServer": {"certSANs": ["later.castle.example"]}}}
    file = await world.configuration("cp-1", patch)
    assert "without a reboot" in await world.talos("cp-1", "apply-config", "-f", str(file))

    async def has_name() -> bool:
        return "later.castle.example" in await names_of_the_api_server(world)

    await world.until(has_name, "the API server's new name", 30)
    await world.ready("cp-1")
    other_disk = await world.configuration("cp-1", {"machine": {"env": {"A": "b"}}})
    refusal = await world.talos("cp-1", "apply-config", "--mode", "no-reboot", "-f", str(other_disk), check=False)
    assert "can't be applied in immediate mode" in refusal
    trap = await world.configuration("cp-1", {"machine": {"certSANs": ["castle.tailnet.ts.net"]}})
    await world.talos("cp-1", "apply-config", "-f", str(trap))

    async def not_ready() -> bool:
        return "NotReady" in await world.kubectl("get", "nodes", check=False)

    await world.until(not_ready, "the node to go NotReady", 120)


async def taken_back(world: World) -> None:
    async def corefile() -> str:
        return await world.kubectl("-n", "kube-system", "get", "configmap", "coredns", "-o", "yaml", check=False)

    async def talos_own() -> bool:
        found = await corefile()
        return "forward ." in found and "ts.net" not in found

    await world.until(talos_own, "Talos' CoreDNS", 30)
    mine = json.dumps({"data": {"Corefile": "ts.net:53 {}"}})
    await world.kubectl("-n", "kube-system", "patch", "configmap", "coredns", "-p", mine)
    assert "ts.net" in await corefile()
    await world.until(talos_own, "Talos to take its Corefile back", 40)


@pytest.fixture(scope="session")
def found():
    binaries = programs()
    if binaries is None:
        pytest.fail("the toolchain's binaries are not built: python -m rebirth.lab.building.toolchain")
    return binaries


@pytest.mark.parametrize("scenario", [one_and_one, three_control_planes, another_configuration])
def test_machines(scenario, found):
    run_scenario(scenario, found)
