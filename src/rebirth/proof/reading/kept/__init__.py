"""What was read before: known again by content, in one process and, packed, in the next."""

from rebirth.proof.reading.kept.kept import Kept
from rebirth.proof.reading.kept.pack import opened, put_away

__all__ = ["Kept", "opened", "put_away"]
