"""The commands that run the graph: create, verify, status. One graph, run with more or less leave to act."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from rebirth.castle import (
    Anchors,
    Castle,
    ClusterDns,
    CredentialsAnchor,
    DatabaseAnchors,
    DataPath,
    FluxOfRepository,
    Handovers,
    Identity,
    Online,
    Patience,
    RegistryLogins,
    Restore,
    Sites,
)
from rebirth.castle.storage import data_path_of
from rebirth.errors import DoesNotHold, Rebirth, SpecError
from rebirth.events import Checked, Events, RunFinished, RunStarted
from rebirth.paths import Paths
from rebirth.run.bootstrap import Bootstrap
from rebirth.run.consent import Consent
from rebirth.run.engine import Engine, Outcome
from rebirth.run.files import sweep
from rebirth.run.foresee import Outlook, foresee, lives
from rebirth.run.journal import Journal
from rebirth.run.phase import LAYERS, Phase, goal
from rebirth.secrets import Redaction


@dataclass(frozen=True)
class Verdict:
    """What status says of one phase's fact."""

    phase: str
    title: str
    verdict: Literal["in place", "changed", "not in place", "cannot tell"]  # changed: castle.yaml says otherwise now
    why: str  # "" where there is nothing to add


def verdicts(bootstrap: Bootstrap, outcome: Outcome) -> list[Verdict]:
    """A verdict on every fact; ingredients, which hold only while a run needs them, only where they could not be had."""
    found = []
    for phase in bootstrap.phases:
        failure = outcome.failures.get(phase.name)
        if phase.name in outcome.facts and (left := outcome.left.get(phase.name)):
            words = "; ".join(f"{change} ({change.how})" for change in left)
            found.append(Verdict(phase.name, phase.title, "changed", words))
        elif phase.name in outcome.facts and not phase.on_demand:
            found.append(Verdict(phase.name, phase.title, "in place", ""))
        elif failure is not None:
            verdict: Literal["not in place", "cannot tell"]
            verdict = "not in place" if isinstance(failure, DoesNotHold) else "cannot tell"
            found.append(Verdict(phase.name, phase.title, verdict, _briefly(phase, verdict, failure)))
        elif because := outcome.skipped.get(phase.name):
            known = isinstance(outcome.failures.get(because), DoesNotHold)
            words = f"{because} is not in place" if known else f"nothing is known of {because}"
            found.append(Verdict(phase.name, phase.title, "cannot tell", words))
    return found


def _briefly(phase: Phase, verdict: str, failure: Rebirth) -> str:
    """Its first line, without what stands beside it: the phase's title and the verdict."""
    first, *others = str(failure).splitlines() or [""]
    words = first.removeprefix(f"{phase.title}: ").removeprefix(verdict).removeprefix(": ")
    return f"{words} (and {len(others)} more)" if others else words


def given(castle: Castle, paths: Paths, redaction: Redaction) -> dict[type, object]:
    """What phases and connections take besides facts and each other, by type."""
    return {Castle: castle, Paths: paths, Redaction: redaction, Consent: Consent(), **sections(castle)}


def sections(castle: Castle) -> dict[type, object]:
    """The sections that castle.yaml has, by type: they decide which phases make the castle (Bootstrap.of)."""
    found: dict[type, object] = {}
    cilium = castle.networking.cilium if castle.networking else None
    for section in (castle, castle.engine, castle.tailscale, castle.gitops, castle.networking, cilium, castle.anchors):
        for name in type(section).model_fields if section else ():
            value = getattr(section, name)
            if isinstance(value, BaseModel):
                found[type(value)] = value
    if path := data_path_of(castle.storage):
        found[DataPath] = path
    if castle.online:
        found |= _of_online(castle.online)
    if castle.anchors:
        found |= _of_anchors(castle.anchors)
    if not castle.gitops.flux:
        found[FluxOfRepository] = FluxOfRepository()
    found[RegistryLogins] = castle.engine.registry_logins
    found[ClusterDns] = ClusterDns(ours=castle.engine.coredns is not None)
    found[Patience] = Patience(patience=castle.patience)
    found[Identity] = Identity(name=castle.name)
    found[Handovers] = Handovers(handovers=castle.handovers)
    return found


def _of_online(online: Online) -> dict[type, object]:
    parts = [online.entrance, online.awaited, Sites(sites=online.sites) if online.sites else None]
    return {type(part): part for part in parts if part}


def _of_anchors(anchors: Anchors) -> dict[type, object]:
    found: dict[type, object] = {}
    if anchors.restore:
        found[Restore] = Restore(generation=anchors.restore)
    if anchors.credentials:
        found[CredentialsAnchor] = CredentialsAnchor()
    if anchors.databases:
        found[DatabaseAnchors] = DatabaseAnchors(databases=anchors.databases)
    return found


