"""What somebody looked for before it is needed, and the fix for each thing that is missing or wrong."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass

_ALSO = "/usr/sbin:/sbin"  # where root's programs are, on the PATH or not


@dataclass(frozen=True)
class Check:
    what: str
    sound: bool
    fix: str = ""  # shown where it is not sound


def program(name: str, fix: str) -> Check:
    """Whether a program is on PATH."""
    return Check(name, found(name), fix)


def found(name: str) -> bool:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_ALSO}") is not None


def exit_code(checks: Iterable[Check]) -> int:
    """0 where everything is sound, else 1."""
    return 0 if all(check.sound for check in checks) else 1


def as_text(title: str, checks: Iterable[Check]) -> str:
    lines = [f"{title}:"]
    for check in checks:
        lines.append(f"  {'ok    ' if check.sound else 'failed'}  {check.what}")
        if not check.sound:
            lines += [f"          {line}" for line in check.fix.splitlines()]
    return "\n".join(lines)


def as_json(title: str, checks: Iterable[Check]) -> str:
    listed = list(checks)
    shown = [asdict(check) if not check.sound else {"what": check.what, "sound": True} for check in listed]
    return json.dumps({"version": 1, "for": title, "sound": not exit_code(listed), "checks": shown}, indent=2)
