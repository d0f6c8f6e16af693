"""Where the sources of Go modules are."""

from pathlib import Path

from rebirth.lab.building.running import run


async def module_folder(component: Path, module: str) -> Path:
    """The source of a module that the go.mod in this folder needs; downloaded where it is not there yet. Raises Broken."""
    listed = ("go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module)
    if not (found := (await run(*listed, cwd=component)).strip()):  # `go list` says nothing, and fetches nothing
        await run("go", "mod", "download", module, cwd=component)
        found = (await run(*listed, cwd=component)).strip()
    return Path(found)
