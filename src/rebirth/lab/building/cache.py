"""Removes what the lab built into its cache. Nothing else that lies in there is touched."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from rebirth.errors import Broken
from rebirth.lab.building.toolchain import Toolchain, components
from rebirth.lab.state import labs
from rebirth.store.cache import cache_directory

_LAYERS = "layers"  # of images; made anew in seconds


@dataclass(frozen=True)
class Removed:
    folder: Path
    entries: int
    mebibytes: int


async def clean(*, unused: bool = False) -> Removed:
    """Removes the built programs and image layers; with `unused` only programs that this version no longer uses.

    Raises Broken where a lab is up: its programs run from there.
    """
    folder = cache_directory()
    if up := [state.name for state in labs() if state.init]:
        hint = f"Stop it first: rebirth lab down {up[0]}"
        raise Broken(f"lab {up[0]} is up", system="lab", operation="clean", hint=hint)
    toolchain = Toolchain(folder)
    kept = {await toolchain.folder(component) for component in components()} if unused else set()
    entries = [] if unused else [folder / _LAYERS]
    entries += [entry for entry in toolchain.entries() if entry not in kept]
    found = [entry for entry in entries if entry.exists()]
    size = sum(map(_size, found))
    for entry in found:
        shutil.rmtree(entry)
    return Removed(folder, len(found), size >> 20)


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
