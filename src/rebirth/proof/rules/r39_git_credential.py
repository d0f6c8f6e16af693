"""The Git token that Flux needs comes from what Flux has to fetch.

What it finds:
    A source of Flux logs in with a Secret that an ExternalSecret (or another object) makes which itself comes from that
    source, or whose store needs DNS, an operator or a credential that comes from it.

Why it cannot work:
    Flux fetches nothing without the token, and the object that makes the token is in what it would fetch.

Example:
    The Secret `flux-system` is an ExternalSecret in the tree (rwlove/home-ops#12734 hit the general form: a Secret without
    a producer that exists beforehand).

Instead:
    Place the Secret directly before Flux runs. A copy of it in the repository may take it over later.
"""

from collections.abc import Iterator

from rebirth.proof.graph import Graph
from rebirth.proof.rules.finding import Finding, Severity, tell
from rebirth.proof.things import Need

_SOURCES = {"GitRepository", "OCIRepository", "HelmRepository", "Bucket"}


def r39_git_credential(graph: Graph) -> Iterator[Finding]:
    for cycle in graph.ways():
        login = next((e for e in cycle.edges if e.need is Need.CREDENTIAL and e.by.kind in _SOURCES), None)
        if login is None:
            continue
        chain = cycle.turned(login)
        yield Finding(
            "R39",
            Severity.ERROR,
            f"{login.by.label} logs in with {login.needs.label}, which comes from what it fetches: {tell(chain)}",
            login.place,
            chain,
            why="Nothing is fetched without the Secret, and nothing makes the Secret before something is fetched.",
            instead="Place this Secret directly, before Flux runs.",
            cut=cycle.cut(login),
            closed=True,
            also=cycle.others,
            cause=cycle.cause,
        )
