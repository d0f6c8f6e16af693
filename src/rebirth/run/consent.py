"""What the operator has agreed to on the command line: what nobody can take back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Consent:
    loss: bool = False  # what was on machines that are gone, or that go, may be given up
    remove: tuple[str, ...] = ()  # machines of this castle that castle.yaml no longer names, and that may be destroyed
