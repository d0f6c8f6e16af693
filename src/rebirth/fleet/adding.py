"""What `fleet add` makes of its options."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rebirth.castle import load
from rebirth.drill.faults import SETS
from rebirth.errors import Broken, SpecError
from rebirth.fleet.job import Job, new
from rebirth.fleet.kinds import Kind, kind
from rebirth.fleet.place import this_machine
from rebirth.paths import paths_of
from rebirth.run.asking import agreed, asks


def jobs(
    name: str,
    directories: Sequence[Path] | None,
    *,
    lab: bool,
    lab_name: str,
    rounds: int,
    seed: int,
    faults: str,
    machine: str,
    yes: bool,
) -> list[Job]:
    """A job a directory. Raises SpecError where the options do not fit, Broken where somebody says no to a destruction."""
    chosen = kind(name)
    _check(chosen, lab=lab, rounds=rounds, seed=seed, faults=faults)
    options: dict[str, Any] = {"lab": lab, "lab_name": lab_name if lab else "", "faults": faults}
    options["machine"] = machine or (this_machine() if lab else "")
    if chosen.of_seeds:
        if directories or not (chosen.at and chosen.at.is_dir()):
            words = f"{name} takes no directory" if directories else f"{name} needs a checkout of the source"
            raise SpecError(words)
        return [
            new(
                name,
                chosen.at,
                castle=f"{name} {first}",
                rounds=min(chosen.of_seeds, seed + rounds - first),
                seed=first,
                **options,
            )
            for first in range(seed, seed + rounds, chosen.of_seeds)
        ]
    found = [new(name, directory, rounds=rounds, seed=seed, **options) for directory in directories or [Path()]]
    for job in found:
        if chosen.needs_castle and not job.is_castle:
            load(Path(job.directory))  # says what is missing
        if chosen.destroys and not lab and not yes:
            castle = load(Path(job.directory))
            paths = paths_of(Path(job.directory), castle.secrets)
            if asks(name, paths) and not agreed(castle, paths):
                raise Broken("the answer was no; no job was added")
    return found


def _check(chosen: Kind, *, lab: bool, rounds: int, seed: int, faults: str) -> None:
    if lab and not chosen.in_lab:
        raise SpecError(
            f"--lab: {chosen.name} needs no lab", hint="create, verify, drill and destroy may be done in it."
        )
    if faults != "none" and not lab:
        raise SpecError("--faults needs --lab", hint="Nothing is broken on real systems on purpose.")
    if faults != "none" and not chosen.repeats:
        raise SpecError(f"--faults: {chosen.name} takes none", hint="A drill does.")
    if (rounds != 1 or seed) and not (chosen.repeats or chosen.of_seeds):
        raise SpecError(
            f"-n, --seed: {chosen.name} is done once a directory", hint="They are of a drill, or of a simulation."
        )
    if faults not in SETS:
        raise SpecError(f"--faults: no such set: {faults}", hint=f"There are {', '.join(SETS)}.")
