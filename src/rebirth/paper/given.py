"""What paper is given by who uses it."""

from typing import Protocol


class Signs(Protocol):
    """A certificate authority, such as `rebirth.lab.ca.Authority`."""

    @property
    def pem(self) -> str: ...

    def issue(self, names: list[str]) -> tuple[str, str]:
        """Certificate and key (both PEM) of a server of these names."""
        ...


class Invents(Protocol):
    """Makes secrets that look like what they stand for, such as `rebirth.lab.kinds.Kinds`."""

    def make(self, key: str, name: str, group: str) -> str:
        """A value for the secret `name`, held under `key` by what `group` names."""
        ...
