"""What goes wrong, and when: drawn from a seed, and over at a moment that is known beforehand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

# Of requests: how a system misbehaves towards who asks it.
HTTP = (
    "429", "500", "502", "503", "504", "refused", "hang up", "lost", "slow", "times out", "not json", "other json", "redirect",
)  # fmt: skip
LIES = ("lie",)  # success is said, and nothing done
SYSTEMS = {  # system -> what can go wrong with it
    "proxmox": (*HTTP, "locked"),
    "tailscale": HTTP,
    "vault": HTTP,
    "kubernetes": (*HTTP, *LIES),
    "web": HTTP,
    "git": ("429", "503", "refused", "hang up", "no host", "times out"),
    "helm": ("429", "503", "refused", "hang up", "no host", "lost", *LIES),
    "talos": ("refused", "hang up", "times out", "lost", *LIES),
}
# Of the world itself: nobody answers wrongly, but something is otherwise.
EVENTS = (
    "vault sealed", "api server restarted", "tokens expired", "clock an hour on", "clock an hour back", "worker rebooted",
    "control plane rebooted", "worker lost", "disk full",
)  # fmt: skip
_LASTS = 120.0  # seconds that an event lasts, at most


@dataclass(frozen=True)
class Fault:
    """`chance` is that of a request, or a call of a program, to be hit."""

    system: str
    kind: str
    since: float  # seconds of the life
    until: float
    chance: float = 1.0
    path: str = ""  # regular expression searched in method and path

    def moved(self, by: float) -> "Fault":
        return replace(self, since=self.since + by, until=self.until + by)

    def __str__(self) -> str:
        where = f" at {self.path}" if self.path else ""
        return f"{self.system}: {self.kind}{where} ({self.chance:.0%}, {self.since:.1f} to {self.until:.1f} s)"


@dataclass
class Plan:
    """What one life meets. Kills, one for each run, are numbers of points, or moments: seconds after a run's start.

    `abandoned`: the first kill of create is its last run, and destroy follows. Faults of destroy count from its start. `again`: what was
    destroyed is created and destroyed once more.
    """

    faults: list[Fault] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    kills: list[int | float] = field(default_factory=list)
    destroy_kills: list[int | float] = field(default_factory=list)
    destroy_faults: list[Fault] = field(default_factory=list)
    abandoned: bool = False
    again: bool = False

    @property
    def over(self) -> float:
        """From this second on everything works."""
        return max([0.0, *(fault.until for fault in self.faults), *(at + _LASTS for at, _ in self.events)])

    def __str__(self) -> str:
        said = [*map(str, self.faults), *(f"{kind} at {at:.1f} s" for at, kind in self.events)]
        said += [f"kills: {self.kills}"] if self.kills else []
        said += ["then destroyed"] if self.abandoned else []
        said += [f"while it is destroyed: {fault}" for fault in self.destroy_faults]
        said += [f"kills of destroy: {self.destroy_kills}"] if self.destroy_kills else []
        said += ["reborn"] if self.again else []
        return "; ".join(said) or "nothing goes wrong"


def drawn(seed: int) -> Plan:
    """About every third life has no fault, and every third no kill."""
    draw = Random(f"plan {seed}")
    plan = Plan()
    for _ in range(draw.choice((0, 0, 1, 1, 2, 3))):
        plan.faults.append(_fault(draw, 100.0))
    for _ in range(draw.choice((0, 0, 0, 1))):
        plan.events.append((draw.uniform(1, 120), draw.choice(EVENTS)))
    plan.kills = list(_kills(draw, 250, 75.0))
    plan.abandoned = bool(plan.kills) and draw.random() < 0.2
    plan.destroy_kills = list(_kills(draw, 30, 6.0))
    plan.destroy_faults = [_fault(draw, 10.0) for _ in range(draw.choice((0, 0, 0, 1, 2)))]
    plan.again = draw.random() < 0.2
    return plan


def _fault(draw: Random, within: float) -> Fault:
    system = draw.choice(list(SYSTEMS))
    since = draw.choice((0.0, draw.uniform(0, within / 5), draw.uniform(0, within)))
    lasts = draw.choice((0.5, 3.0, draw.uniform(3, 40), draw.uniform(40, 200)))
    path = draw.choice(("", "", "", "GET", "POST|PUT|PATCH|DELETE"))
    return Fault(system, draw.choice(SYSTEMS[system]), since, since + lasts, draw.choice((1.0, 1.0, 0.5, 0.2)), path)


def _kills(draw: Random, points: int, seconds: float) -> Iterator[int | float]:
    for _ in range(draw.choice((0, 1, 1, 2, 3))):
        yield draw.randrange(points) if draw.random() < 0.7 else draw.uniform(0.1, seconds)


@dataclass
class Struck:
    """Which of the plan's faults hits a request now; how often each did."""

    plan: Plan
    draw: Random
    hits: dict[str, int] = field(default_factory=dict)

    def strike(self, system: str, method: str, path: str, now: float) -> str:
        """Its kind, or ""."""
        for fault in self.plan.faults:
            here = fault.system == system and fault.since <= now < fault.until
            if here and re.search(fault.path, f"{method} {path}") and self.draw.random() < fault.chance:
                self.hits[f"{system}: {fault.kind}"] = self.hits.get(f"{system}: {fault.kind}", 0) + 1
                return fault.kind
        return ""