def barriers(phases: Iterable[Phase]) -> dict[str, list[str]]:
    """The protocol's layer order as extra edges: each phase after every phase of the layers before its own."""
    rank = {layer: index for index, layers in enumerate(LAYERS) for layer in layers}
    known = list(phases)
    return {phase.name: [other.name for other in known if rank[other.layer] < rank[phase.layer]] for phase in known}


async def create(
    bootstrap: Bootstrap,
    castle: Castle,
    paths: Paths,
    events: Events,
    redaction: Redaction,
    *,
    budget: float | None = None,
    layered: bool = False,
    checked: Checked | None = None,
    consent: Consent | None = None,
) -> Outcome:
    """From nothing to online; goes on after a crash; changes nothing on a live castle that is as castle.yaml says.

    `budget` is in seconds; `checked` is what the proof said beforehand, for the run's record.
    """
    _check(consent or Consent(), castle)
    own = bootstrap.of(sections(castle))
    lived = lives(paths)
    outcome = await _run(
        own,
        "create",
        castle,
        paths,
        events,
        redaction,
        may_run=lambda _: True,
        budget=budget,
        after=barriers(own.phases) if layered else None,
        checked=checked,
        consent=consent,
    )
    if lived and outcome.ok:  # what it did not do shows in what there is, not in what it believes
        await _look_for_changes(outcome, own, castle, paths, redaction)
    return outcome


async def foreseen(bootstrap: Bootstrap, castle: Castle, paths: Paths, redaction: Redaction) -> Outlook | None:
    """What create would do to the castle; None where nothing of it was made yet. Nothing is written."""
    if not lives(paths):
        return None
    own = bootstrap.of(sections(castle))
    return await foresee(own, paths, given(castle, paths, redaction), may_prepare=True)


async def _look_for_changes(
    outcome: Outcome, own: Bootstrap, castle: Castle, paths: Paths, redaction: Redaction
) -> None:
    outlook = await foresee(own, paths, given(castle, paths, redaction))
    outcome.left.update({name: list(changes) for name, changes in outlook.changes.items()})


def _check(consent: Consent, castle: Castle) -> None:
    """Raises SpecError where the operator agrees to what castle.yaml does not say."""
    if named := [machine.name for machine in castle.machines.nodes if machine.name in consent.remove]:
        hint = "Take it out of castle.yaml first: what is named there is made."
        raise SpecError(f"--remove {named[0]}: castle.yaml names this machine", hint=hint)
    if consent.remove and castle.proxmox is None:
        hint = "Drain it with kubectl, then reset it with talosctl."
        raise SpecError(f"--remove {consent.remove[0]}: somebody else made this castle's machines", hint=hint)


async def verify(
    bootstrap: Bootstrap,
    castle: Castle,
    paths: Paths,
    events: Events,
    redaction: Redaction,
    *,
    budget: float | None = None,
) -> Outcome:
    """The end-to-end checks alone, on what an earlier run has made; nothing is written, so that it may run beside create."""
    own = bootstrap.of(sections(castle))
    goals = {phase.name for phase in own.phases if phase.verifies} or {goal(own.phases)}
    return await _run(
        own,
        "verify",
        castle,
        paths,
        events,
        redaction,
        goals=goals,
        may_run=lambda phase: phase.verifies or phase.looks,
        budget=budget,
        writes=False,
    )


async def status(bootstrap: Bootstrap, castle: Castle, paths: Paths, events: Events, redaction: Redaction) -> Outcome:
    """Which facts hold now; nothing is written, so that it may run beside create."""
    own = bootstrap.of(sections(castle))
    outcome = await _run(
        own, "status", castle, paths, events, redaction, may_run=lambda phase: phase.looks, writes=False
    )
    if lives(paths):
        await _look_for_changes(outcome, own, castle, paths, redaction)
    return outcome


async def _run(
    own: Bootstrap,
    command: str,
    castle: Castle,
    paths: Paths,
    events: Events,
    redaction: Redaction,
    *,
    may_run: Callable[[Phase], bool],
    goals: Iterable[str] | None = None,
    budget: float | None = None,
    after: Mapping[str, Iterable[str]] | None = None,
    checked: Checked | None = None,
    consent: Consent | None = None,
    writes: bool = True,
) -> Outcome:
    with Journal(paths.state, command, writes=writes) as journal:
        if writes:
            sweep(paths.scratch)  # what a killed run has left holds secrets, and this one may not come so far
        engine = Engine(
            own.phases,
            own.connections,
            {**given(castle, paths, redaction), Consent: consent or Consent()},
            journal,
            events,
            goals=goals,
            may_run=may_run,
            budget=budget,
            after=after,
        )
        events(RunStarted(castle.name, command, tuple(phase.name for phase in own.phases)))
        if checked:
            events(checked)
        outcome = await engine.run()
        events(RunFinished(outcome.ok, "; ".join(map(str, outcome.failures.values()))))
        return outcome
