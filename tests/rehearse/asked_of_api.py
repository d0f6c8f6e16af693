"""Objects with mistakes, as the proof sees them and as a real API server does."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import yaml

from rebirth.errors import Broken, NotYet
from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.lab.ca import Authority
from rebirth.proof.reading.manifest import Manifest
from rebirth.proof.sources.flux import object_names
from rebirth.proof.validation import refused
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.processes import Processes
from rebirth.run.waiting import together, until
from rehearse.derived import shape_of

ITEMS = list(yaml.safe_load_all(Path(__file__).with_name("validated.yaml").read_text()))
AT_ONCE = 20


def of_schema(item: dict) -> list[str]:
    """What R48 says, and which names nothing can have."""
    names = [f"{'.'.join(path)} {value}" for path, value, _ in object_names.wrong(Manifest(item, "", 1))]
    return [*names, *(mistake.words for mistake in shape_of(item).mistakes(item))]


def of_validation(item: dict) -> list[str]:
    """What R49 says as an error."""
    return [f"{one.path} {one.words}" for one in refused(item) if not one.unless and not one.since]


def _is_given_later(item: dict) -> bool:
    """Whether it asks for a port of nodes out of their range, which a dry run does not try to give."""
    ports = item.get("spec", {}).get("ports") if item["kind"] == "Service" else ()
    asked = [port.get("nodePort") for port in ports or () if isinstance(port, dict)]
    return any(type(port) is int and port and not 30000 <= port <= 32767 for port in asked)


async def answers(items: Iterable[dict], folder: Path) -> list[str]:
    """What the API server says of each; "" where it takes it."""
    processes = Processes(folder / "logs")
    programs = await Toolchain().programs(chosen(["etcd", "kubernetes"]))
    plane = ControlPlane(folder / "cluster", programs, processes, Authority("test"))
    try:
        cluster = await plane.start()
        await cluster.apply(
            next(item for item in ITEMS if item["kind"] == "PriorityClass" and item["metadata"]["name"])
        )

        async def said(item: dict) -> str:
            try:
                await cluster.admits(item)
                if _is_given_later(item):
                    await cluster.apply(item)
            except (NotYet, Broken) as error:
                return str(error)
            return ""

        async def has_an_account() -> None:
            if words := await said(next(item for item in ITEMS if item["kind"] == "Pod")):
                raise NotYet(words)  # the controller manager makes it, in ten seconds

        async with asyncio.timeout(60):
            await until(has_an_account, what="the namespace has its ServiceAccount", every=0.5)
        listed, found = list(items), []
        for start in range(0, len(listed), AT_ONCE):
            found += await together(*map(said, listed[start : start + AT_ONCE]))
        await cluster.close()
        return found
    finally:
        await processes.stop()
