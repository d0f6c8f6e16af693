"""What a castle uses, and from where the lab has it: the test castle of what it does not have, with one chart that was fetched."""

import shutil
from pathlib import Path

import pytest

from rebirth.lab.building.charts import Chart
from rebirth.lab.outside.found import find, lacking
from rebirth.lab.outside.missing import Missing
from rebirth.lab.outside.offered import Offered, packages
from rebirth.lab.spec import load_lab
from rebirth.store.store import Store

COVE = Path(__file__).parents[1] / "castles" / "cove"
SHOP = "https://charts.cove.example/stable"
INGRESS = ("https://kubernetes.github.io/ingress-nginx", "ingress-nginx", "4.13.3")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("REBIRTH_FETCHED", str(tmp_path / "fetched"))
    file = tmp_path / "shop.tgz"
    file.write_bytes(Chart("charts.cove.example", "/stable", COVE / "charts/shop").packed()[2])
    kept = Store()
    kept.put_chart(SHOP, file)
    return kept


@pytest.fixture
def metallb(tmp_path):
    """One of the lab's own charts."""
    folder = tmp_path / "metallb"
    folder.mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: metallb\nversion: 0.15.2\n")
    return Chart("metallb.github.io", "/metallb", folder)


def test_a_chart_is_the_labs_own_or_was_fetched(store, metallb):
    offered = Offered([metallb], set(), store)
    assert offered.chart("https://metallb.github.io/metallb/", "metallb", "0.15.x") == metallb.folder
    assert offered.chart("https://metallb.github.io/metallb", "metallb", "0.14.9") is None
    assert offered.chart("https://metallb.github.io", "metallb", "0.15.2") is None
    assert offered.chart(SHOP, "shop", "2.x") == store.chart(SHOP, "shop", "2.4.0") != None  # noqa: E711
    assert offered.chart(*INGRESS) is None


def test_a_chart_of_a_registry(store, metallb):
    (metallb.folder / "OCI").touch()
    offered = Offered([metallb], set(), store)
    assert offered.chart("oci://metallb.github.io/metallb", "metallb", "0.15.2") == metallb.folder
    assert offered.chart("oci://metallb.github.io/metallb/metallb", "", "0.15.2") == metallb.folder
    assert offered.chart("https://metallb.github.io/metallb", "metallb", "0.15.2") is None
    assert list(packages(offered, ())) == []


def test_an_image_is_told_by_the_name_that_docker_reads(store):
    offered = Offered([], {"docker.io/library/nginx:1.29"}, store)
    assert offered.image("nginx:1.29")
    assert not offered.image("nginx")


def test_repositories_serve_what_was_fetched_beside_the_labs_own(store, metallb, tmp_path):
    again = tmp_path / "again.tgz"
    again.write_bytes(metallb.packed()[2])
    store.put_chart("https://metallb.github.io/metallb", again)
    found = list(packages(Offered([metallb], set(), store), ["https://metallb.github.io/metallb", SHOP]))
    assert [(one.host, one.path, one.name) for one in found] == [
        ("metallb.github.io", "/metallb", ("metallb", "0.15.2")),
        ("charts.cove.example", "/stable", ("shop", "2.4.0")),
    ]


async def test_what_is_nowhere_gets_a_stand_in(store, metallb):
    found = await find(COVE, load_lab(COVE), Offered([metallb], set(), store), "PEM")
    served = {one.name: one for one in found.packages}
    for name, version in (("cert-manager", "v1.18.2"), INGRESS[1:], ("kube-prometheus-stack", "78.5.0")):
        assert "stand-in" in served[name, version].meta["description"]
    assert served["shop", "2.4.0"].meta["description"] == "A shop of a test"
    assert served["ingress-nginx", "4.13.3"].host == "kubernetes.github.io"


async def test_what_is_missing_is_said(store):
    missing = await lacking(COVE, [])
    charts = {one.split()[0] for one in missing.charts}
    assert {"cert-manager", "cloudnative-pg", "ingress-nginx", "kube-prometheus-stack"} <= charts
    assert "shop" not in charts
    (said, *_) = missing.lines
    assert said.startswith(
        "missing charts (stand-ins are served, made of what is known of them): metallb 0.14.9 of https://metallb.github.io/metallb, "
    )
    assert said.endswith(" more")


def test_few_are_named_and_nothing_is_said_of_nothing():
    assert list(Missing().lines) == []
    assert list(Missing(images=("redis:8",)).lines) == [
        "missing images (containers that need them run on paper): redis:8",
        "`rebirth fetch` brings what can be had, images with --images all",
    ]


async def test_a_castle_that_cannot_be_read_is_for_its_proof_to_tell(store, tmp_path):
    castle = tmp_path / "cove"
    shutil.copytree(COVE, castle)
    shutil.rmtree(castle / "gitops/clusters")
    found = await find(castle, load_lab(castle), Offered([], set(), store), "PEM")
    assert found.packages == ()
