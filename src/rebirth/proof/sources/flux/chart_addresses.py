"""OCI addresses of charts that are not those at which the chart's own publisher has it.

Only of charts of which all addresses are known, and only at their publisher's own place: a mirror has its own.
"""

from collections.abc import Iterator

from rebirth.proof.charts import knowledge
from rebirth.proof.graph import Graph
from rebirth.proof.reading import flux
from rebirth.proof.reading.manifest import Manifest, Model

_CHART = "vnd.cncf.helm.chart"
_OWNER = 2  # pieces of an address that say whose it is: host and first folder


def read(model: Model, graph: Graph) -> None:
    referred = {
        (
            str(release.at("spec", "chartRef", "namespace") or release.namespace),
            str(release.at("spec", "chartRef", "name")),
        )
        for release, _ in model.objects("HelmRelease")
        if release.at("spec", "chartRef", "kind") == "OCIRepository"
    }
    for member, _ in model.objects("OCIRepository"):
        if member.group != flux.SOURCE:
            continue
        if (member.namespace, member.name) in referred or _CHART in str(
            member.at("spec", "layerSelector", "mediaType")
        ):
            _look(member, graph)


def _look(member: Manifest, graph: Graph) -> None:
    url = str(member.at("spec", "url") or "")
    pieces = url.removeprefix("oci://").rstrip("/").split("/")
    if "${" in url:
        return
    for name, published in _published():
        others = [address.split("/") for address in published]
        if pieces in others or not any(pieces[:_OWNER] == other[:_OWNER] for other in others):
            continue
        folder = next((other for other in others if other[: len(pieces)] == pieces), None)
        if folder is None and pieces[-1] != name:
            continue
        what = f"a folder of charts: {name} is at" if folder else f"no chart; {name} is published at"
        words = (
            f"{member.thing().label} takes its chart from {url}, which is {what} oci://{'/'.join(folder or others[0])}"
        )
        graph.remark("no-such-chart", member.place("spec", "url"), words, member.thing())
        return


def _published() -> Iterator[tuple[str, tuple[str, ...]]]:
    for known in knowledge.operators():
        yield from ((chart.name, chart.published) for chart in known.charts if chart.published)
