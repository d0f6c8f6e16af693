"""A value that exists but is empty.

What it finds:
    A Secret in the repository with a key that somebody reads and whose value is empty; a variable that was not substituted
    often leaves one behind.

Why it cannot work:
    The Secret exists and the key exists, so everything that waits for them goes on; only the user of the value fails, and
    reports that the password is wrong.

Example:
    `stringData: {password: ""}` as a placeholder that was never filled in.

Instead:
    Put the value where secrets are kept, and make the Secret from it. A placeholder is not needed.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r53_empty_value(graph: Graph) -> Iterator[Finding]:
    readers = {(reading.of, reading.key): reading for reading in graph.readings}
    for remark in graph.marked("empty-value"):
        assert remark.about is not None
        reading = readers.get((remark.about, remark["key"]))
        if reading is None:
            continue
        use = next((edge for edge in graph.edges.get(reading.by, ()) if edge.needs == reading.of), None)
        yield Finding(
            "R53",
            Severity.WARNING,
            f"{reading.by.label} reads the key {remark['key']} of {remark.about.label}, which is empty",
            remark.place,
            (use,) if use else (),
            why="The key exists, so nothing waits for it; the failure shows only where the value is used.",
            instead="Give it a value, or remove the key.",
        )
