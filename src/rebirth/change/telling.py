"""What a change of a tree changes, in text and as data."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rebirth.change.difference import NewNeed, OfCluster
from rebirth.change.snapshot import Course, Mark
from rebirth.findings.data import edge_data
from rebirth.findings.places import Places
from rebirth.findings.text import because
from rebirth.plan.text import clock
from rebirth.proof.rules import Severity

_MOST = 8  # of a list in text
_NOTED = 1.0  # seconds by which a time has to differ to be told


@dataclass(frozen=True)
class Change:
    """What is told besides the findings."""

    revision: str  # as it was asked for
    commit: str
    new: int
    same: int
    gone: tuple[Mark, ...]
    clusters: tuple[OfCluster, ...]  # that have changed
    places: Places
    unread: str = ""  # why the tree at the revision could not be proved: then every finding is new

    def lines(self, width: int) -> list[str]:
        head = f"since {self._since}"
        if self.unread:
            return _fold(f"{head}: every finding is new, for the tree was not proved then: {self.unread}", width)
        told = _fold(f"{head}: {_number(self.new, 'new finding')}, {len(self.gone)} gone, {self.same} as before", width)
        for severity in Severity:
            gone = [mark for mark in self.gone if mark.severity is severity]
            told += [
                line
                for mark in gone[:_MOST]
                for line in _fold(f"  gone: {severity} {mark.rule}: {mark.message}", width)
            ]
            told += [f"  and {len(gone) - _MOST} more of weight {severity}"] if len(gone) > _MOST else []
        if not self.clusters:
            return [*told, "the bootstrap is as it was"]
        for one in self.clusters:
            several = len(self.clusters) > 1
            told += [line for words in self._cluster(one, named=several) for line in _fold(words, width)]
        return told

    @property
    def _since(self) -> str:
        return self.revision if self.revision.startswith(self.commit) else f"{self.revision} ({self.commit})"

    def _cluster(self, one: OfCluster, *, named: bool) -> Iterator[str]:
        if named:
            yield f"cluster {one.cluster}:"
        yield from _path(one)
        needs = one.needed_by_added
        for label in one.added[:_MOST]:
            behind = f", needs {', '.join(needs[label][:_MOST])}" if needs[label] else ""
            yield f"added: {label}{behind}"
        yield from _more(len(one.added), "added")
        for label in one.removed[:_MOST]:
            yield f"removed: {label}"
        yield from _more(len(one.removed), "removed")
        for need in one.needs[:_MOST]:
            yield f"{need.by} now needs {need.needs}{self._because(need)}"
        yield from _more(len(one.needs), "new needs")
        for by, needed in one.no_longer[:_MOST]:
            yield f"{by} no longer needs {needed}"
        yield from _more(len(one.no_longer), "needs gone")

    def _because(self, need: NewNeed) -> str:
        edge = next((edge for edge in need.chain if edge.place.file), None)
        return f": {because(edge)} ({self.places.text(edge.place)})" if edge else ""

    def data(self) -> dict[str, Any]:
        return {
            "since": {
                "revision": self.revision,
                "commit": self.commit,
                "unread": self.unread or None,
                "new": self.new,
                "same": self.same,
                "gone": [
                    {"rule": mark.rule, "severity": mark.severity.value, "message": mark.message, "file": mark.file}
                    for mark in self.gone
                ],
                "clusters": [self._cluster_data(one) for one in self.clusters],
            }
        }

    def _cluster_data(self, one: OfCluster) -> dict[str, Any]:
        return {
            "cluster": one.cluster,
            "critical_path": {"before": one.before and _path_data(one.before), "after": _path_data(one.after)},
            "added": [{"unit": unit, "needs": needs} for unit, needs in one.needed_by_added.items()],
            "removed": one.removed,
            "needs": [
                {
                    "by": need.by,
                    "needs": need.needs,
                    "chain": [edge_data(edge, self.places) for edge in need.chain],
                }
                for need in one.needs
            ],
            "no_longer": [{"by": by, "needs": needed} for by, needed in one.no_longer],
        }


def _path(one: OfCluster) -> Iterator[str]:
    """How the critical path has changed."""
    after, before = one.after, one.before
    if after.never:
        yield f"never ready: {', '.join(after.never[:_MOST])}"
        yield from _more(len(after.never), "never ready")
        return
    goal = "online" if after.online else "all ready"
    now = f"critical path: {goal} after {clock(after.seconds)} in {_number(len(_steps(after)), 'step')}"
    if before is None:
        yield f"{now}; the cluster is new"
        return
    if before.never:
        yield f"{now}; before, {_number(len(before.never), 'unit')} never became ready"
        return
    later = after.seconds - before.seconds
    steps = len(_steps(before))
    if abs(later) < _NOTED and steps == len(_steps(after)):
        return
    word = "later" if later > 0 else "earlier"
    than = f"{clock(abs(later))} {word} than before" if abs(later) >= _NOTED else "as before"
    yield f"{now}; {than}, in {steps}"
    was = dict(_steps(before))
    for label, seconds in _steps(after):
        if label not in was:
            yield f"  new on it: {label}, {clock(seconds)}"


def _steps(course: Course) -> list[tuple[str, float]]:
    """Those that take time."""
    return [(step.label, step.seconds) for step in course.longest if step.seconds]


def _path_data(course: Course) -> dict[str, Any]:
    return {
        "seconds": round(course.seconds, 1),
        "online": course.online,
        "never_ready": [*course.never],
        "steps": [{"what": label, "seconds": round(seconds, 1)} for label, seconds in _steps(course)],
    }


def _more(count: int, what: str) -> Iterable[str]:
    return [f"and {count - _MOST} more {what} (--format json has all)"] if count > _MOST else []


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _fold(words: str, width: int) -> list[str]:
    margin = " " * (len(words) - len(words.lstrip()) + 2)
    return textwrap.wrap(words, width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False)
