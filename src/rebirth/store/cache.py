"""Where everything is that can be made or fetched again."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """REBIRTH_CACHE, or `rebirth` in the user's cache directory."""
    if chosen := os.environ.get("REBIRTH_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rebirth"


def fetched_directory() -> Path:
    """REBIRTH_FETCHED, or the cache's folder for what was fetched."""
    return Path(os.environ.get("REBIRTH_FETCHED") or cache_directory() / "fetched")
