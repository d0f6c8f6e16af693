"""A unit is configured by something that it makes itself.

What it finds:
    A Kustomization that substitutes variables from, decrypts with, reaches its cluster with, or acts as something that is
    among its own objects, and a HelmRelease whose values do.

Why it cannot work:
    Flux reads its configuration before it applies anything; on a new cluster it does not exist, so nothing is applied, so
    it never exists.

Example:
    A provider whose credentials are an output of the cluster that it is to make
    (hashicorp/terraform-provider-kubernetes#1263); with Flux: `substituteFrom` a ConfigMap in the very folder that is
    substituted.

Instead:
    Move the configuration of the unit into another one that comes first, or mark it `optional: true` where the unit works
    without it.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need

_INPUTS = (Need.VARIABLES, Need.VALUES, Need.CREDENTIAL, Need.DECRYPTION, Need.ACCOUNT, Need.SOURCE, Need.CHART)
_UNITS = {"Kustomization", "HelmRelease"}


def r02_own_output(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        units = {thing.label for thing in cycle.things if thing.kind in _UNITS}
        start = next((edge for edge in cycle.edges if edge.need in _INPUTS and edge.by.kind in _UNITS), None)
        if start is None or units != {start.by.label}:
            continue
        chain = cycle.turned(start)
        yield Finding(
            "R02",
            Severity.ERROR,
            f"{start.by.label} needs what only it makes: {tell(chain)}",
            start.place,
            chain,
            why=f"{start.needs.label} is there only after {start.by.label} has been applied, which waits for it.",
            instead=f"Let another unit, or a step before Flux, make {start.needs.label}.",
            cut=cycle.cut(start),
            closed=True,
            also=cycle.others,
            cause=cycle.cause or (f"{start.by.label} substitutes" if start.need is Need.VARIABLES else ""),
        )
