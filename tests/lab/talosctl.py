"""What the real talosctl gets from a lab's machines: Talos' own answers."""

import json
import time

from lab.switching import until

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Talosctl:
    """talosctl inside a castle's lab, with the credentials that create made."""

    def __init__(self, castle, machines):
        self._castle, self.machines = castle, {machine.name: machine for machine in machines.nodes}

    def run(self, *arguments, code=0):
        """Both outputs of talosctl."""
        ended, said, complained = self._run(*arguments)
        assert code == ended, f"talosctl {arguments} ended with {ended}:\n{said}\n{complained}"
        return said + complained

    def _run(self, *arguments, before=()):
        inside = ("lab", "run", "--lab-name", self._castle.lab.name, "--", *before, "talosctl")
        return self._castle.run(*inside, *arguments)

    def at(self, name, *arguments, code=0):
        return self.run("--nodes", str(self.machines[name].address), *arguments, code=code)

    # reset and shutdown wait for an event that comes just before the machine's API goes, and for ever where it got lost:
    # what came of them is asked for instead.

    def shut_down(self, name):
        self.at(name, "shutdown", "--wait=false")

    def reset(self, name):
        """Wiped, booted anew, and waiting for its first configuration."""
        self.at(name, "reset", "--graceful", "--reboot", "--wait=false")
        asked = ("--nodes", str(self.machines[name].address), "get", "--insecure", "machinestatus")
        briefly = ("timeout", "10")  # a machine that goes leaves connections without an answer
        what = f"{name} waits for its first configuration"
        until(lambda: "maintenance" in self._run(*asked, before=briefly)[1], what, 180)

    def read(self, name, path, seconds=60, other_than=""):
        """A file of the machine, once it says something else than `other_than`; without an answer for a while, as long as it
        boots, or its API starts anew with another certificate.
        """
        end = time.monotonic() + seconds
        while True:
            ended, said, complained = self._run("--nodes", str(self.machines[name].address), "read", path)
            if ended == 0 and said.strip() != other_than:
                return said.strip()
            assert time.monotonic() < end, f"{path} not read after {seconds} s: {said}{complained}"
            time.sleep(1)

    def until_rebooted(self, name, before):
        """Until the machine has another boot id than `before`."""
        self.read(name, _BOOT_ID, 120, other_than=before)

    def until_ready(self, seconds=180):
        """Until every node is Ready, as the API server says; how long that took."""
        since = time.monotonic()
        while time.monotonic() - since < seconds:
            inside = ("lab", "run", "--lab-name", self._castle.lab.name, "--", "kubectl", "get", "nodes", "-o", "json")
            ended, said, _ = self._castle.run(*inside)
            if ended == 0:
                nodes = json.loads(said)["items"]
                states = [c["status"] for n in nodes for c in n["status"]["conditions"] if c["type"] == "Ready"]
                if states == ["True"] * len(self.machines):
                    return time.monotonic() - since
            time.sleep(1)
        raise AssertionError(f"not Ready after {seconds} s: {said}")


def check_answers(talos, castle_name, control_plane, worker):
    """Everything that only reads."""
    assert "all k8s nodes to report schedulable: OK" in talos.at(control_plane, "health", "--wait-timeout", "5m")
    members = talos.at(control_plane, "get", "members")
    assert all(name in members for name in talos.machines), members
    card = talos.machines[worker].mac_address(castle_name)
    assert card in talos.at(worker, "get", "links")
    addresses = talos.at(worker, "get", "addresses")
    assert f"eth0/{talos.machines[worker].address}/24" in addresses, addresses
    etcd = talos.at(control_plane, "service", "etcd")
    assert "STATE    Running" in etcd, etcd
    assert "HEALTH   OK" in etcd, etcd
    assert talos.at(worker, "logs", "kubelet", "--tail", "3").count("\n") >= 3
    assert "kern" in talos.at(worker, "dmesg")
    planes = [machine for machine in talos.machines.values() if machine.role == "controlplane"]
    found = talos.at(control_plane, "etcd", "members")
    assert sum(f"https://{machine.address}:2380" in found for machine in planes) == len(planes), found


def check_snapshot(talos, control_plane, file):
    assert "etcd snapshot saved" in talos.at(control_plane, "etcd", "snapshot", str(file))
    assert file.stat().st_size > 1 << 20


def check_changes(talos, worker, folder):
    """Applied to a running machine, staged, with a reboot, and what container mode refuses."""
    setting = "/proc/sys/net/core/somaxconn"
    said = talos.at(worker, "patch", "mc", "--mode=no-reboot", "-p", _sysctl(1023))
    assert "without a reboot" in said, said
    assert talos.read(worker, setting) == "1023"
    said = talos.at(worker, "patch", "mc", "--mode=staged", "-p", _sysctl(1022))
    assert "staged" in said.lower(), said
    assert talos.read(worker, setting) == "1023"
    assert "method is not supported in container mode" in talos.at(worker, "upgrade", "--image", "a/b:c", code=1)
    booted = talos.read(worker, _BOOT_ID)
    talos.at(worker, "reboot", "--timeout", "5m")
    talos.until_rebooted(worker, booted)
    assert talos.read(worker, setting) == "1022", "what was staged holds after the reboot"
    talos.until_ready()

    file = folder / "worker.yaml"
    file.write_text(talos.read(worker, "/system/state/config.yaml").replace('"1022"', '"1021"'))
    assert "1021" in talos.at(worker, "apply-config", "--file", str(file), "--mode=auto", "--dry-run")
    assert talos.read(worker, setting) == "1022", "a dry run changes nothing"
    booted = talos.read(worker, _BOOT_ID)
    talos.at(worker, "apply-config", "--file", str(file), "--mode=reboot")
    talos.until_rebooted(worker, booted)
    assert talos.read(worker, setting) == "1021"
    talos.until_ready()


def _sysctl(value):
    return json.dumps({"machine": {"sysctls": {"net.core.somaxconn": str(value)}}})
