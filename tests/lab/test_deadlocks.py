"""The proof is about the real world: of each deadlock of the protocol a faulty twin of the example castle is created in the lab.

check finds it beforehand, and create stops; told to go on all the same, it ends where check says. The mended form of all of them
is the example castle itself, which goes online (test_castle).

Of D2 only the second form is here. Talos that keeps its CoreDNS hangs nothing at a first boot: 1.12.0 makes what is missing and leaves
what is there (manifest_apply.go); it writes over what others changed with the next `talosctl upgrade-k8s`, which no container can show.
"""

import subprocess
import time
from pathlib import Path

import pytest

from rehearsal import ready, rehearsed

pytestmark = pytest.mark.lab

RULES = Path(__file__).parents[1] / "proof" / "rules"
TAILNET_NAME = "lushycorp-k8s.magellanic-gondola.ts.net"


@pytest.fixture
def twin(tmp_path, request):
    """The example castle with the change of a rule's case."""
    with rehearsed(tmp_path, "deadlock") as castle:
        patch = RULES / request.param / "change.patch"
        subprocess.run(
            ["git", "apply", "--unsafe-paths", f"--directory={castle.folder}", str(patch)], check=True, cwd="/"
        )
        yield castle


def found_beforehand(castle, rule):
    """create itself proves first: it stops before anything is made."""
    begun = time.monotonic()
    ended, said, complained = castle.run(*castle.in_lab("create", "--budget", "60"))
    assert ended == 3, f"{said}\n{complained}"
    assert rule in said + complained
    assert time.monotonic() - begun < 60, "most of it is the lab's own start"


def created_all_the_same(castle, seconds):
    return castle.run(*castle.in_lab("create", "--unproved", "--budget", str(seconds)))


def hangs(castle, seconds):
    ended, said, complained = created_all_the_same(castle, seconds)
    assert ended == 1, f"it ended with {ended}:\n{said}\n{complained}"
    return said + complained


def says(castle, kind, name, words):
    """A controller tries again and again; between its attempts it says something else."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        item = castle.kubectl("get", kind, "-n", "flux-system", name)
        assert not ready(item)
        told = [entry["message"] for entry in item["status"]["conditions"]]
        if any(words in text for text in told):
            return
        time.sleep(1)
    pytest.fail(f"{kind} {name} does not speak of {words}: {told}")


def flux(castle, kind, name):
    return castle.kubectl("get", kind, "-n", "flux-system", name)


@pytest.mark.parametrize("twin", ["r25_name_before_zone/bad_d1_oauth_secret_through_its_own_zone"], indirect=True)
def test_d1_the_operator_waits_for_a_secret_behind_its_own_zone(twin):
    found_beforehand(twin, "R25")
    hangs(twin, 120)
    assert not ready(twin.kubectl("get", "clustersecretstore", "tazlab-secrets-vault"))
    assert not ready(twin.kubectl("get", "externalsecret", "-n", "tailscale", "operator-oauth"))
    assert not ready(flux(twin, "kustomization", "operators-tailscale"))
    secrets = twin.kubectl("get", "secrets", "-n", "tailscale")["items"]
    assert "operator-oauth" not in {item["metadata"]["name"] for item in secrets}


@pytest.mark.parametrize("twin", ["r38_cluster_dns/bad_d2_kubelets_ask_another_address"], indirect=True)
def test_d2_nobody_answers_where_pods_ask(twin):
    found_beforehand(twin, "R38")
    hangs(twin, 90)
    says(twin, "gitrepository", "flux-system", "lookup github.com")


@pytest.mark.parametrize(
    "twin", ["r01_kind_before_its_crd/bad_d3_resource_beside_the_release_of_its_kind"], indirect=True
)
def test_d3_a_resource_beside_the_release_of_its_kind(twin):
    found_beforehand(twin, "R01")
    hangs(twin, 90)
    says(twin, "kustomization", "operators-tailscale", "DNSConfig")


@pytest.mark.parametrize("twin", ["r39_git_credential/bad_d4_git_token_through_an_external_secret"], indirect=True)
def test_d4_the_git_token_is_in_the_tree(twin):
    found_beforehand(twin, "R39")
    hangs(twin, 150)
    says(twin, "gitrepository", "flux-system", "secret")


@pytest.mark.parametrize("twin", ["r60_corefile/bad_d5_block_on_one_line"], indirect=True)
def test_d5_coredns_does_not_start_again(twin):
    """While it runs it keeps the Corefile that it started with; its next pod does not come up."""
    found_beforehand(twin, "R60")
    created_all_the_same(twin, 180)
    twin.rebirth("lab", "run", "--lab-name", twin.lab.name, "--",
                 "kubectl", "delete", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "--wait=true")  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pods = twin.kubectl("get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns")["items"]
        states = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
        if states and all(state["restartCount"] > 0 and not state["ready"] for state in states):
            return
        time.sleep(2)
    pytest.fail(f"CoreDNS runs: {states}")


@pytest.mark.parametrize("twin", ["r14_no_producer/bad_castle_grafana"], indirect=True)
def test_d6_a_secret_that_no_kustomization_lists(twin):
    found_beforehand(twin, "R14")
    hangs(twin, 240)
    assert not ready(flux(twin, "kustomization", "monitoring"))
    (pod,) = twin.kubectl("get", "pods", "-n", "monitoring")["items"]
    waiting = [status["state"].get("waiting", {}).get("message", "") for status in pod["status"]["containerStatuses"]]
    assert any("grafana-db" in text for text in waiting)


@pytest.mark.parametrize("twin", ["r06_name_in_certificate/bad_d7_name_in_machine_cert_sans"], indirect=True)
def test_d7_the_name_is_in_the_other_certificate(twin):
    """Nothing of create reaches the API by that name; whoever does is refused."""
    found_beforehand(twin, "R06")
    created_all_the_same(twin, 60)
    ended, _, complained = twin.run(
        "lab", "run", "--lab-name", twin.lab.name, "--", "kubectl", "get", "nodes", "--tls-server-name", TAILNET_NAME
    )
    assert ended != 0
    assert TAILNET_NAME in complained
    assert "certificate is valid for" in complained
