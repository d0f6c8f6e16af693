"""What a release of Flux adds to the sources of its program: the manifests that `flux install` and `flux bootstrap` write.

Upstream's build takes them from the controllers' releases (manifests/scripts/bundle.sh of flux2 names them, and runs
kustomize); here the same files come out of the modules of the same versions, and kubectl's kustomize builds them.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path

from rebirth.lab.building.running import run
from rebirth.lab.building.wheels import wheel_program

# The controllers whose modules can be had: component.toml's patch makes them the default of `flux install`.
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
_RELEASED = re.compile(
    r"https://github\.com/(?P<module>fluxcd/[\w-]+)/releases/download/(?P<version>[^/]+)/(?P<file>[\w.-]+)"
)
_BUILT_FROM = {"crds": "config/crd", "deployment": "config/manager"}


async def manifests(flux2: Path) -> None:
    """Writes cmd/flux/manifests of a copy of flux2. Raises Broken."""
    target = flux2 / "cmd/flux/manifests"
    target.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        bases = Path(folder) / "manifests"
        shutil.copytree(flux2 / "manifests", bases)
        for controller in CONTROLLERS:
            await _local(bases / "bases" / controller)
            await _build(bases / "bases" / controller, target / f"{controller}.yaml")
        for name in ("rbac", "policies"):
            await _build(bases / name, target / f"{name}.yaml")


async def _local(base: Path) -> None:
    """What the base takes from a controller's release is built beside it, out of the controller's module."""
    file = base / "kustomization.yaml"
    text = file.read_text()
    for released in _RELEASED.finditer(text):
        wanted = f"github.com/{released['module']}@{released['version']}"
        said = json.loads(await run("go", "mod", "download", "-json", wanted, cwd=base))
        kind = released["file"].split(".")[1]
        await _build(Path(said["Dir"]) / _BUILT_FROM[kind], base / released["file"])
    file.write_text(_RELEASED.sub(lambda released: released["file"], text))


async def _build(folder: Path, file: Path) -> None:
    file.write_text(await run(wheel_program("kubectl"), "kustomize", str(folder)))
