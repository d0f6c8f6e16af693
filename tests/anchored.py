"""An archive in a folder, for tests of what is kept in it."""

import itertools
from pathlib import Path

from rebirth.castle import Anchors
from rebirth.lab.ca import Authority
from rebirth.lab.kinds import Kinds
from rebirth.providers.anchors.archive import Archive
from rebirth.providers.anchors.sealing import Key
from rebirth.providers.anchors.shelves import Folder, Shelf
from rebirth.secrets import Secret


def new_key() -> str:
    """An age identity as age-keygen(1) writes it."""
    return Kinds(Authority("no one"), [], "").make("age.agekey", "age", "")


_SECONDS = itertools.count(1_800_000_000)


def archive_in(folder: Path, key: str, castle: str = "castle", shelf: Shelf | None = None) -> Archive:
    """Each generation that any of these writes is of a second of its own."""
    return Archive(castle=castle, key=Key(Secret(key)), shelf=shelf or Folder(folder), now=lambda: next(_SECONDS))


def all_bytes(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def anchors(folder: Path | str, **more: object) -> Anchors:
    return Anchors.model_validate({"archive": {"folder": str(folder)}, "age_key": {"secret": "age-key"}, **more})
