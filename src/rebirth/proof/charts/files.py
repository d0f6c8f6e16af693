"""Charts that are on disk: read as they lie where they hold no template, else rendered with helm."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.proof.charts import releases
from rebirth.proof.charts.releases import ChartSource, Values
from rebirth.proof.reading import scopes
from rebirth.proof.reading.manifest import Manifest, Model
from rebirth.proof.reading.yaml_files import UnreadableError, parse
from rebirth.store.cache import helm_cache
from rebirth.store.store import Store

# Of a cluster that nothing is said of: what a rehearsal has. A helm that was not released takes it for 1.20.
KUBERNETES = "1.35.4"
_LONGEST = 60.0  # seconds for one chart
_SOURCE = "# Source: "


def find(model: Model, chart: ChartSource) -> Path | None:
    """The chart's folder in this very repository, or its archive: in helm's cache, or as `rebirth fetch` has fetched it."""
    if chart.path and chart.source is not None:
        source = (chart.source.kind, chart.source.namespace, chart.source.name)
        folder = (model.root / chart.path).resolve()
        inside = model.root in folder.parents and (folder / "Chart.yaml").is_file()
        return folder if inside and model.own_source in {source, ("", "", "")} else None
    archive = helm_cache() / f"{chart.name}-{chart.version}.tgz"
    if chart.name and chart.version and archive.is_file():
        return archive
    if not chart.url:
        return None
    if chart.source is not None and chart.source.kind == "OCIRepository":
        artifact = next((m for m, _ in model.find(*chart.source[:3])), None)
        return Store().chart(chart.url, "", releases.reference_of(artifact)) if artifact else None
    return Store().chart(chart.url, chart.name, chart.version)


async def objects(
    path: Path, own: Manifest, chart: ChartSource, values: Values, commands: Commands, kubernetes: str = KUBERNETES
) -> list[Manifest]:
    """What a release of that chart makes in a cluster of that version. Raises Broken with helm's words."""
    plain = _plain(path, own) if path.is_dir() else None
    return plain if plain is not None else await _rendered(path, own, chart, values, commands, kubernetes)


def _plain(folder: Path, own: Manifest) -> list[Manifest] | None:
    """A chart whose templates hold no template: they are read as they lie. None where it needs helm."""
    found: list[Manifest] = []
    for path in (folder, *sorted(p for p in (folder / "charts").glob("*") if p.is_dir())):
        if any((path / "charts").glob("*.tgz")) or (path != folder and (path / "charts").exists()):
            return None
        for part, in_folder in (("crds", True), ("templates", False)):
            for file in sorted((path / part).rglob("*")):
                if file.suffix not in {".yaml", ".yml"} or (in_folder and _skips(own)):
                    continue
                text = file.read_text(encoding="utf-8", errors="replace")
                if "{{" in text and not in_folder:
                    return None
                for data, line in _documents(text, releases.target_namespace(own)):
                    found.append(Manifest(_marked(data) if in_folder else data, str(file), line))
    return found


def _skips(own: Manifest) -> bool:
    return bool(own.at("spec", "install", "crds") == "Skip")


async def _rendered(
    path: Path, own: Manifest, chart: ChartSource, values: Values, commands: Commands, kubernetes: str
) -> list[Manifest]:
    name, namespace = releases.release_name(own), releases.target_namespace(own)
    crds = () if _skips(own) else ("--include-crds",)
    with tempfile.TemporaryDirectory(prefix="rebirth-helm-") as scratch:
        environment = {f"HELM_{kind}_HOME": f"{scratch}/{kind.lower()}" for kind in ("CACHE", "CONFIG", "DATA")}
        command = (
            "helm",
            "template",
            name,
            str(path),
            "--namespace",
            namespace,
            "--values",
            "-",
            "--kube-version",
            kubernetes,
            *crds,
        )
        try:
            async with asyncio.timeout(_LONGEST):
                text = await commands.run(
                    command,
                    operation=f"template {name}",
                    env=environment,
                    stdin=yaml.safe_dump(dict(values.data)).encode(),
                )
        except TimeoutError:
            raise Broken(
                f"did not finish within {_LONGEST:.0f} s", system="helm", operation=f"template {name}"
            ) from None
    lines = text.splitlines()
    found = []
    for data, line in _documents(text, namespace):
        template = _template(lines, line)
        made = _marked(data) if "crds" in template.parts[:-1] and data["kind"] == "CustomResourceDefinition" else data
        if "templates" in template.parts:
            made = data
        if path.is_dir():
            found.append(Manifest(made, str(path / template), 1))
        else:
            found.append(Manifest(made, own.file, own.line, chart.place.path))
    return found


def _template(lines: list[str], line: int) -> Path:
    """The template below its chart that a rendered document came from, as helm says it in a comment above."""
    for text in reversed(lines[:line]):
        if text.startswith(_SOURCE):
            return Path(text.removeprefix(_SOURCE).partition("/")[2])
        if text.startswith("---"):
            break
    return Path("Chart.yaml")


def _marked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object, marked as one of the chart's crds/ folder."""
    metadata = data["metadata"]
    annotations = {**(metadata.get("annotations") or {}), releases.FOLDER: "true"}
    return {**data, "metadata": {**metadata, "annotations": annotations}}


def _documents(text: str, namespace: str) -> Iterator[tuple[Mapping[str, Any], int]]:
    try:
        documents = parse(text)
    except UnreadableError as error:
        raise Broken(f"what it makes {error.words}", system="helm", operation="template") from None
    for document in documents:
        data = document.data
        if not isinstance(data, Mapping) or not isinstance(data.get("metadata"), Mapping) or not data.get("kind"):
            continue
        metadata = {"namespace": namespace, **data["metadata"]}
        if str(data["kind"]) in scopes.BUILT_IN | scopes.CUSTOM:
            metadata.pop("namespace")
        yield {**data, "metadata": metadata}, document.line
