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


def helm_cache() -> Path:
    """Where Helm puts the archives of charts that it has fetched."""
    if named := os.environ.get("HELM_REPOSITORY_CACHE"):
        return Path(named)
    base = os.environ.get("HELM_CACHE_HOME")
    helm = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "helm"
    return helm / "repository"
