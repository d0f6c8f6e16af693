from collections.abc import Mapping
from typing import Any

from rebirth.fleet.kinds.kind import Kind, of_castle


def _told(answer: Mapping[str, Any]) -> str:
    return f"{len(answer['sites'])} sites answer" if answer.get("ok") else ""


KIND = Kind("verify", lambda job: of_castle(job, "verify", "--json"), _told, in_lab=True)
