"""What the releases of a repository make: rendered with helm where the chart is on disk, else from what is known of it."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.graph import Atomicity, Milestone, Unknown
from rebirth.sources import app_template, flux, helmfile, knowledge, known_charts, releases
from rebirth.sources.manifest import Manifest, Model, Unit, thing
from rebirth.sources.releases import ChartSource, Values
from rebirth.sources.yaml_files import UnreadableError, parse


async def install(model: Model, commands: Commands) -> list[Unknown]:
    """Gives every release of the model a unit, and its objects as members. What stays unknown comes back."""
    have = {id(unit.own) for unit in model.units}
    for manifest, _ in list(model.objects("HelmRelease")):
        if releases.is_release(manifest) and id(manifest) not in have:
            applied = manifest.thing(Milestone.APPLIED)
            ready = manifest.thing(Milestone.READY)
            model.units.append(Unit(applied, ready, Atomicity.HELM, manifest.place(), manifest, known=False))
    if not model.castle:
        for own in helmfile.missing(model):
            applied = thing(own.kind, own.namespace, own.name, Milestone.APPLIED)
            ready = applied._replace(milestone=Milestone.READY)
            model.units.append(Unit(applied, ready, Atomicity.HELM, own.place(), own, known=False))
    model.index()
    unknowns: list[Unknown] = []
    for unit in model.units:
        if unit.atomicity is Atomicity.HELM and unit.own is not None and not unit.members:
            unknowns += await _members(model, unit, unit.own, commands)
    model.index()
    return unknowns


async def _members(model: Model, unit: Unit, own: Manifest, commands: Commands) -> list[Unknown]:
    if flux.is_elsewhere(own):
        unit.known = True  # what it makes stands in another cluster
        return []
    chart = releases.chart_of(model, own)
    if chart is None:
        return []
    values = releases.values_of(model, own)
    folder = _folder(model, chart)
    why = "its chart is not on disk, and is none that is known"
    if folder and not values.whole:
        why = "its values come from a Secret or from beside the repository"
    elif folder:
        try:
            unit.members = _plain(folder, own, chart) or [
                m async for m in _rendered(folder, own, chart, values, commands)
            ]
        except Broken as error:
            why = f"its chart cannot be rendered: {error.message}"
        else:
            unit.known = True
            return []
    if operator := knowledge.of_chart(chart.name, None if folder else chart.url):
        unit.members = known_charts.objects(operator, own, chart, values)
        unit.known = operator.complete and values.whole
        why = (
            "what is known of its chart is not all of it"
            if values.whole
            else "some of its values are not in the repository"
        )
    elif app_template.is_one(chart):
        unit.members = app_template.objects(own, chart, values)
        unit.known = values.whole
        why = "some of its values are not in the repository"
    if unit.known:
        return []
    hides = {releases.target_namespace(own)}
    hides |= set() if operator or unit.members else {""}  # an unknown chart may bring what stands in no namespace, too
    return [Unknown(f"{own.kind} {own.namespace}/{own.name} (chart {chart.name})", chart.place, why, frozenset(hides))]


def _folder(model: Model, chart: ChartSource) -> Path | None:
    """The folder of a chart in this very repository."""
    if not chart.path or chart.source is None:
        return None
    source = (chart.source.kind, chart.source.namespace, chart.source.name)
    folder = (model.root / chart.path).resolve()
    inside = model.root in folder.parents and (folder / "Chart.yaml").is_file()
    return folder if inside and model.own_source in {source, ("", "", "")} else None


def _plain(folder: Path, own: Manifest, chart: ChartSource) -> list[Manifest] | None:
    """A chart whose templates hold no template: they are read as they lie. None where it needs helm."""
    skipped = own.at("spec", "install", "crds") == "Skip"
    found: list[Manifest] = []
    for path in (folder, *sorted(p for p in (folder / "charts").glob("*") if p.is_dir())):
        if any((path / "charts").glob("*.tgz")) or (path != folder and (path / "charts").exists()):
            return None
        for part, annotations in (("crds", {releases.FOLDER: "true"}), ("templates", {})):
            for file in sorted((path / part).rglob("*")):
                if file.suffix not in {".yaml", ".yml"} or (part == "crds" and skipped):
                    continue
                text = file.read_text(encoding="utf-8", errors="replace")
                if "{{" in text and part == "templates":
                    return None
                found += _placed(text, file, own, annotations)
    return found


def _placed(text: str, file: Path, own: Manifest, annotations: Mapping[str, str]) -> Iterator[Manifest]:
    for data, line in _documents(text, releases.target_namespace(own), annotations):
        yield Manifest(data, str(file), line)


async def _rendered(folder: Path, own: Manifest, chart: ChartSource, values: Values, commands: Commands) -> Any:
    name, namespace = releases.release_name(own), releases.target_namespace(own)
    with tempfile.TemporaryDirectory(prefix="rebirth-helm-") as scratch:
        environment = {f"HELM_{kind}_HOME": f"{scratch}/{kind.lower()}" for kind in ("CACHE", "CONFIG", "DATA")}
        crds = ""
        if own.at("spec", "install", "crds") != "Skip":
            crds = await commands.run(("helm", "show", "crds", str(folder)), operation="show crds", env=environment)
        text = await commands.run(
            ("helm", "template", name, str(folder), "--namespace", namespace, "--values", "-", "--no-hooks=false"),
            operation=f"template {name}", stdin=yaml.safe_dump(dict(values.data)).encode(), env=environment,
        )  # fmt: skip
    for written, annotations in ((crds, {releases.FOLDER: "true"}), (text, {})):
        lines = written.splitlines()
        for data, line in _documents(written, namespace, annotations):
            yield Manifest(data, str(_template(folder, lines, line)), 1)


def _template(folder: Path, lines: list[str], line: int) -> Path:
    """The template that a rendered document came from, as helm says it in a comment above."""
    for text in reversed(lines[:line]):
        if text.startswith("# Source: "):
            return folder / text.removeprefix("# Source: ").partition("/")[2]
        if text.startswith("---"):
            break
    return folder / "Chart.yaml"


def _documents(text: str, namespace: str, annotations: Mapping[str, str]) -> Iterator[tuple[Mapping[str, Any], int]]:
    try:
        documents = parse(text)
    except UnreadableError as error:
        raise Broken(f"what it makes {error.words}", system="helm", operation="template") from None
    for document in documents:
        data = document.data
        if not isinstance(data, Mapping) or not isinstance(data.get("metadata"), Mapping) or not data.get("kind"):
            continue
        metadata = {"namespace": namespace, **data["metadata"]}
        if str(data["kind"]) in known_charts.CLUSTER_WIDE:
            metadata.pop("namespace")
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
        yield {**data, "metadata": metadata}, document.line
