"""Values that the release's version of a known chart rejects: helm renders nothing of it."""

from rebirth.proof.charts import helmfile, knowledge, releases
from rebirth.proof.charts.chart_values import in_range, numbers, value_at
from rebirth.proof.graph import Graph
from rebirth.proof.reading.manifest import Model
from rebirth.proof.schemas.shape import is_open
from rebirth.proof.things import Atomicity


def read(model: Model, graph: Graph) -> None:
    units = [unit.own for unit in model.units if unit.atomicity is Atomicity.HELM and unit.own is not None]
    there = {own.place() for own in units}
    early = [
        own
        for own in helmfile.installed(model)
        if not own.annotations.get(helmfile.ONLY_CRDS) and own.place() not in there
    ]
    for own in (*units, *early):  # what Flux takes over was installed with values of its own
        chart = releases.chart_of(model, own)
        known = knowledge.of_chart(chart.name, chart.url or None) if chart else None
        if chart is None or known is None or not numbers(chart.version):
            continue
        for rule in known.rejects:
            path = ("spec", "values", *rule.value.split("."))
            value = own.at(*path)
            said = str(value).lower() if isinstance(value, bool) else value
            if value in (None, "") or is_open(value) or said in rule.takes:
                continue
            if not in_range(chart.version, rule.since, rule.before):
                continue
            words, where = f"{own.thing().label}: chart {chart.name} {chart.version}", own.place(*path)
            if rule.needs:
                values = releases.values_of(model, own)
                if not values.whole or value_at(values.data, rule.needs) not in (None, ""):
                    continue
                words += f" takes {rule.value} only with {rule.needs}"
            else:
                takes = f"; write {' or '.join(rule.takes)}" if rule.takes else ""
                words += f" rejects {rule.value} {said}{takes}"
            graph.remark("rejected-value", where, words, own.thing(), needs=rule.needs)
