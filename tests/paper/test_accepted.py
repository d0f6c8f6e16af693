"""Every chart on paper is rendered by the real helm, and what it makes is taken by a real API server."""

import asyncio
import json
import shutil
import subprocess

import pytest
import yaml

from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.lab.ca import Authority
from rebirth.paper.charts import paper_charts
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.processes import Processes
from releases import known, model

pytestmark = pytest.mark.lab


class Nothing:
    def chart(self, url, name, version):
        return None

    def git(self, url):
        return None


@pytest.fixture(scope="module")
def programs():
    return asyncio.run(Toolchain().programs(chosen(["helm", "etcd", "kubernetes"])))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory, programs):
    """The objects of every release, by release; of CRDs first."""
    folder = tmp_path_factory.mktemp("charts")
    charts, stand_ins = paper_charts(model(known(folder / "tree")), Nothing(), Authority("test").pem)
    found = {}
    for chart in charts:
        archive = folder / f"{chart.name}-{chart.version}.tgz"
        archive.write_bytes(chart.archive)
        lint = subprocess.run([programs["helm"], "lint", archive], capture_output=True, text=True, check=False)
        assert lint.returncode == 0, lint.stdout
        for one in stand_ins:
            if (one.url, one.chart, one.version) != (chart.url, chart.name, chart.version):
                continue
            namespace, _, name = one.release.partition(" ")[2].partition("/")
            said = subprocess.run(
                [programs["helm"], "template", name, archive, "--namespace", namespace, "--include-crds"],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            found[name] = [item for item in yaml.safe_load_all(said) if item]
    return found


def test_every_release_makes_something(rendered):
    assert len(rendered) >= 40
    assert not [name for name, items in rendered.items() if not items]


async def test_the_api_server_takes_all_of_it(rendered, short_path, programs):
    processes = Processes(short_path / "logs")
    plane = ControlPlane(short_path / "cluster", programs, processes, Authority("test"))

    def kubectl(*arguments, items):
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        argv = [shutil.which("kubectl"), f"--kubeconfig={plane.kubeconfig}", *arguments, "-f", "-"]
        return subprocess.run(argv, input=listed, capture_output=True, text=True, check=False)

    try:
        cluster = await plane.start()
        await cluster.close()
        kubectl("create", items=[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}])
        every = {(item["kind"], item["metadata"]["name"]): item for items in rendered.values() for item in items}
        crds = [item for key, item in every.items() if key[0] == "CustomResourceDefinition"]
        said = kubectl("create", items=crds)
        assert said.returncode == 0, said.stderr
        kubectl("wait", "--for=condition=Established", "--timeout=30s", items=crds)
        rest = [item for key, item in every.items() if key[0] != "CustomResourceDefinition"]
        said = kubectl("create", "--namespace=apps", "--dry-run=server", items=rest)
        assert said.returncode == 0, said.stderr
        assert len(said.stdout.splitlines()) == len(rest)
    finally:
        await processes.stop()
