"""An object that the API server refuses, though each of its fields is one.

What it finds:
    What Kubernetes' own validation says no to in an object that fits its schema: fields that exclude each other, or are of no use without
    another, names that stand twice, numbers out of their range, selectors that do not select what they are for, schedules, hosts and paths
    in another form. Pods wherever they are described, Services, Ingresses, NetworkPolicies, volumes and claims, ConfigMaps and Secrets, Roles
    and bindings, autoscalers, disruption budgets, classes, quotas, CRDs and webhooks; a port of nodes that two Services ask for. Of custom
    kinds some of Flux, the Gateway API, CloudNativePG, Tailscale and Longhorn (what other operators refuse is R48). What a setting of the API
    server, or its version, decides is a warning.

Why it cannot work:
    The API server refuses the object when Flux tries it (a dry run on the server's side), and Flux applies nothing of the whole
    Kustomization.

Example:
    `restartPolicy: Always`, or none, in a Job; `type: Recreate` beside `rollingUpdate`; an Ingress with name and number of a port; two ports
    of a Service without names; `defaultMode: 755`, which is no octal number; a probe with `httpGet` and `tcpSocket`; `schedule: 0 3 * * 7`.

Instead:
    Write what the field may be; `kubectl apply --dry-run=server` says the same.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Place, Remark

# What says the same of the same place, in better words.
_TOLD = (
    "unknown-field", "wrong-type", "wrong-value", "wrong-format", "missing-field", "lost-field", "not-text", "misplaced",
    "undefined-variable", "labels-lost", "no-such-volume", "probe-port", "amount", "no-address", "encrypted",
)  # fmt: skip


def r49_refused(graph: Graph) -> Iterator[Finding]:
    told, places = _Told(graph), set[Place]()
    for remark in graph.marked("invalid"):
        if told.knows(remark) or remark.place in places:
            continue
        places.add(remark.place)
        yield Finding(
            "R49",
            Severity.WARNING if remark["unless"] else Severity.ERROR,
            remark.words,
            remark.place,
            why=remark["why"] or _why(remark),
            instead="Write what the field may be.",
        )


def _why(remark: Remark) -> str:
    if unless := remark["unless"]:
        return f"The API server refuses it, unless {unless}."
    who = f"The webhook of {remark['by']}" if remark["by"] else "The API server"
    return f"{who} refuses it, and Flux then applies nothing of the whole Kustomization."


class _Told:
    """What other rules say of the same."""

    def __init__(self, graph: Graph) -> None:
        self._places = {remark.place for remark in graph.marked(*_TOLD)}
        self._missing = {remark.words for remark in graph.marked("missing-field")}  # which stand at the block around
        self._elsewhere = {
            remark.about for remark in graph.marked("misplaced")
        }  # what is missing stands in another block

    def knows(self, remark: Remark) -> bool:
        begun = f"{remark.about.label}: {remark['path']} is " if remark.about else ""
        missing = any(f"{begun}{word}" in self._missing for word in ("missing", "empty"))
        return missing or remark.place in self._places or remark.about in self._elsewhere
