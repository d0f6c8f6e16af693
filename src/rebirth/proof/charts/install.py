"""What the releases of a repository make: of the chart where it is on disk, else of what is known of it."""

import asyncio

from rebirth.commands import Commands
from rebirth.errors import Broken
from rebirth.proof.charts import app_template, helmfile, knowledge, known_charts, releases
from rebirth.proof.charts import files as chart_files
from rebirth.proof.charts.post_renderers import post_rendered
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model, Unit, texts, thing
from rebirth.proof.things import Atomicity, Extent, Milestone, Unknown
from rebirth.proof.words import pieces
from rebirth.run.waiting import together

_AT_ONCE = 4  # charts that are rendered side by side


async def install(model: Model, commands: Commands) -> list[Unknown]:
    """Gives every release of the model a unit, and its objects as members. What stays unknown comes back."""
    have = {id(unit.own) for unit in model.units}
    for manifest, _ in list(model.objects("HelmRelease")):
        if releases.is_release(manifest) and id(manifest) not in have:
            model.units.append(_unit(manifest))
    model.units += [_unit(own) for own in helmfile.missing(model)]
    model.index()
    limit = asyncio.Semaphore(_AT_ONCE)

    async def members(unit: Unit, own: Manifest) -> list[Unknown]:
        async with limit:
            return await _members(model, unit, own, commands)

    empty = [(u, u.own) for u in model.units if u.atomicity is Atomicity.HELM and u.own is not None and not u.members]
    found = await together(*(members(unit, own) for unit, own in empty))
    for unit, own in empty:
        if own.annotations.get(helmfile.ONLY_CRDS):
            unit.members = [member for member in unit.members if member.kind == "CustomResourceDefinition"]
    model.index()
    return [unknown for unknowns in found for unknown in unknowns]


def _unit(own: Manifest) -> Unit:
    applied = thing(own.kind, own.namespace, own.name, Milestone.APPLIED)
    ready = applied._replace(milestone=Milestone.READY)
    return Unit(applied, ready, Atomicity.HELM, own.place(), own, known=False)


async def _members(model: Model, unit: Unit, own: Manifest, commands: Commands) -> list[Unknown]:
    """Fills a unit with what its release makes; what that does not tell comes back."""
    if flux.is_elsewhere(own):
        unit.known = True  # what it makes stands in another cluster
        return []
    chart = releases.chart_of(model, own)
    if chart is None:
        return []
    values = releases.values_of(model, own)
    path = chart_files.find(model, chart)
    why = "" if values.whole else "some of its values are not in the repository"
    if path and values.whole:
        try:
            version = model.castle.kubernetes.version if model.castle else chart_files.KUBERNETES
            made = await chart_files.objects(path, own, chart, values, commands, version)
            unit.members = await post_rendered(own, made, commands)
        except Broken as error:
            why = f"the chart cannot be rendered: {error.message}"
        else:
            unit.known = True
            return []
    operator = knowledge.of_chart(chart.name, None if path and path.is_dir() else chart.url or None)
    if operator:
        unit.members = known_charts.objects(operator, own, chart, values)
        unit.known = operator.complete and values.whole
        why = why or "the chart is known only in part"
    elif app_template.is_one(chart):
        unit.members = app_template.objects(own, chart, values)
        unit.known = values.whole
    if unit.known:
        return []
    what = f"{own.kind} {own.namespace}/{own.name} (chart {chart.name})"
    why = why or "chart not known, and not fetched (`rebirth fetch`)"
    called = pieces(chart.name, chart.url, releases.release_name(own))
    written = frozenset(texts(values.data))
    space = releases.target_namespace(own)
    return [
        Unknown(what, chart.place, why, Extent.CHART, space, called, written, own.thing(), partly=bool(unit.members))
    ]
