"""A living castle in a simulated world, castle.yaml changed, and what `plan`, `create` and `status` make of it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from rebirth.castle import Castle, load
from rebirth.castle.load import FILE
from rebirth.events import Events
from rebirth.findings.places import Places
from rebirth.findings.verdict import weigh
from rebirth.proof.prove import prove
from rebirth.proof.rules import Severity
from rebirth.run import create as run
from rebirth.run.engine import Outcome
from rebirth.run.foresee import Outlook
from rebirth.secrets import Redaction
from simulation import tree
from simulation.faults import Plan
from simulation.life import folder
from simulation.world import World

Document = dict[str, Any]
_REST = 60.0  # seconds in which controllers come to rest


class Living:
    """`world` is there for a case to look into, and to bend."""

    def __init__(self, place: Path) -> None:
        self.world = World(place, 1, Plan())
        self.wrote: list[str] = []
        self.world.wrote.append(self.wrote.append)
        self.document: Document = yaml.safe_load((tree.EXAMPLE / FILE).read_text())
        (self.world.paths.castle / FILE).write_text((tree.EXAMPLE / FILE).read_text())

    def create(self) -> Outcome:
        return self._run(lambda bootstrap, redaction: run.create(bootstrap, *self._who(), Events(), redaction))

    def status(self) -> dict[str, str]:
        outcome = self._run(lambda bootstrap, redaction: run.status(bootstrap, *self._who(), Events(), redaction))
        found = run.verdicts(self.world.bootstrap(), outcome)
        return {one.phase: f"{one.verdict}: {one.why}".removesuffix(": ") for one in found}

    def plan(self) -> Outlook:
        found = self._run(lambda bootstrap, redaction: run.foreseen(bootstrap, *self._who(), redaction))
        assert found is not None, "the castle does not live"
        return found

    def edit(self, change: Callable[[Document], None]) -> None:
        """Changes castle.yaml. Raises SpecError where that is none any more."""
        change(self.document)
        file = self.world.paths.castle / FILE
        file.write_text(yaml.safe_dump(self.document, sort_keys=False))
        self.world.castle = load(self.world.paths.castle)

    def errors(self) -> list[str]:
        """What the proof finds: create stops before it does anything."""
        castle = self.world.castle
        with self.world.host.world():
            proof = _proved(castle, self.world.paths.castle)
        verdict = weigh(proof, Places())
        return [f"{one.rule}: {one.message}" for one in verdict.findings if one.severity is Severity.ERROR]

    def rest(self) -> None:
        self.world.host.wait(_REST)

    def _who(self) -> tuple[Castle, Any]:
        return self.world.castle, self.world.paths

    def _run(self, command: Callable[..., Any]) -> Any:
        world, redaction = self.world, Redaction()
        bootstrap = world.bootstrap()
        return world.host.attempt(lambda: world.host.run(command(bootstrap, redaction)))


def _proved(castle: Castle, directory: Path) -> Any:
    """On a loop of its own: that of the world jumps."""
    with asyncio.Runner() as runner:
        return runner.run(prove(tree.EXAMPLE / "gitops", castle=castle, directory=directory))


@contextmanager
def living() -> Iterator[Living]:
    """One that has come online, and at rest."""
    with folder() as place:
        one = Living(place / "life")
        try:
            with one.world.host.process():
                outcome = one.create()
                assert outcome.ok, outcome.failures
                one.rest()
                one.wrote.clear()
                yield one
        finally:
            one.world.close()
