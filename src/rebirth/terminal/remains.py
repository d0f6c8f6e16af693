"""`destroy --dry-run`: what would go, and what would stay."""

import json
import sys
from pathlib import Path
from typing import NoReturn

from rebirth.castle import load
from rebirth.console import Steps, show_error
from rebirth.events import Events
from rebirth.paths import paths_of
from rebirth.phases import BOOTSTRAP
from rebirth.run import asking
from rebirth.secrets import Redaction
from rebirth.terminal.output import write


def list_remains(directory: Path, *, as_json: bool, budget: float | None) -> NoReturn:
    """What destroy would find: nothing is written, no log either."""
    castle, redaction = load(directory), Redaction()
    paths = paths_of(directory, castle.secrets)
    found = asking.look(BOOTSTRAP, castle, paths, Events(Steps(redaction, sys.stderr)), redaction, budget=budget)
    if as_json:
        fields = ("kind", "name", "identity", "stays")
        items = [{name: redaction.redact(getattr(one, name)) for name in fields} for one in found.made]
        write(json.dumps(items, indent=2) + "\n")
    else:
        write("".join(f"{redaction.redact(line)}\n" for line in asking.listed(found, paths)))
    for error in found.outcome.failures.values():
        show_error(error, redaction)
    sys.exit(0 if found.outcome.ok else 1)
