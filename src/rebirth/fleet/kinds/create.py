from collections.abc import Mapping
from typing import Any

from rebirth.fleet.kinds.kind import Kind, of_castle


def _told(answer: Mapping[str, Any]) -> str:
    online = answer.get("online")
    return (
        f"online after {online:.0f} s" if online is not None else "everything was in place" if answer.get("ok") else ""
    )


KIND = Kind("create", lambda job: of_castle(job, "create", "--json"), _told, in_lab=True)
