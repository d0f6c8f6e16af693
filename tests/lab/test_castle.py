"""The example castle, whole: nothing -> online -> again without a write -> off and on -> nothing -> killed on its way -> online.

And no secret anywhere.
"""

import random
import signal
import sys
import time
from pathlib import Path

import pytest

from rehearsal import check_proxmox_was_asked_as_published, ready, rehearsed

pytestmark = pytest.mark.lab
SERVICE_ON_THE_TAILNET = """
apiVersion: v1
kind: Service
metadata: {name: blog-inside, namespace: blog, annotations: {tailscale.com/hostname: blog-inside}}
spec:
  type: LoadBalancer
  loadBalancerClass: tailscale
  selector: {app: blog}
  ports: [{name: http, port: 80, targetPort: http}]
"""


@pytest.fixture
def castle(tmp_path):
    with rehearsed(tmp_path) as castle:
        yield castle


def test_the_example_castle(castle):
    said = castle.inside("create", "--budget", "600")
    assert "online after" in said
    assert "https://blog.tazlab.example says: Ephemeral Castle" in said
    check_the_cluster(castle)
    check_no_secret_anywhere(castle)
    check_a_service_on_the_tailnet(castle)
    castle.inside("verify")
    castle.inside("status")
    check_again_without_a_write(castle)

    run_script(castle, "pending_release.py")

    check_all_machines_off_and_on_again(castle)

    castle.inside("destroy", "--yes")
    check_nothing_is_left(castle)
    castle.inside("destroy", "--yes")

    create_killed_and_run_again(castle)
    check_the_cluster(castle)
    assert check_proxmox_was_asked_as_published(castle)["POST /nodes/{node}/qemu"] >= 2


def run_script(castle, name):
    script = str(Path(__file__).with_name(name))
    return castle.rebirth("lab", "run", "--lab-name", castle.lab.name, "--", sys.executable, script, str(castle.folder))


def check_the_cluster(castle):
    nodes = castle.kubectl("get", "nodes")["items"]
    assert len(nodes) == 2
    assert all(ready(node) and node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.35") for node in nodes)
    assert all(map(ready, castle.kubectl("get", "kustomizations", "-A")["items"]))
    assert all(map(ready, castle.kubectl("get", "helmreleases", "-A")["items"]))
    assert all(map(ready, castle.kubectl("get", "clustersecretstores")["items"]))
    born = castle.kubectl("get", "secret", "-n", "tazlab-db", "tazlab-db-pguser-grafana")["data"]["password"]
    assert castle.kubectl("get", "secret", "-n", "monitoring", "grafana-db")["data"]["password"] == born
    (grafana,) = castle.kubectl("get", "pods", "-n", "monitoring")["items"]
    assert [entry["ready"] for entry in grafana["status"]["containerStatuses"]] == [True] * 3
    assert castle.kubectl("get", "deploy", "-n", "kube-system", "coredns")["status"]["availableReplicas"] == 2


def check_a_service_on_the_tailnet(castle):
    """Tailscale's own: a Service becomes a device, the operator's machine fetches the blog by its name, and it goes again."""

    def run(*argv):
        return castle.run("lab", "run", "--lab-name", castle.lab.name, "--", *argv)

    def until(true, seconds=90):
        since = time.monotonic()
        while not true():
            assert time.monotonic() - since < seconds
            time.sleep(1)

    file = castle.folder.parent / "service.yaml"
    file.write_text(SERVICE_ON_THE_TAILNET)
    castle.rebirth("lab", "run", "--lab-name", castle.lab.name, "--", "kubectl", "apply", "-f", str(file))
    page = ("curl", "-sS", "--max-time", "5", "http://blog-inside.magellanic-gondola.ts.net/")
    until(lambda: "Ephemeral Castle" in run(*page)[1])
    (device,) = [name for name in castle.ask("/status")["devices"] if name.startswith("blog-inside")]
    assert device == "blog-inside"
    castle.rebirth("lab", "run", "--lab-name", castle.lab.name, "--", "kubectl", "delete", "-f", str(file))
    until(lambda: device not in castle.ask("/status")["devices"])


def check_no_secret_anywhere(castle):
    canaries = castle.canaries()
    assert len(canaries) >= 6
    for file in [*castle.folder.rglob("*"), *castle.lab.log.rglob("*")]:
        if file.is_file():
            text = file.read_text(errors="replace")
            assert not [canary for canary in canaries if canary in text], f"a secret stands in {file}"
    for kind in ("cmdline", "environ"):
        for process in Path("/proc").glob(f"[0-9]*/{kind}"):
            try:
                text = process.read_text(errors="replace")
            except OSError:
                continue
            assert not [canary for canary in canaries if canary in text], f"a secret stands in {process}"


def check_again_without_a_write(castle):
    before, admin_before, since = castle.ask("/writes"), castle.operators_writes(), time.monotonic()
    assert any("/api/v1/namespaces" in write for write in admin_before), "the first create is in the audit log"
    assert "nothing to do: everything is in place" in castle.inside("create")
    seconds = time.monotonic() - since
    after = castle.ask("/writes")
    # The cluster's own controllers go on meanwhile: of what they talk to, too, only the operator's side is compared.
    for system in ("proxmox", "tailscale", "git", "vault"):
        assert after.get(system, 0) == before.get(system, 0), system
    assert castle.operators_writes() == admin_before
    started = {event["phase"] for event in castle.last_events() if event["event"] == "PhaseStarted"}
    assert started == {"resolve_secrets"}, "nothing but reading"
    assert seconds < 10, f"took {seconds:.1f} s"


def check_all_machines_off_and_on_again(castle):
    """The castle comes back by itself, and everything is the same device of the tailnet as before."""
    before = castle.ask("/status")["devices"]
    assert {"tazlab-k8s-operator", "tailscale-vault"} <= set(before)
    said = run_script(castle, "power_cycle.py")
    assert "the sites answer after" in said
    assert "the store is valid after" in said
    assert castle.ask("/status")["devices"] == before, said
    castle.inside("create", "--budget", "120")  # waits for what takes longer to come back, such as the database
    assert "nothing to do: everything is in place" in castle.inside("create")


def check_nothing_is_left(castle):
    left = castle.ask("/status")
    assert left["machines"] == {}
    assert left["devices"] == ["lushycorp-vault", "workstation"]
    assert not list((castle.lab.secrets / "produced").glob("*"))
    assert not list(castle.lab.folder.glob("machines/*"))


def create_killed_and_run_again(castle):
    """SIGKILL at instants that are different each time; what the killed run had started goes on for a while, as in life."""
    instants = sorted(random.uniform(2, 45) for _ in range(4))
    for seconds in [*instants, None]:
        with castle.start(*castle.in_lab("create", "--budget", "600")) as process:
            if seconds is None:
                said, complained = process.communicate()
                break
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
    words = f"killed after {', '.join(f'{seconds:.1f}' for seconds in instants)} s:\n{said}\n{complained}"
    assert process.returncode == 0, words
    assert "https://blog.tazlab.example says: Ephemeral Castle" in said, words
    status = castle.ask("/status")
    assert len(status["machines"]) == 2, words
    assert not [name for name in status["devices"] if name.endswith("-1") and name != "tazlab-k8s-worker-1"], words
