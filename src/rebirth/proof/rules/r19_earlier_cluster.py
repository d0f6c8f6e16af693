"""A secret that only fits a cluster that is gone.

What it finds:
    SealedSecrets without the key that they were sealed for; a committed ServiceAccount token or kubeconfig of a cluster; a
    SOPS key that is itself made in the cluster.

Why it cannot work:
    Every new cluster has new keys: its sealed-secrets controller generates another key pair, its API server signs tokens
    with another key. What was sealed or signed before cannot be opened, and is not accepted.

Example:
    A cluster is rebuilt from its repository, and Flux cannot use a Secret that belonged to the one before
    (fluxcd/flux2#4172).

Instead:
    Keep the key outside the cluster and place it before the controller starts (for sealed-secrets: a Secret with the label
    sealedsecrets.bitnami.com/sealed-secrets-key), or read the secret from a store.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity
from rebirth.proof.things import Need

_FOR_GOOD = "a ServiceAccount's token"


def r19_earlier_cluster(graph: Graph) -> Iterator[Finding]:
    yield from _sealed(graph)
    for remark in graph.marked("bound-to-cluster"):
        yield Finding(
            "R19",
            Severity.ERROR if remark["what"] == _FOR_GOOD else Severity.WARNING,
            remark.words,
            remark.place,
            why="A new cluster signs with new keys, and rejects what an earlier one signed.",
            instead="Let the cluster make it, or keep it outside and place it again in every cluster.",
        )
    for remark in graph.marked("decryption-key"):
        makers = graph.makers(remark.about) if remark.about else []
        born = [edge for edge in makers if edge.needs.kind not in {"Secret", "phase", "ExternalSecret"}]
        if born and remark.about:
            yield Finding(
                "R19",
                Severity.ERROR,
                f"{remark.about.label}, with which Flux decrypts, is generated anew in every cluster by {born[0].needs.label}",
                remark.place,
                (born[0],),
                why="Data encrypted for an earlier key cannot be decrypted with a new one.",
                instead="Keep the key outside the cluster, and place it before Flux runs.",
            )


def _sealed(graph: Graph) -> Iterator[Finding]:
    sealed = list(graph.marked("sealed"))
    if not sealed or any(True for _ in graph.marked("sealing-key")):
        return
    first = sealed[0]
    assert first.about is not None
    others = f" and {len(sealed) - 1} more" if len(sealed) > 1 else ""
    verb = "open" if others else "opens"
    yield Finding(
        "R19",
        Severity.ERROR if graph.whole else Severity.WARNING,
        f"{first.about.label}{others} {verb} only with a key of an earlier cluster, and nothing places that key",
        first.place,
        tuple(edge for edge in graph.edges.get(first.about, ()) if edge.need is Need.WORKLOAD)[:1],
        why="A new sealed-secrets controller generates a new key, and cannot open what was sealed for another.",
        instead="Place the old key before the controller starts, or read these secrets from a store.",
        cause="sealing key",
    )
