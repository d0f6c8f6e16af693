"""What `rebirth backup` says."""

import json

from rebirth.backup.facts import GenerationWritten
from rebirth.providers.anchors.archive import Listed, Part


def written(made: GenerationWritten) -> str:
    return f"kept as {made.name} in {made.place}: {_parts(made.parts)}"


def as_text(place: str, found: list[Listed], others: list[str]) -> str:
    lines = [f"{one.name}  {_parts(one.generation.parts) if one.generation else one.why}" for one in found]
    if not found:
        lines = [f"no generation of this castle in {place}"]
    if others:
        lines.append(f"and {len(others)} of other castles")
    return "".join(f"{line}\n" for line in lines)


def as_json(place: str, found: list[Listed], others: list[str]) -> str:
    """One object of `version` 1."""
    generations = [
        {
            "name": one.name,
            "parts": [part.model_dump() for part in one.generation.parts] if one.generation else [],
            "wrong": one.why,
        }
        for one in found
    ]
    return json.dumps({"version": 1, "place": place, "generations": generations, "others": others}, indent=2) + "\n"


def _parts(parts: "tuple[Part, ...] | list[Part]") -> str:
    named = ", ".join(f"{part.kind} {part.name}" for part in parts)
    return f"{named} ({sum(part.size for part in parts) / 1024:,.0f} KiB)"
