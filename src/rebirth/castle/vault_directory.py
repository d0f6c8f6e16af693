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
    """Where secrets are read from, and where generated credentials go."""

    directory: Text
    """The vault directory; `~` is the home directory, a relative path starts at the castle directory."""
    produced: Annotated[Text, AfterValidator(_inside)] = "produced"
    """The folder below it for generated credentials: Talos secrets bundle, talosconfig, kubeconfig; mode 0600."""
