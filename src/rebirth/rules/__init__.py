"""Ways in which a bootstrap can be impossible, one file a rule. A cycle is told by the first rule that knows it."""

from collections.abc import Callable, Iterator

from rebirth.graph import Graph
from rebirth.rules.finding import Finding, Severity
from rebirth.rules.r03_circle import r03_circle
from rebirth.rules.r13_depends_on import r13_depends_on

Rule = Callable[[Graph], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    r13_depends_on,
    r03_circle,  # last: circles that no other rule has a name for
)

_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def judge(graph: Graph) -> list[Finding]:
    """What the rules find, the gravest first; the same thing is told once."""
    found: dict[tuple[str, ...], Finding] = {}
    for rule in RULES:
        for finding in rule(graph):
            found.setdefault(finding.key, finding)
    return sorted(found.values(), key=lambda f: (_WEIGHT[f.severity], f.rule, f.place, f.message))


__all__ = ["RULES", "Finding", "Rule", "Severity", "judge"]
