"""Charts as they are packed and served; the real helm reads them in test_lab.py."""

import io
import tarfile
from pathlib import Path

import httpx
import pytest
import yaml

from rebirth.errors import Broken
from rebirth.lab.building.charts import Chart, Package, charts_app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    chart = tmp_path / "chart"
    for name, text in {
        "Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies: [{name: sub}, {name: other}]\n",
        "templates/app.yaml": "kind: ConfigMap\n",
        "templates/crds/README.md": "not a template",
        "charts/sub/Chart.yaml": "name: sub\n",
        "charts/other-1.0.tgz": "",
        "charts/otherwise/Chart.yaml": "name: otherwise\n",
        "ci/values.yaml": "",
        "templates/ci.yaml": "",
        "notes~": "",
        ".helmignore": "# comment\n*~\nci/\ntemplates/crds/README.md\n.helmignore\n",
    }.items():
        (chart / name).parent.mkdir(parents=True, exist_ok=True)
        (chart / name).write_text(text)
    return chart


def content(package: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def test_what_helm_leaves_out_is_left_out_and_nothing_else(folder):
    name, _, package = Chart("charts.example", "/", folder, drop_dependencies=("other",)).packed()
    assert name == "app-1.0.0.tgz"
    assert set(content(package)) == {
        "app/Chart.yaml",
        "app/charts/otherwise/Chart.yaml",
        "app/charts/sub/Chart.yaml",
        "app/templates/app.yaml",
        "app/templates/ci.yaml",
    }


def test_a_dropped_dependency_is_not_asked_for(folder):
    _, meta, _ = Chart("charts.example", "/", folder, drop_dependencies=("other",)).packed()
    assert [dependency["name"] for dependency in meta["dependencies"]] == ["sub"]


def test_a_version_may_be_raised_and_files_added(folder):
    chart = Chart("charts.example", "/", folder, version="2.0.0", extra_files={"templates/crds.yaml": b"kind: X"})
    name, _, package = chart.packed()
    assert name == "app-2.0.0.tgz"
    assert content(package)["app/templates/crds.yaml"] == b"kind: X"
    assert yaml.safe_load(content(package)["app/Chart.yaml"])["version"] == "2.0.0"


def test_the_same_chart_is_the_same_package(folder):
    chart = Chart("charts.example", "/", folder)
    assert chart.packed() == chart.packed()


def test_a_broken_chart_is_named(folder):
    (folder / "Chart.yaml").write_text("description: a: b")
    with pytest.raises(Broken, match=r"chart/Chart\.yaml"):
        Chart("charts.example", "/", folder).packed()


async def test_repositories_are_told_apart_by_host_and_path(folder):
    app = charts_app(map(Package.of, [Chart("one.example", "/charts", folder), Chart("two.example", "/", folder)]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        index = yaml.safe_load((await client.get("https://one.example/charts/index.yaml")).text)
        (entry,) = index["entries"]["app"]
        assert entry["urls"] == ["https://one.example/charts/app-1.0.0.tgz"]
        assert (await client.get(entry["urls"][0])).status_code == 200
        assert (await client.get("https://two.example/index.yaml")).status_code == 200
        assert (await client.get("https://one.example/index.yaml")).status_code == 404
        assert (await client.get("https://two.example/charts/index.yaml")).status_code == 404
