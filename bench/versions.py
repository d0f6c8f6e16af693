"""Which modules the components compile in several versions, and what that costs: MB of Go source compiled more than once.

`python bench/versions.py [NAME ...]`: of those components, else of all that are not optional. Go compiles a package once for
all components that have it in one version: raise the others by `require` in their go.mod where they build.
"""

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rebirth.lab.building.running import run
from rebirth.lab.building.toolchain import Component, Toolchain, chosen

_SHOWN = 40


async def packages(component: Component) -> list[dict[str, Any]]:
    """What Go says of every package that the component is made of."""
    with TemporaryDirectory() as folder:
        flags = await Toolchain().flags(component, Path(folder))
        asked = ("go", "list", *flags, "-deps", "-json=ImportPath,Module,GoFiles,Dir")
        said = await run(*asked, *map(component.package, component.binaries), cwd=component.folder)
        return [{**package, "bytes": _size(package)} for package in _objects(said)]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        found, at = decoder.raw_decode(text, at)
        yield found
        at += len(text[at:]) - len(text[at:].lstrip())


def _size(package: dict[str, Any]) -> int:
    return sum(Path(package["Dir"], file).stat().st_size for file in package.get("GoFiles", ()))


def _version(module: dict[str, Any]) -> str:
    replaced = module.get("Replace") or module
    return str(replaced.get("Version", "a copy"))


async def _report(names: list[str]) -> None:
    os.environ["CGO_ENABLED"] = "0"
    sizes: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)  # (module, version) -> package -> bytes
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for component in chosen(names):
        for package in await packages(component):
            if module := package.get("Module"):
                key = module["Path"], _version(module)
                sizes[key][package["ImportPath"]] = package["bytes"]
                users[key].add(component.name)
    versions: dict[str, list[str]] = defaultdict(list)
    for module, version in sorted(sizes):
        versions[module].append(version)
    again = {}
    for module, several in versions.items():
        largest = max(sum(sizes[module, version].values()) for version in several)
        again[module] = sum(sum(sizes[module, version].values()) for version in several) - largest
    compiled = sum(sum(of.values()) for of in sizes.values())
    print(f"{compiled / 1e6:.0f} MB of source are compiled, {sum(again.values()) / 1e6:.0f} MB of them again")
    for module in sorted(versions, key=lambda name: -again[name])[:_SHOWN]:
        if len(versions[module]) > 1:
            print(f"{again[module] / 1e6:6.2f} MB {module}")
            for version in versions[module]:
                print(f"          {version}: {', '.join(sorted(users[module, version]))}")


if __name__ == "__main__":
    asyncio.run(_report(sys.argv[1:]))
