"""What is at the end of a search, and what will become of it."""

from dataclasses import dataclass
from enum import Enum

from rebirth.diagnosis.wanted import Key


class Outlook(Enum):
    """What will become of it."""

    FINAL = "will not fix itself"
    STUCK = "waits for something that may still come"
    WORKING = "is being worked on"


@dataclass(frozen=True)
class Cause:
    """The object at the end, and what it says."""

    key: Key
    message: str
    outlook: Outlook

    def __str__(self) -> str:
        return f"{label(self.key)}: {self.message}"


def label(key: Key) -> str:
    kind, namespace, name = key
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
