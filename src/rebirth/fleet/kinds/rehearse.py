from collections.abc import Mapping
from typing import Any

from rebirth.fleet.kinds.kind import Kind, of_tree


def _told(answer: Mapping[str, Any]) -> str:
    if "ready" not in answer:
        return ""
    return (
        f"all is Ready after {answer['seconds']:.0f} s"
        if answer["ready"]
        else f"{len(answer['stops'])} causes keep it from being Ready"
    )


KIND = Kind(
    "rehearse",
    lambda job: of_tree(job, "rehearse", "--json", "--again"),
    _told,
    needs_castle=False,
    outcomes={0: "done", 3: "findings"},
)
