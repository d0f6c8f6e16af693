"""The real Flux controllers, as processes: source-, kustomize- and helm-controller, and source-watcher.

The others (notifications, images) change nothing of what comes up: their kinds are taken as they are written.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.paper.definitions import bare, definition
from rebirth.proof.charts import knowledge
from rebirth.rehearse.processes import Processes
from rebirth.store.files import placed

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller", "source-watcher")
_ARTIFACTS = {"source-controller": 9090, "source-watcher": 9091}  # on which ports who makes them serves them
_EVERYWHERE = (
    "--enable-leader-election=false", "--metrics-addr=0", "--health-addr=0", "--log-level=info",
    # A rehearsal waits for nothing that it can ask again.
    "--requeue-dependency=1s", "--interval-jitter-percentage=0", "--max-retry-delay=10s",
    "--kube-api-qps=500", "--kube-api-burst=1000",
)  # fmt: skip
# Many releases wait for one another, and none may take another's turn.
_CONCURRENT = {"source-controller": 10, "kustomize-controller": 40, "helm-controller": 80, "source-watcher": 5}
# Served versions of the kinds whose controllers do not run, by group: all that are or were.
_OTHERS = {
    "notification.toolkit.fluxcd.io": {"v1", "v1beta1", "v1beta2", "v1beta3"},
    "image.toolkit.fluxcd.io": {"v1", "v1beta1", "v1beta2"},
}


async def crds(toolchain: Toolchain) -> list[dict[str, Any]]:
    """The CRDs of the controllers, as their releases have them, and of Flux's other kinds. Raises Broken."""
    flux = knowledge.of_kind("image.toolkit.fluxcd.io", "ImagePolicy")
    kinds = [(crds.group, kind) for crds in (flux.crds if flux else ()) for kind in crds.kinds if crds.group in _OTHERS]
    others = [definition(bare(*one), {one: _OTHERS[one[0]]}) for one in kinds]
    return [crd for name in CONTROLLERS for crd in await _of(toolchain, name)] + others


async def _of(toolchain: Toolchain, name: str) -> list[dict[str, Any]]:
    """Kept beside the programs: who has been given those need have neither Go nor the sources."""
    program = await toolchain.folder(next(iter(chosen([name]))))
    kept = program.parent.parent / "crds" / f"{program.name}.json"
    if not kept.exists():
        files = sorted((await toolchain.module_folder(name) / "config/crd/bases").glob("*.yaml"))
        text = json.dumps([yaml.safe_load(file.read_text()) for file in files])
        with placed(kept) as unfinished:
            unfinished.write_text(text)
    found: list[dict[str, Any]] = json.loads(kept.read_text())
    return found


@dataclass(frozen=True)
class Controllers:
    """Where they work, and what they meet outside."""

    folder: Path
    programs: Mapping[str, str]
    kubeconfig: Path
    address: str  # on which the source controller serves artifacts
    outside: Mapping[str, str]  # the environment that leads to everything outside

    async def start(self, processes: Processes) -> None:
        """Starts all three."""
        home = self.folder / "home"
        home.mkdir()
        environment = {
            "KUBECONFIG": str(self.kubeconfig),
            "RUNTIME_NAMESPACE": "flux-system",
            "HOME": str(home),
            "TMPDIR": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "REHEARSAL_HEALTH_INTERVAL": "500ms",  # a patch of ours reads it: what is on paper is soon healthy
            **self.outside,
        }
        for name in CONTROLLERS:
            await processes.start(name, [self.programs[name], *self._flags(name)], environment)

    def _flags(self, name: str) -> Iterator[str]:
        yield from _EVERYWHERE
        yield f"--concurrent={_CONCURRENT[name]}"
        if name in {"kustomize-controller", "helm-controller"}:
            yield "--feature-gates=ExternalArtifact=true"  # as `flux install` has it where source-watcher is
        if port := _ARTIFACTS.get(name):
            storage = self.folder / f"{name}-artifacts"
            storage.mkdir()
            yield f"--storage-path={storage}"
            yield f"--storage-addr={self.address}:{port}"
            yield f"--storage-adv-addr={self.address}:{port}"
