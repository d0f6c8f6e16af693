"""What the phases of a backup make true."""

from dataclasses import dataclass

from rebirth.providers.anchors.archive import Part
from rebirth.run.facts import InMemory


@dataclass(frozen=True)
class CredentialsKept(InMemory):
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class VaultKept(InMemory):
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class DatabasesKept(InMemory):
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class GenerationWritten(InMemory):
    name: str
    place: str
    parts: tuple[Part, ...]
