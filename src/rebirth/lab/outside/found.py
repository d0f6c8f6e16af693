"""What a castle uses of the world outside, by its proof, and what the lab serves of it under the real names."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rebirth.castle import host_of, load
from rebirth.checking import Asked, proved
from rebirth.errors import Rebirth
from rebirth.fetch.things import Artifact, Chart, Git
from rebirth.fetch.wanted import Wanted, wanted
from rebirth.lab.building import charts, images
from rebirth.lab.building.charts import Package
from rebirth.lab.building.toolchain import Component, Toolchain, sources
from rebirth.lab.building.used import packable
from rebirth.lab.outside.missing import Missing, missing
from rebirth.lab.outside.offered import Offered, packages, place_of
from rebirth.lab.spec import Lab, load_lab
from rebirth.paper.charts import PaperChart, paper_charts
from rebirth.proof.prove import Proof
from rebirth.store.names import OCI, Name, name_of, repository_of
from rebirth.store.store import Store


@dataclass(frozen=True)
class Found:
    """`packages` are of HTTP chart repositories, `charts` of registries and on paper, `stored` what of the store a registry has."""

    packages: tuple[Package, ...] = ()
    charts: tuple[PaperChart, ...] = ()
    stored: tuple[Name, ...] = ()
    git: dict[str, Path] = field(default_factory=dict)  # by URL
    registries: frozenset[str] = frozenset()  # hosts, also of what is not there: they say so at once
    git_hosts: frozenset[str] = frozenset()


async def lacking(directory: Path, parts: Sequence[Component]) -> Missing:
    """What a castle uses and neither a lab of these components nor the store has. Raises SpecError, Broken."""
    toolchain, lab = Toolchain(), load_lab(directory)
    declared = packable(images.declared(sources() / "images" / "images.toml"), parts)
    own = {str(name_of(one)) for one in [*(i.reference for i in declared), *(s.reference for s in lab.images)]}
    offered = Offered(await charts.charts(sources() / "charts", toolchain, parts), own, Store())
    read = await _read(directory, repository(directory, lab))
    return missing(read[1], offered) if read else Missing()


def repository(directory: Path, lab: Lab) -> Path | None:
    """The folder that the lab serves as the castle's repository; None where lab.yaml names none."""
    served = lab.repositories.get(load(directory).gitops.repository)
    return directory / served if served else None


async def find(directory: Path, lab: Lab, offered: Offered, authority: str) -> Found:
    """What is served; `authority` (PEM) signs for webhooks on paper."""
    read = await _read(directory, repository(directory, lab))
    if read is None:
        return Found(tuple(packages(offered, ())))
    proof, used = read
    charts_on_paper, _ = paper_charts(proof.model, offered, authority, phases=True)
    papers = [
        one for one in charts_on_paper if not one.path
    ]  # a repository of which nothing is known but charts is missing
    wished = [one for one in used.things if isinstance(one, Chart)]
    repositories = {repository_of(f"{one.url}/{one.name}") for one in wished if one.url.startswith(OCI)}
    repositories |= {one.repository for one in used.things if isinstance(one, Artifact)}
    stored = [Name(one, tag) for one in sorted(repositories) for tag in offered.store.tags(one)]
    sources = [one.url for one in used.things if isinstance(one, Git)]
    return Found(
        (
            *packages(offered, {one.url for one in wished}),
            *(_package(one) for one in papers if not _in_a_registry(one)),
        ),
        tuple(filter(_in_a_registry, papers)),
        (*stored, *(one.name for one in used.images if _is_fetched(str(one.name), offered))),
        {url: folder for url in sources if (folder := offered.store.git(url))},
        frozenset([one.partition("/")[0] for one in repositories] + [one.name.host for one in used.images]),
        frozenset(map(host_of, sources)),
    )


async def _read(directory: Path, gitops: Path | None) -> tuple[Proof, Wanted] | None:
    """None where the castle cannot be read: its own proof says why."""
    with _on_path(await _helm()):
        try:
            async with proved(Asked(directory, gitops)) as done:
                return done.proof, wanted(done.proof)
        except Rebirth:
            return None


async def _helm() -> Path | None:
    """The lab's own helm, which renders the charts where PATH has none."""
    helm = None if shutil.which("helm") else (await Toolchain().programs()).get("helm")
    return Path(helm) if helm else None


@contextmanager
def _on_path(program: Path | None) -> Iterator[None]:
    before = os.environ["PATH"]
    if program:
        os.environ["PATH"] += f":{program.parent}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _in_a_registry(chart: PaperChart) -> bool:
    return chart.url.startswith(OCI)


def _is_fetched(image: str, offered: Offered) -> bool:
    return str(name_of(image)) not in offered.images and offered.store.has_image(image)


def _package(chart: PaperChart) -> Package:
    return Package(*place_of(chart.url), chart.metadata, chart.archive)
