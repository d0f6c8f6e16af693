"""What `create` would do to a castle that lives: every phase is asked what it would change. Nothing is written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from rebirth.errors import CannotTell, NotYet
from rebirth.events import Events
from rebirth.paths import Paths
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.change import Change, Foreseen, How, undone
from rebirth.run.engine import Engine, Outcome
from rebirth.run.facts import Fact
from rebirth.run.fingerprint import fingerprint
from rebirth.run.journal import FILE, Journal
from rebirth.run.phase import Phase

_EARLIER = ", earlier"  # in the name of a phase whose fact is only remembered
LEFT = 4  # exit code where all was done but what is left to a person
_LOOK = 60.0  # seconds for a phase to say it: a machine that has gone keeps talosctl busy for half of that


@dataclass(frozen=True)
class Outlook:
    """What each phase would change, and why that cannot be told of some, both by the phase's name."""

    changes: Mapping[str, Sequence[Change]] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def all(self) -> Iterator[Change]:
        for changes in self.changes.values():
            yield from changes

    @property
    def undone(self) -> list[Change]:
        """What create leaves to a person."""
        return undone(self.all())

    @property
    def exit_code(self) -> int:
        """1: not all can be told; 4: create would leave something to a person."""
        return 1 if self.unknown or self.of(How.UNKNOWN) else LEFT if self.undone else 0

    def of(self, how: How) -> list[Change]:
        return [change for change in self.all() if change.how is how]


def lives(paths: Paths) -> bool:
    """Whether an earlier run has made something of this castle: else all of it is still to be made."""
    return (paths.state / FILE).exists() or paths.talosconfig.exists() or paths.kubeconfig.exists()


async def foresee(own: Bootstrap, paths: Paths, given: Mapping[type, object], *, may_prepare: bool = False) -> Outlook:
    """Asks the phases of `own`, those of this castle, all at once; each by itself, so that one without an answer stops no other.

    With `may_prepare` also what is read outside before anything is made (the repository) is there for them.
    """
    telling = {phase.name for phase in own.phases if phase.changes}
    with Journal(paths.state, "plan", writes=False) as journal:
        phases = [
            *(_known(phase, journal, may_prepare=may_prepare) for phase in own.phases),
            *(_asked(phase) for phase in own.phases),
        ]
        looking = replace(own, phases=tuple(filter(None, phases))).of(given)
        timely = [replace(phase, patience=min(phase.patience, _LOOK)) for phase in looking.phases]
        asked = [phase.name for phase in timely if phase.name in telling]
        outcome = await Engine(timely, looking.connections, given, journal, Events(), goals=set(asked)).run()
        outlook = _outlook(outcome, asked)
        recorded = {name: f"{why}{_recorded(name, own, given, journal)}" for name, why in outlook.unknown.items()}
    return replace(outlook, unknown=recorded)


def _recorded(name: str, own: Bootstrap, given: Mapping[type, object], journal: Journal) -> str:
    """What the records know where nobody answers: whether castle.yaml says the same as when the phase was done."""
    phase = next(one for one in own.phases if one.name == name)
    facts = {one.makes: journal.recall(one.name, one.makes) for one in own.phases}
    if facts[phase.makes] is None:
        return "; no run has recorded that it was done"
    connections = {one.makes: one for one in own.connections}
    try:
        same = journal.recall(name, phase.makes, fingerprint(phase, given, facts, connections)) is not None
    except TypeError:  # a fact that it needs is not recorded
        same = False
    return f"; by the records castle.yaml {'says the same as' if same else 'said something else'} when it was done"


def _known(phase: Phase, journal: Journal, *, may_prepare: bool) -> Phase | None:
    """In place of the phase: its fact as a run has left it, or as it is found. What only reads is run as it is."""
    bare = replace(
        phase, name=f"{phase.name}{_EARLIER}", on_demand=True, still=None, found=None, undo=None, waits_for=()
    )
    if cast("type[Fact]", phase.makes).in_memory:
        return bare if phase.looks or (may_prepare and phase.prepares and phase.on_demand) else None
    if fact := journal.recall(phase.name, phase.makes):

        async def recalled() -> Fact:
            return fact

        return replace(bare, takes={}, can_do_without=frozenset(), function=recalled)
    if (found := phase.found) is None:
        return None

    async def look(**takes: Any) -> Fact:
        try:
            return cast("Fact", await found.function(**takes))
        except NotYet as error:
            raise CannotTell(str(error)) from None

    return replace(bare, takes=found.takes, can_do_without=found.can_do_without, function=look)


def _asked(phase: Phase) -> Phase | None:
    """What asks a phase what it would change."""
    changes = phase.changes
    if changes is None:
        return None
    # The engine knows phases by what they make: each has a kind of its own.
    kind: type[Foreseen] = type(f"Foreseen_{phase.name}", (Foreseen,), {})

    async def look(**takes: Any) -> Foreseen:
        try:
            return kind(changes=tuple(await changes.function(**takes)))
        except NotYet as error:
            return kind(unknown=str(error))

    bare = replace(phase, still=None, found=None, undo=None, waits_for=(), on_demand=False)
    return replace(bare, takes=changes.takes, can_do_without=changes.can_do_without, makes=kind, function=look)


def _outlook(outcome: Outcome, asked: Iterable[str]) -> Outlook:
    """In the order of the bootstrap, whoever answered first."""
    changes, unknown = dict[str, Sequence[Change]](), dict[str, str]()
    for name in asked:
        fact = outcome.facts.get(name)
        if not isinstance(fact, Foreseen):
            failure = outcome.failures.get(name) or outcome.failures.get(outcome.skipped.get(name, ""))
            unknown[name] = str(failure) if failure else "what it needs to know is not there"
        elif fact.unknown:
            unknown[name] = fact.unknown
        elif fact.changes:
            changes[name] = fact.changes
    return Outlook(changes, unknown)
