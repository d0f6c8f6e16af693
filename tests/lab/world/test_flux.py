"""The manifests that are built into the flux program; and the program."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from rebirth.lab.building import flux
from rebirth.lab.building.images import declared
from rebirth.lab.building.toolchain import Toolchain, components, sources

EXAMPLE = Path(__file__).parents[3] / "examples/castle/gitops/clusters/tazlab-k8s/flux-system/gotk-components.yaml"
_GO = """#!/bin/sh
[ "$1 $2 $3" = "mod download -json" ] && printf '{"Dir": "%s/%s"}' "$MODULES" "${4%@*}"
"""
_RELEASED = "https://github.com/fluxcd/NAME/releases/download/v9.1.2/NAME"
_FILES = {
    "flux2/manifests/bases/NAME/kustomization.yaml": f"resources: [{_RELEASED}.crds.yaml, {_RELEASED}.deployment.yaml, account.yaml]\n",
    "flux2/manifests/bases/NAME/account.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: NAME}\n",
    "modules/github.com/fluxcd/NAME/config/crd/kustomization.yaml": "resources: [crd.yaml]\n",
    "modules/github.com/fluxcd/NAME/config/crd/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: NAME.example}\n",
    "modules/github.com/fluxcd/NAME/config/manager/kustomization.yaml": "resources: [deployment.yaml]\n",
    "modules/github.com/fluxcd/NAME/config/manager/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\n",
}
_COMMON = {
    "flux2/cmd/flux/main.go": "package main\n",
    "flux2/manifests/bases/other-controller/kustomization.yaml": "resources: [https://github.com/fluxcd/other/releases/download/v1/x.yaml]\n",
    "flux2/manifests/rbac/kustomization.yaml": "resources: [role.yaml]\n",
    "flux2/manifests/rbac/role.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: crd-controller}\n",
    "flux2/manifests/policies/kustomization.yaml": "resources: [policy.yaml]\n",
    "flux2/manifests/policies/policy.yaml": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: allow}\n",
}


@pytest.fixture
def flux2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is read of Flux' and its controllers' sources, with a Go that knows where they are."""
    files = {**_COMMON, "bin/go": _GO}
    for name in flux.CONTROLLERS:
        files |= {file.replace("NAME", name): text.replace("NAME", name) for file, text in _FILES.items()}
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    (tmp_path / "bin/go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MODULES", str(tmp_path / "modules"))
    return tmp_path / "flux2"


async def test_what_a_release_has_comes_out_of_the_controllers_modules(flux2):
    await flux.manifests(flux2)
    made = {file.stem: list(yaml.safe_load_all(file.read_text())) for file in (flux2 / "cmd/flux/manifests").iterdir()}
    assert set(made) == {*flux.CONTROLLERS, "rbac", "policies"}
    for controller in flux.CONTROLLERS:
        assert {item["kind"] for item in made[controller]} == {
            "CustomResourceDefinition",
            "ServiceAccount",
            "Deployment",
        }
    assert "https" in (flux2 / "manifests/bases/source-controller/kustomization.yaml").read_text(), (
        "nothing else changes"
    )


def _built() -> str:
    program = asyncio.run(Toolchain().programs()).get("flux")
    if not program:
        pytest.skip("not built: flux (python -m rebirth.lab.building.toolchain flux)")
    return program


@pytest.mark.lab
def test_the_example_keeps_what_flux_writes():
    done = subprocess.run([_built(), "install", "--export"], capture_output=True, text=True, check=True)
    assert done.stdout == EXAMPLE.read_text()


@pytest.mark.lab
def test_flux_and_its_controllers_are_of_one_release():
    said = subprocess.run([_built(), "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout)["flux"] == next(c.version for c in components() if c.name == "flux")


def test_the_images_of_the_example_are_those_that_the_lab_has():
    deployments = [item for item in yaml.safe_load_all(EXAMPLE.read_text()) if item and item["kind"] == "Deployment"]
    used = {item["spec"]["template"]["spec"]["containers"][0]["image"] for item in deployments}
    assert len(used) == len(flux.CONTROLLERS)
    assert used <= {image.reference for image in declared(sources() / "images" / "images.toml")}
    versions = {component.name: component.version for component in components()}
    assert used == {f"ghcr.io/fluxcd/{name}:{versions[name]}" for name in flux.CONTROLLERS}
