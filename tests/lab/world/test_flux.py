"""The lab's stand-in of the flux program."""

import subprocess
import sys
from pathlib import Path

import pytest

from rebirth.lab.building import flux

EXAMPLE = Path(__file__).parents[3] / "examples/castle/gitops/clusters/tazlab-k8s/flux-system/gotk-components.yaml"
_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: manager, image: fluxcd/NAME, args: [--log-level=info]}]}
---
kind: Other
"""


@pytest.fixture
def modules(tmp_path):
    """What is read of the controllers' sources."""
    for name in flux.CONTROLLERS:
        for file, text in {
            f"config/crd/bases/{name}.yaml": f"kind: CustomResourceDefinition\nmetadata: {{name: {name}.example}}\n",
            "config/manager/deployment.yaml": _DEPLOYMENT.replace("NAME", name),
        }.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text)
    return {name: tmp_path / name for name in flux.CONTROLLERS}


def test_what_flux_consists_of(modules):
    found = list(flux.objects(modules, dict.fromkeys(flux.CONTROLLERS, "v9")))
    kinds = [item["kind"] for item in found]
    assert kinds[0] == "Namespace"
    assert kinds.count("CustomResourceDefinition") == kinds.count("Deployment") == kinds.count("ServiceAccount") == 3
    deployment = found[-1]["spec"]["template"]["spec"]
    assert deployment["containers"][0]["image"] == "ghcr.io/fluxcd/helm-controller:v9"
    assert deployment["serviceAccountName"] == "helm-controller"


def test_it_is_a_program_that_says_what_it_cannot_do(tmp_path):
    flux.write_program(tmp_path / "bin")
    done = subprocess.run([tmp_path / "bin/flux", "get", "all"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "stand-in knows `flux install --export` only" in done.stderr


@pytest.mark.lab
def test_the_example_keeps_what_it_writes():
    done = subprocess.run(
        [sys.executable, "-m", "rebirth.lab.building.flux", "install", "--export"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == EXAMPLE.read_text()
