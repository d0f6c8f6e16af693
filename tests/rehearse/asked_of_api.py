"""Objects with mistakes, as the proof sees them and as a real API server does."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import yaml

from rebirth.errors import Broken, NotYet
from rebirth.lab.building.toolchain import Toolchain, chosen
from rebirth.lab.ca import Authority
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Manifest, Model, Unit
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.rules.r42_yaml_traps import r42_yaml_traps
from rebirth.proof.rules.r48_unknown_field import r48_unknown_field
from rebirth.proof.rules.r49_refused import r49_refused
from rebirth.proof.rules.r82_container import r82_container
from rebirth.proof.sources.flux import fields, object_names, traps
from rebirth.proof.sources.workloads import containers, refusals
from rebirth.proof.things import NOWHERE, Atomicity, Milestone, Thing
from rebirth.rehearse.control_plane import ControlPlane
from rebirth.rehearse.processes import Processes
from rebirth.run.waiting import together, until

ITEMS = list(yaml.safe_load_all(Path(__file__).with_name("validated.yaml").read_text()))
AT_ONCE = 20
# Of the proof all that looks at an object alone.
SOURCES = (traps, fields, object_names, containers, refusals)
RULES = (r42_yaml_traps, r48_unknown_field, r82_container, r49_refused)


def told(item: dict) -> list[Finding]:
    """What the proof says of one object that a Kustomization applies, hints left out."""
    applied = Thing("Kustomization", "flux-system", "apps", Milestone.APPLIED)
    unit = Unit(
        applied, applied._replace(milestone=Milestone.READY), Atomicity.FLUX, NOWHERE, members=[Manifest(item, "", 1)]
    )
    model, graph = Model(Path("/")), Graph()
    model.units = [unit]
    model.index()
    for source in SOURCES:
        source.read(model, graph)
    return [finding for rule in RULES for finding in rule(graph) if finding.severity is not Severity.INFO]


def errors(item: dict) -> list[str]:
    """What of it the API server refuses; most of what R82 says the kubelet does."""
    return [one.message for one in told(item) if one.severity is Severity.ERROR and one.rule != "R82"]


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
