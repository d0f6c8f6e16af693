"""Git repositories that nobody has fetched: they hold the charts on paper, and the folders that Kustomizations apply."""

import io
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from rebirth.paper.charts import PaperChart
from rebirth.proof.reading.manifest import Model
from rebirth.rehearse.outside.elsewhere import Files
from rebirth.rehearse.outside.names import address, sources
from rebirth.rehearse.outside.references import published, references_of


async def repositories(
    charts: Iterable[PaperChart], trees: Mapping[str, Files], model: Model, folder: Path
) -> Mapping[str, Path]:
    """The bare repositories by address, made below `folder`. Raises RuntimeError, OSError."""
    by_address: defaultdict[str, list[PaperChart]] = defaultdict(list)
    for chart in charts:
        by_address[address(chart.url)].append(chart)
    made = {}
    for number, place in enumerate(sorted(by_address.keys() | trees.keys())):
        files, bare = folder / f"{number}", folder / f"{number}.git"
        for chart in by_address.get(place, ()):
            _unpack(chart, files)
        for name, data in trees.get(place, {}).items():
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_bytes(data)
        users = [one for one in sources(model, "GitRepository") if address(str(one.at("spec", "url"))) == place]
        await published(files, bare, references_of(users))
        made[place] = bare
    return made


def _unpack(chart: PaperChart, folder: Path) -> None:
    """The chart's files, where its users look for them; nowhere where that leads out of the repository."""
    path = PurePosixPath(chart.path.lstrip("/"))
    if ".." in path.parts:
        return
    with tarfile.open(fileobj=io.BytesIO(chart.archive)) as archive:
        for member in archive:
            data = archive.extractfile(member)
            target = folder / path / PurePosixPath(member.name).relative_to(chart.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data.read() if data else b"")
