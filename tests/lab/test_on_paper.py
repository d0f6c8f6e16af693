"""A castle of which the lab has next to nothing: charts that were not fetched, one that was, no image of its own.

cert-manager, CloudNativePG, ingress-nginx, a MetalLB of another version and the CRDs of kube-prometheus-stack are made of what is known of them; the shop's own chart
is rendered as it is, with a claim, a Secret out of SOPS, a DaemonSet that wants hardware, and a Job.
"""

import json
from pathlib import Path

import pytest

from lab.switching import until
from rebirth.lab.building.charts import Chart
from rebirth.store.store import Store
from rehearsal import ready, rehearsed

pytestmark = pytest.mark.long

COVE = Path(__file__).parent / "castles" / "cove"
SITE = "https://shop.cove.example"
INGRESS = "registry.k8s.io/ingress-nginx/controller"


@pytest.fixture(autouse=True)
def fetched(tmp_path, monkeypatch):
    """The shop's chart is in the store."""
    monkeypatch.setenv("REBIRTH_FETCHED", str(tmp_path / "fetched"))
    file = tmp_path / "shop.tgz"
    file.write_bytes(Chart("charts.cove.example", "/stable", COVE / "charts/shop").packed()[2])
    Store().put_chart("https://charts.cove.example/stable", file)


def test_a_castle_of_what_the_lab_does_not_have(tmp_path):
    with rehearsed(tmp_path, "cove", COVE) as castle:
        ended, said, complained = castle.run(*castle.in_lab("create", "--budget", "400"))
        assert ended == 0, said + complained
        assert "missing charts (stand-ins are served, made of what is known of them): metallb" in complained
        assert f"{SITE} says: on paper: {INGRESS}" in said
        assert f"online (on paper)\n{SITE} is answered in the place of {INGRESS}\n" in said
        check_the_cluster(castle)
        check_the_report(json.loads(castle.inside("create", "--json")))
        castle.inside("destroy", "--yes")

        settings = castle.folder / "gitops/apps/kustomization.yaml"
        settings.write_text(settings.read_text().replace("  - settings.sops.yaml\n", ""))
        ended, said, complained = castle.run(*castle.in_lab("create", "--unproved", "--budget", "150"))
        assert ended == 1, "in the castle's second life, too, what it lacks is told by the real kubelet"
        assert (
            'Deployment shop/shop: container shop: CreateContainerConfigError: secret "settings" not found'
            in complained
        )
        assert "online (on paper)" not in said


def check_the_cluster(castle) -> None:
    assert all(map(ready, castle.kubectl("get", "helmreleases", "-A")["items"]))
    (claim,) = castle.kubectl("get", "persistentvolumeclaims", "-n", "shop")["items"]
    assert claim["status"]["phase"] == "Bound"
    pods = {pod["metadata"]["name"]: pod for pod in castle.kubectl("get", "pods", "-n", "shop")["items"]}
    phases = {name.rpartition("-")[0]: pod["status"]["phase"] for name, pod in pods.items()}
    assert phases["shop-migrate"] == "Succeeded"
    assert phases["shop-scales"] == "Running"
    (secret,) = castle.kubectl("get", "secret", "-n", "shop", "shop-tls", "orders-app", "--ignore-not-found")["items"][
        :1
    ]
    assert secret["data"], "what cert-manager and CloudNativePG would make"
    hook = castle.kubectl("get", "validatingwebhookconfiguration", "validate.nginx.ingress.kubernetes.io")
    assert hook["webhooks"][0]["clientConfig"]["caBundle"]
    until(lambda: ready(castle.kubectl("get", "certificate", "-n", "shop", "shop")), "a Certificate on paper is Ready")


def check_the_report(answer) -> None:
    lab = answer["lab"]
    assert lab["online_on_paper"]
    assert lab["sites_on_paper"] == [{"url": SITE, "image": INGRESS}]
    paper = {f"{one['kind']} {one['namespace']}/{one['name']}": one["paper"] for one in lab["paper"]}
    assert paper["Deployment shop/shop"] == ["docker.io/library/busybox:1.37.0", "ghcr.io/cove-example/shop:2.4"]
    assert {
        "DaemonSet shop/shop-scales",
        "Job shop/shop-migrate",
        "Deployment cert-manager/cert-manager",
    } <= paper.keys()
    real = {f"{one['kind']} {one['namespace']}/{one['name']}" for one in lab["real"]}
    assert {"Deployment flux-system/source-controller", "DaemonSet kube-system/kube-flannel"} <= real
