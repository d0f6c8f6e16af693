"""Which folders and files are kept for whoever sets the cluster up before Flux runs."""

import re
from pathlib import Path

_BOOTSTRAP = "bootstrap"
# What lies in such a folder is of a time that is over.
_OVER = re.compile(r"[_.]*(arch\w*ve[ds]?|old|legacy|attic|deprecated|disabled|unused|graveyard)", re.IGNORECASE)


def is_over(file: Path, root: Path) -> bool:
    """Whether it lies in a folder of a time that is over."""
    return any(_OVER.fullmatch(part) for part in file.relative_to(root).parts[:-1])


def is_for_bootstrap(file: Path, root: Path) -> bool:
    """Whether the file lies in a folder `bootstrap` that is in use, or is called so itself."""
    if f"/{_BOOTSTRAP}" not in str(file):
        return False  # as nearly all: thousands of files are asked
    parts = file.relative_to(root).parts[:-1]
    own = _BOOTSTRAP in parts or file.name.partition(".")[0] == _BOOTSTRAP
    return own and not any(_OVER.fullmatch(part) for part in parts)
