"""Where a castle's files are: what the operator wrote, what a run leaves, and where produced credentials go.

The one place that knows the difference between the real world and a lab: a rehearsal reads its own vault directory and
keeps its own state, so that it can neither use nor overwrite anything of the real castle.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rebirth.castle.vault_directory import Secrets

LAB = "REBIRTH_LAB"  # the lab's name, set by the lab for what runs inside it
VAULT_DIRECTORY = "REBIRTH_VAULT_DIRECTORY"  # stands before secrets.directory of the castle
REPOSITORY = "REBIRTH_REPOSITORY"  # in a lab: the folder that its Git host serves as the castle's repository


@dataclass(frozen=True)
class Paths:
    castle: Path  # the castle directory
    vault: Path  # the vault directory: one file per secret
    produced: Path  # below it: Talos secrets bundle, talosconfig, kubeconfig
    state: Path  # journal and lock
    logs: Path  # one folder per run
    lab: str | None = None
    repository: Path | None = None  # in a lab: the files of the castle's repository

    @property
    def kubeconfig(self) -> Path:
        return self.produced / "kubeconfig"

    @property
    def talosconfig(self) -> Path:
        return self.produced / "talosconfig"

    @property
    def talos_secrets(self) -> Path:
        return self.produced / "talos-secrets.yaml"

    @property
    def scratch(self) -> Path:
        """What talosctl reads, for as long as it reads."""
        return self.produced / ".scratch"


def paths_of(directory: Path, secrets: "Secrets", environment: Mapping[str, str] = os.environ) -> Paths:
    """The places of the castle in `directory`, as the environment asks for them."""
    castle = directory.resolve()
    declared = environment.get(VAULT_DIRECTORY) or secrets.directory
    vault = (castle / Path(declared).expanduser()).resolve()
    lab = environment.get(LAB) or None
    state = castle / ".rebirth" / (f"lab-{lab}" if lab else "real")
    served = environment.get(REPOSITORY) if lab else None
    repository = Path(served) if served else None
    return Paths(castle, vault, vault / secrets.produced, state, castle / "logs", lab, repository)
