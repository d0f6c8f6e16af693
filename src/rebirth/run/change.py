"""What `create` would do to a castle that lives, and what it would not do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rebirth.run.facts import InMemory


class How(StrEnum):
    """What becomes of a difference between castle.yaml and what is there."""

    NOW = "applied now"
    REBOOT = "applied with a reboot"
    REBIRTH = "needs a rebirth"
    REFUSED = "refused"
    UNKNOWN = "cannot be told"

    @property
    def is_done(self) -> bool:
        """Whether create does it."""
        return self in {How.NOW, How.REBOOT}


@dataclass(frozen=True)
class Change:
    """One difference between castle.yaml and what an earlier run has made. Never holds a secret, nor what a secret was."""

    what: str  # a machine, a release, an object of the cluster
    how: How
    why: str  # what differs; where create does not do it, why not, and what a person may do
    setting: str = ""  # where castle.yaml says it: a YAML path, such as engine.coredns.forwards

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True)
class Foreseen(InMemory):
    """What one phase would change, or why that cannot be told."""

    changes: tuple[Change, ...] = ()
    unknown: str = ""


def undone(changes: Iterable[Change]) -> list[Change]:
    """Those that create leaves to a person."""
    return [change for change in changes if not change.how.is_done]
