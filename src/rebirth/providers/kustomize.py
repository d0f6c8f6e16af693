"""Builds kustomizations with kustomize itself: `kubectl kustomize`, or kustomize on PATH. Builds are cached by content."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from rebirth.commands import Commands
from rebirth.errors import Broken

_FORMAT = "1"  # of the cache; another one where what is kept changes


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "rebirth" / "kustomize"


class Kustomize:
    """Builds one folder at a time; the text that comes out names the file of each object in an annotation."""

    ORIGIN = "config.kubernetes.io/origin"

    def __init__(self, *, commands: Commands, cache: Path | None = None) -> None:
        self._commands, self._cache = commands, cache or cache_directory()
        self._program = _program()

    async def build(self, *, folder: Path, root: Path, reads: Iterable[Path], wrapped: Mapping[str, Any]) -> str:
        """The objects of `folder` as YAML. `reads` are the files that it takes in; `wrapped` are fields that Flux adds.

        Raises Broken with kustomize's own words.
        """
        kept = self._cache / f"{self._key(folder, root, reads, wrapped)}.yaml"
        if kept.exists():
            return kept.read_text(encoding="utf-8")
        if self._program is None:
            hint = "Install kubectl or kustomize."
            raise Broken("neither kubectl nor kustomize is there", system="kustomize", operation="build", hint=hint)
        with tempfile.TemporaryDirectory(prefix="rebirth-kustomize-") as scratch:
            wrapper = {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "resources": [os.path.relpath(folder, Path(scratch).resolve())],
                "buildMetadata": ["originAnnotations"],
                **wrapped,
            }
            (Path(scratch) / "kustomization.yaml").write_text(yaml.safe_dump(wrapper), encoding="utf-8")
            said = await self._commands.run(
                (*self._program, scratch, "--load-restrictor", "LoadRestrictionsNone"), operation="build"
            )
        self._keep(kept, said)
        return said

    def _key(self, folder: Path, root: Path, reads: Iterable[Path], wrapped: Mapping[str, Any]) -> str:
        digest = hashlib.sha256(f"{_FORMAT} {self._program} {folder.relative_to(root)}".encode())
        digest.update(json.dumps(wrapped, sort_keys=True, default=str).encode())
        for file in sorted(reads):
            digest.update(f"\0{file}\0".encode() + file.read_bytes())
        return digest.hexdigest()

    def _keep(self, kept: Path, text: str) -> None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).replace(kept)


def _program() -> tuple[str, ...] | None:
    beside = Path(sys.executable).with_name("kubectl")  # the wheel's, in the same environment
    if kubectl := str(beside) if beside.exists() else shutil.which("kubectl"):
        return (kubectl, "kustomize")
    if kustomize := shutil.which("kustomize"):
        return (kustomize, "build")
    return None
