"""Modules that are built from a copy of their source with a patch of ours applied: few lines, and the README shows them."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from rebirth.lab.building.running import run


@asynccontextmanager
async def sources(component: Path, patched: Mapping[str, str]) -> AsyncIterator[Path]:
    """The folder to build a component in: its own, or a copy whose go.mod points to the patched copies.

    `patched`: module -> patch below the component's folder. The module's hash is verified by go.sum before it is copied.
    Raises Broken where a module cannot be had or a patch does not apply.
    """
    if not patched:
        yield component
        return
    with tempfile.TemporaryDirectory(prefix="rebirth-patched-") as name:
        folder = Path(name)
        for file in ("go.mod", "go.sum"):
            shutil.copyfile(component / file, folder / file)
        for number, (module, patch) in enumerate(patched.items()):
            copy = folder / str(number)
            await _copy(component, module, copy)
            # Outside any repository of whoever builds, or git would leave out what that one ignores.
            await run("git", "apply", str(component / patch), cwd=copy, env={"GIT_DIR": str(folder)})
            await run("go", "mod", "edit", f"-replace={module}=./{number}", cwd=folder)
        yield folder


async def _copy(component: Path, module: str, target: Path) -> None:
    """A writable copy of the module's source."""
    await run("go", "mod", "download", module, cwd=component)
    source = await run("go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module, cwd=component)
    shutil.copytree(source.strip(), target, symlinks=True)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else path.stat().st_mode | 0o200)
