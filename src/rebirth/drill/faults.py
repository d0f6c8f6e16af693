"""What goes wrong in a drill: sets of faults, out of which each round draws its own, by the seed and its number."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rebirth.errors import SpecError

# The lab's systems that the operator's machine talks to; what a castle does not use nobody meets.
_SYSTEMS = ("proxmox", "tailscale", "vault", "git")
_HOW = ("slow", "refusing", "dying", "losing")
_WORDS = {
    "slow": "{} is slow",
    "refusing": "{} answers 503",
    "dying": "{} hangs up",
    "losing": "{} does it, and hangs up",
}
SETS: dict[str, tuple[str, ...]] = {
    "none": (),
    **{how: (how,) for how in _HOW},
    "kill": ("kill",),
    "all": (*_HOW, "kill"),
}
_OFTEN = 0.6  # how likely a system is to be struck in a round


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong in one round."""

    words: str
    system: str = ""  # of the lab; "" where create itself is what is hit
    body: Mapping[str, Any] = field(default_factory=dict)  # for the lab's control API
    kill: float = 0.0  # seconds after which create is killed, and run again


def drawn(name: str, seed: int, number: int) -> tuple[Fault, ...]:
    """The faults of a round, the same ones for the same seed and number. Raises SpecError where there is no such set."""
    if name not in SETS:
        raise SpecError(f"--faults: no such set: {name}", hint=f"There are {', '.join(SETS)}.")
    chance = random.Random(f"{name}/{seed}/{number}")  # noqa: S311 - the same again, not unforeseeable
    ways = [how for how in SETS[name] if how != "kill"]
    found = [_fault(system, chance.choice(ways), chance) for system in _SYSTEMS if ways and chance.random() < _OFTEN]
    if "kill" in SETS[name] and (not found or chance.random() < _OFTEN):
        found.append(Fault("create is killed", kill=round(chance.uniform(2, 60), 1)))
    return tuple(found)


def _fault(system: str, how: str, chance: random.Random) -> Fault:
    times = chance.randint(1, 6)
    bodies: dict[str, dict[str, Any]] = {
        "slow": {"delay": round(chance.uniform(0.2, 3), 1)},
        "refusing": {"status": 503},
        "dying": {"die": True},
        "losing": {"lose": True},
    }
    return Fault(_WORDS[how].format(system), system, bodies[how] | {"times": times})
