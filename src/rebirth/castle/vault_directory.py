"""Section `secrets`: where secrets are read from, and where produced credentials go."""

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from rebirth.castle.model import Section, Text


def _inside(value: str) -> str:
    parts = PurePosixPath(value).parts
    if not parts or PurePosixPath(value).is_absolute() or ".." in parts:
        raise ValueError("must be a folder below the vault directory")
    return value


class Secrets(Section):
    directory: Text  # ~ is the home directory; relative paths start at the castle directory
    produced: Annotated[Text, AfterValidator(_inside)] = "produced"
