"""What `rebirth lab status` prints."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_INDENT = "  "


def described(labs: Sequence[Mapping[str, Any]]) -> str:
    """The labs of this machine, as LabState.status() has them with their names, for people."""
    return "\n".join(line for lab in labs for line in _lab(lab)) if labs else "no lab is here"


def _lab(lab: Mapping[str, Any]) -> Iterable[str]:
    doing = f": {lab['doing']}" if lab.get("doing") else ""
    yield f"lab {lab['name']}: {lab['state']}{doing}"
    if lab["state"] == "crashed":
        yield f"{_INDENT}`rebirth lab down {lab['name']}` removes what it left"
    rows = []
    if castle := lab.get("castle"):
        rows.append(("castle", str(castle), ""))
    rows += [("system", name, state) for name, state in sorted(lab.get("systems", {}).items())]
    rows += [("machine", name, "on" if on else "off") for name, on in sorted(lab.get("machines", {}).items())]
    rows += [("device", name, "") for name in lab.get("devices", [])]
    wide = max((len(name) for _, name, _ in rows), default=0)
    for kind, name, state in rows:
        yield f"{_INDENT}{kind:8} {name:{wide}}  {state}".rstrip()
