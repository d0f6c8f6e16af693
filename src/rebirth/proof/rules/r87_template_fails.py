"""A template that External Secrets cannot execute.

What it finds:
    In the template of an ExternalSecret a function with more or fewer values than it takes, what comes through a pipe included, and
    functions of Helm's that External Secrets does not have (`include`, `tpl`, `lookup`, `required`, `env`). `htpasswd` takes a third
    value since version 2: that is told where the version of the chart is known.

Why it cannot work:
    The ExternalSecret is applied without an error; then "unable to execute template": its Secret is never made.

Example:
    `htpasswd "admin" .password` after an upgrade to External Secrets 2 (external-secrets/external-secrets#6176).

Instead:
    Give the function what it takes: `htpasswd "admin" .password "bcrypt"`.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r87_template_fails(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("template-fails"):
        yield Finding(
            "R87",
            Severity.ERROR,
            remark.words,
            remark.place,
            why="Its Secret is never made, and whatever reads it waits.",
            instead="Correct the call.",
        )
