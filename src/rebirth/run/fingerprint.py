"""What a phase was run with, in short: whether a remembered fact is an answer to what castle.yaml says now."""

import hashlib
import json
from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel

from rebirth.run.facts import Fact
from rebirth.run.phase import Declaration


def fingerprint(
    phase: Declaration,
    given: Mapping[type, object],
    facts: Mapping[type[Fact], Fact | None],
    connections: Mapping[type, Declaration],
) -> str:
    """Hash of the sections and remembered facts that the phase takes, directly or through its connections."""
    digest = hashlib.sha256()
    for name, value in sorted(_inputs(phase, given, facts, connections).items()):
        digest.update(f"{name}={value}\n".encode())
    return digest.hexdigest()[:16]


def _inputs(
    taker: Declaration,
    given: Mapping[type, object],
    facts: Mapping[type[Fact], Fact | None],
    connections: Mapping[type, Declaration],
) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in taker.takes.values():
        value = given.get(kind)
        if isinstance(value, BaseModel):
            found[kind.__name__] = value.model_dump_json()
        elif kind in facts and not cast("type[Fact]", kind).in_memory:
            fact = facts[kind]
            found[kind.__name__] = json.dumps(fact.written() if fact else None, sort_keys=True)
        elif kind in connections:
            found |= _inputs(connections[kind], given, facts, connections)
    return found
