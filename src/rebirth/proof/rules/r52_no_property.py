"""A secret of a key-value store of version 2 is read without a property.

What it finds:
    An ExternalSecret whose `data` entry names a path of a Vault key-value engine of version 2, and no `property` of it.

Why it cannot work:
    The value at such a path is a map. Without a property the whole map becomes the value, as JSON: the consumer gets
    `{"password":"..."}` where it wants a password, and cannot log in.

Example:
    remoteRef with `key: apps/grafana`, and no `property: password`.

Instead:
    Name the property, or take the whole map with dataFrom and extract.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r52_no_property(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("no-property"):
        yield Finding(
            "R52",
            Severity.WARNING,
            f"{remark.words}: it gets the whole map as JSON",
            remark.place,
            why="The value at a path of a KV version 2 engine is a map, not a single value.",
            instead="Name the property, or use dataFrom with extract.",
        )
