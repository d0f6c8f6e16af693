"""Programs that Python packages of this environment brought."""

import shutil
import sys
from pathlib import Path

from rebirth.errors import Broken


def wheel_program(name: str) -> str:
    """The path of such a program. Raises Broken."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise Broken(
            "is not in the Python environment", system=name, operation="lab", hint="pip install 'rebirth[lab]'"
        )
    return found
