"""Copies of modules that are built in their place: with a patch of the component's, or with files that are added.

Go takes no overlay on its module cache, so the whole module is copied, and the component is built with a go.mod that
replaces the module by the copy. `-trimpath` keeps the copy's place out of the binary and of Go's cache: the packages
without a change are compiled once for all.
"""

import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rebirth.lab.building.modules import module_folder
from rebirth.lab.building.running import run

Addition = Callable[[Path], Awaitable[None]]  # writes files into a copy of the component's module


@dataclass(frozen=True)
class Changes:
    """What differs between a component's sources and the modules that they come from."""

    patched: Mapping[str, str]  # module -> patch file of the component
    added: Mapping[str, str]  # folder of the component's module -> folder of the component, whose files go there
    release: Addition | None = None  # what a release adds to the component's module

    def modules(self, own: str) -> list[str]:
        """The modules that are copied; `own` is the component's."""
        return list(dict.fromkeys((*self.patched, *([own] if self.added or self.release else []))))


async def copied(component: Path, module: str, changes: Changes, folder: Path) -> tuple[str, ...]:
    """The flags with which Go builds the component of this folder with the copies that are made in `folder`.

    None are needed where nothing is changed. Raises Broken, where a patch does not apply, too.
    """
    if not changes.modules(module):
        return ()
    changed = folder / "go.mod"
    shutil.copy(component / "go.mod", changed)
    shutil.copy(component / "go.sum", folder)
    for number, name in enumerate(changes.modules(module)):
        copy = folder / str(number)
        shutil.copytree(await module_folder(component, name), copy, copy_function=shutil.copyfile)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # the module cache is read-only
        if patch := changes.patched.get(name):
            await run("git", "apply", str((component / patch).resolve()), cwd=copy)
        if name == module:
            for target, files in changes.added.items():
                shutil.copytree(component / files, copy / target, dirs_exist_ok=True)
            if changes.release:
                await changes.release(copy)
        await run("go", "mod", "edit", f"-replace={name}={copy}", str(changed), cwd=folder)
    return (f"-modfile={changed}",)
