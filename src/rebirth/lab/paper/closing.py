"""The end of `create --lab`: what ran for real, and what on paper."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from tempfile import TemporaryFile
from typing import Any

from rebirth.errors import Broken
from rebirth.lab.enter import run
from rebirth.lab.paper.report import lines
from rebirth.lab.state import LabState
from rebirth.terminal.output import write


def run_and_report(state: LabState, argv: Sequence[str], environment: Mapping[str, str], style: str) -> int:
    """Runs the command as `enter.run` does, and reports behind it: lines, or a key of its JSON answer."""
    if style != "json":
        code = run(state, argv, environment)
        write("".join(f"{line}\n" for line in lines(_asked(state), online=code == 0)))
        return code
    with TemporaryFile() as file:
        code = run(state, argv, environment, file.fileno())
        file.seek(0)
        write(joined(file.read().decode(), _asked(state)))
    return code


def joined(said: str, report: Mapping[str, Any]) -> str:
    """A command's answer in JSON, with the report; what is no answer, since it ended before it had one, as it is."""
    try:
        answer = json.loads(said)
    except ValueError:
        return said
    return json.dumps({**answer, "lab": report}, indent=2) + "\n"


def _asked(state: LabState) -> dict[str, Any]:
    """Nothing where the lab has ended meanwhile."""
    try:
        return dict(asyncio.run(state.ask("/workloads")))
    except Broken:
        return {}
