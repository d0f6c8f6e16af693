"""Two proofs of one tree, compared: which findings are new, and how the bootstrap has changed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rebirth.change.snapshot import Course, Mark
from rebirth.change.units import direct
from rebirth.plan import schedule
from rebirth.proof.prove import ClusterProof
from rebirth.proof.rules import Finding
from rebirth.proof.rules.finding import apart, grouped
from rebirth.proof.things import Edge


@dataclass(frozen=True)
class Compared:
    """Findings of two states of a tree."""

    new: tuple[Finding, ...]
    same: int
    gone: tuple[Mark, ...]


@dataclass(frozen=True)
class NewNeed:
    """One unit needs another that it did not need before."""

    by: str
    needs: str
    chain: tuple[Edge, ...]  # from the one to the other; nothing between them is a unit


@dataclass(frozen=True)
class OfCluster:
    """What has changed in the bootstrap of a cluster."""

    cluster: str
    before: Course | None  # None: the cluster is new
    after: Course
    needs: tuple[NewNeed, ...]  # of units that were there before and are still

    @property
    def added(self) -> list[str]:
        known = set(self.before.units) if self.before else set()
        return [unit for unit in self.after.units if unit not in known]

    @property
    def removed(self) -> list[str]:
        left = set(self.after.units)
        return [unit for unit in self.before.units if unit not in left] if self.before else []

    @property
    def needed_by_added(self) -> dict[str, list[str]]:
        """What each added unit needs, without what another of these needs anyway."""
        needs: dict[str, set[str]] = defaultdict(set)
        for by, needed in self.after.needs:
            needs[by].add(needed)
        found = {}
        for unit in self.added:
            anyway: set[str] = set().union(*(needs[other] for other in needs[unit] if other in needs))
            found[unit] = sorted(needs[unit] - anyway)
        return found

    @property
    def no_longer(self) -> list[tuple[str, str]]:
        """Needs between units that are still there."""
        left = set(self.after.units)
        gone = self.before.needs - self.after.needs if self.before else ()
        return sorted(pair for pair in gone if left.issuperset(pair))


_Key = Callable[[Mark], object]  # by which two marks are the same; None: by nothing


def compare(
    before: Iterable[Mark], findings: Sequence[Finding], now: Sequence[Mark], exists: Callable[[str], bool]
) -> Compared:
    """`now` are the marks of `findings`, place by place: of one cause a place may be new. `exists` says whether a file of the repository is there today.

    A finding that has its place in another file now is the same: where it is about the same things, or where its old file
    is gone, as after a move.
    """
    passes: tuple[tuple[_Key, _Key], ...] = (
        (lambda mark: mark.fingerprint, lambda mark: mark.fingerprint),
        (lambda mark: mark.cause or None, lambda mark: mark.cause or None),
        (lambda mark: None if exists(mark.file) else mark.subject, lambda mark: mark.subject),
    )
    gone, left = [*before], dict(enumerate(now))
    for then, today in passes:
        known: dict[object, list[Mark]] = defaultdict(list)
        for mark in gone:
            known[then(mark)].append(mark)
        for at, mark in [*left.items()]:
            key = today(mark)
            if key is not None and known[key]:
                gone.remove(known[key].pop(0))
                del left[at]
    places = [*enumerate(apart(findings))]
    new, same = ([one for at, one in places if (at in left) is wanted] for wanted in (True, False))
    return Compared(tuple(grouped(new)), len(grouped(same)), tuple(gone))


def of_clusters(
    before: Mapping[str, Course], after: Mapping[str, Course], worlds: Iterable[ClusterProof]
) -> Iterator[OfCluster]:
    """What has changed in each cluster of today; nothing where nothing has. `worlds` are those of today."""
    for world in worlds:
        was, course = before.get(world.cluster), after[world.cluster]
        if was == course:
            continue
        units = schedule.run(world.model, world.graph)
        stayed = set(was.units) & set(course.units) if was else set()
        pairs = sorted(pair for pair in course.needs - was.needs if stayed.issuperset(pair)) if was else []
        needs = [NewNeed(by, needed, direct(world.graph, units[by], units)[needed]) for by, needed in pairs]
        yield OfCluster(world.cluster, was, course, tuple(needs))
