"""The real Flux controllers, as processes: their CRDs first, then source-, kustomize- and helm-controller."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rebirth.lab.building.toolchain import Toolchain
from rebirth.rehearse.processes import Processes

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
_ARTIFACTS = 9090  # where the source controller serves them
_EVERYWHERE = (
    "--enable-leader-election=false", "--metrics-addr=0", "--health-addr=0", "--log-level=info",
    # A rehearsal waits for nothing that it can ask again.
    "--requeue-dependency=1s", "--interval-jitter-percentage=0", "--max-retry-delay=10s",
    "--kube-api-qps=500", "--kube-api-burst=1000",
)  # fmt: skip
_CONCURRENT = {"source-controller": 10, "kustomize-controller": 20, "helm-controller": 10}


async def crds(toolchain: Toolchain) -> list[dict[str, Any]]:
    """The CRDs of the controllers, as their releases have them. Raises Broken."""
    folders = [await toolchain.module_folder(name) / "config/crd/bases" for name in CONTROLLERS]
    return [yaml.safe_load(file.read_text()) for folder in folders for file in sorted(folder.glob("*.yaml"))]


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
            **self.outside,
        }
        for name in CONTROLLERS:
            await processes.start(name, [self.programs[name], *self._flags(name)], environment)

    def _flags(self, name: str) -> Iterator[str]:
        yield from _EVERYWHERE
        yield f"--concurrent={_CONCURRENT[name]}"
        if name == "source-controller":
            storage = self.folder / "artifacts"
            storage.mkdir()
            yield f"--storage-path={storage}"
            yield f"--storage-addr={self.address}:{_ARTIFACTS}"
            yield f"--storage-adv-addr={self.address}:{_ARTIFACTS}"
