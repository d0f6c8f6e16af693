"""What a rule says."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from rebirth.proof.things import Edge, Place, Scope, Thing


class Severity(StrEnum):
    ERROR = "error"  # cannot work
    WARNING = "warning"  # works by luck: of timing, or of something that is not in these files
    INFO = "info"  # works, and costs time


@dataclass(frozen=True)
class Listed:
    """A fix: an entry more among a kustomization's resources."""

    kustomization: str  # absolute
    entry: str


@dataclass(frozen=True)
class DependsOn:
    """A fix: a dependsOn more in the Flux Kustomization whose document begins at `line`."""

    file: str  # absolute
    line: int  # 1-based
    name: str
    namespace: str  # "" where it is the same


@dataclass(frozen=True)
class Finding:
    """One way in which a bootstrap is impossible or fragile; every place of its chain is named."""

    rule: str  # R07
    severity: Severity
    message: str  # one sentence: what cannot work, names included
    place: Place  # where to look first
    chain: tuple[Edge, ...] = ()
    why: str = ""  # why it cannot work, one or two sentences
    instead: str = ""  # what to do
    cut: Edge | None = None  # the edge of the chain that is cheapest to cut
    closed: bool = False  # the chain ends where it began
    scope: Scope = Scope.FIRST_BOOT
    also: tuple[tuple[Edge, ...], ...] = ()  # other cycles that this finding tells, too
    cause: str = ""  # findings of one rule with the same cause are one to whoever mends it; "": it stands alone
    more: tuple["Finding", ...] = ()  # those, where they have been put together
    fixes: tuple[Listed | DependsOn, ...] = ()  # where it is fixed by a few lines more; `findings` makes diffs of them

    @property
    def links(self) -> tuple[Edge, ...]:
        """The chain without the steps inside one thing (what is Ready has been applied)."""
        return tuple(edge for edge in self.chain if edge.by.label != edge.needs.label)

    @property
    def key(self) -> tuple[str, ...]:
        """By which two rules would tell the same thing twice."""
        return _cycle(self.chain) if self.closed else (self.rule, self.message, self.place.file, str(self.place.line))

    @property
    def keys(self) -> set[tuple[str, ...]]:
        """Its own key, and those of what it tells besides."""
        return {self.key, *map(_cycle, self.also)}


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a cause, where the first of it stands; the others are under `more`, and its fixes are those of all."""
    found: dict[Hashable, list[Finding]] = {}
    for at, finding in enumerate(findings):
        key = (finding.rule, finding.severity, finding.cause) if finding.cause else at
        found.setdefault(key, []).append(finding)
    return [_one(first, rest) if rest else first for first, *rest in found.values()]


def apart(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each place of a cause as a finding of its own, as before they were put together."""
    for finding in findings:
        others = {fix for one in finding.more for fix in one.fixes}
        own = tuple(fix for fix in finding.fixes if fix not in others)
        yield replace(finding, more=(), fixes=own) if finding.more else finding
        yield from finding.more


def _one(first: Finding, rest: list[Finding]) -> Finding:
    fixes = dict.fromkeys(fix for finding in (first, *rest) for fix in finding.fixes)
    return replace(first, more=tuple(rest), fixes=tuple(fixes))


def _cycle(chain: Iterable[Edge]) -> tuple[str, ...]:
    return ("cycle", *sorted(map(str, {edge.by for edge in chain})))


def tell(chain: Iterable[Edge]) -> str:
    """A chain in a line: a <- b <- c."""
    edges = tuple(chain)
    labels = [*(edge.by.label for edge in edges), edges[-1].needs.label] if edges else []
    return " <- ".join(label for at, label in enumerate(labels) if at == 0 or label != labels[at - 1])


def names(things: Iterable[Thing]) -> str:
    """Things in a list, each once."""
    return ", ".join(dict.fromkeys(thing.label for thing in things))
