"""A patch that Talos cannot put into a machine configuration of several documents.

What it finds:
    Among the patches of talhelper's talconfig.yaml a list of operations (`op`, `path`: RFC 6902), for Talos 1.12 or later.

Why it cannot work:
    Since 1.12 Talos generates a configuration of several documents, and carries out such operations on a single one only:
    "JSON6902 patches are not supported for multi-document machine configuration". No machine gets its configuration.

Example:
    `- {op: remove, path: /cluster/apiServer/admissionControl}`, from the time of Talos 1.11.

Instead:
    Write it as a patch that is merged: the same fields as in the configuration; `$patch: delete` removes.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity


def r86_machine_operations(graph: Graph) -> Iterator[Finding]:
    for remark in graph.marked("machine-operations"):
        yield Finding(
            "R86",
            Severity.ERROR,
            f"{remark.words}: Talos rejects it",
            remark.place,
            why="Its configurations have several documents since 1.12; such operations are carried out on a single one only.",
            instead="Write it as a patch that is merged; `$patch: delete` removes a field.",
        )
