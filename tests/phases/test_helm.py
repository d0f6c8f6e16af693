"""Helm releases: whose they are, and what of a failure passes by itself."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from rebirth.commands import Commands
from rebirth.errors import Broken, NotYet
from rebirth.paths import Paths
from rebirth.providers.helm import Helm
from rebirth.secrets import Redaction

PROGRAMS = Path(__file__).parents[1] / "programs"
INDEX = 'looks like "https://charts.example" is not a valid chart repository or cannot be reached: '


class NoCluster:
    """Nothing here asks the cluster."""


@pytest.fixture
def helm(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPER_HELM", str(tmp_path))
    monkeypatch.setenv("PATH", f"{PROGRAMS}:/usr/bin:/bin")
    paths = Paths(tmp_path, tmp_path, tmp_path / "produced", tmp_path / "state", tmp_path / "logs")
    client = Helm(paths=paths, commands=Commands(Redaction()), cluster=NoCluster())

    def holds(*charts):
        entry = {"name": "metallb", "status": "deployed", "revision": "1", "updated": "2026-01-01T00:00:00+00:00"}
        (tmp_path / "releases").write_text(json.dumps([{**entry, "chart": chart} for chart in charts]))

    async def install():
        await client.ensure(
            name="metallb", namespace="metallb-system", chart="metallb", version="0.15.2",
            repository="https://charts.example", values={"a": 1},
        )  # fmt: skip

    def calls():
        return (tmp_path / "calls").read_text().split()

    holds()
    return SimpleNamespace(
        install=install,
        holds=holds,
        calls=calls,
        fails=lambda words: (tmp_path / "fails").write_text(f"Error: {words}\n"),
    )


@pytest.mark.parametrize("chart", [None, "metallb-0.15.2", "metallb-v0.14.0", "metallb-1.0.0-rc.1"])
async def test_a_release_of_the_chart_is_installed_or_upgraded(helm, chart):
    helm.holds(*([chart] if chart else []))
    await helm.install()
    assert helm.calls() == ["list", "upgrade"]


@pytest.mark.parametrize("chart", ["nginx-1.2.3", "metallb-operator-0.15.2", "my-metallb-0.15.2", "metallb"])
async def test_a_release_of_another_chart_is_somebody_elses(helm, chart):
    helm.holds(chart)
    with pytest.raises(Broken, match=f"the release metallb in metallb-system is one of the chart {chart}") as caught:
        await helm.install()
    assert "helm uninstall metallb --namespace metallb-system" in caught.value.hint
    assert helm.calls() == ["list"]


@pytest.mark.parametrize(
    "words",
    [
        f"{INDEX}failed to fetch https://charts.example/index.yaml : 503 Service Unavailable",
        f"{INDEX}failed to fetch https://charts.example/index.yaml : 429 Too Many Requests",
        f"{INDEX}failed to fetch https://charts.example/index.yaml : 500 Internal Server Error",
        "failed to fetch https://charts.example/metallb-0.15.2.tgz : 502 Bad Gateway",
        f'{INDEX}Get "https://charts.example/index.yaml": EOF',
        f'{INDEX}Get "https://charts.example/index.yaml": unexpected EOF',
        f'{INDEX}Get "https://charts.example/index.yaml": read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer',
        f'{INDEX}Get "https://charts.example/index.yaml": context deadline exceeded (Client.Timeout exceeded)',
        f'{INDEX}Get "https://charts.example/index.yaml": dial tcp 10.0.0.2:443: connect: connection timed out',
        f'{INDEX}Get "https://charts.example/index.yaml": dial tcp 10.0.0.2:443: connect: no route to host',
        f'{INDEX}Get "https://charts.example/index.yaml": net/http: TLS handshake timeout',
        f'{INDEX}Get "https://charts.example/index.yaml": dial tcp: lookup charts.example: Temporary failure in name resolution',
        "unexpected status from HEAD request to https://ghcr.io/v2/x/manifests/1: 503 Service Unavailable",
        "response status code 429: toomanyrequests: slow down",
    ],
)
async def test_what_passes_by_itself(helm, words):
    helm.fails(words)
    with pytest.raises(NotYet, match="helm: install metallb") as caught:
        await helm.install()
    assert caught.value.hint
    await helm.install()


@pytest.mark.parametrize(
    "words",
    [
        f"{INDEX}failed to fetch https://charts.example/index.yaml : 404 Not Found",
        f"{INDEX}failed to fetch https://charts.example/index.yaml : 403 Forbidden",
        'chart "metallb" matching 0.15.2 not found in https://charts.example index. (try helm repo update)',
        "values don't meet the specifications of the schema(s): replicas must be less than 500",
        'Deployment "a" exists and cannot be imported: invalid ownership metadata; already exists',
    ],
)
async def test_what_a_person_has_to_look_at(helm, words):
    helm.fails(words)
    with pytest.raises(Broken, match="helm: install metallb"):
        await helm.install()
