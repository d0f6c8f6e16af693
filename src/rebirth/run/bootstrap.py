"""All that makes castles, and the part of it that makes one castle."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from rebirth.castle import Castle, Patience
from rebirth.errors import Impossible
from rebirth.paths import Paths
from rebirth.run.consent import Consent
from rebirth.run.journal import Marks, Once
from rebirth.run.phase import Declaration, Phase
from rebirth.secrets import Redaction

_OF_EVERY_RUN = frozenset({Castle, Paths, Redaction, Consent, Marks, Once})


@dataclass(frozen=True)
class Bootstrap:
    """The phases, the connections that they take, and how secrets are had for a part of them."""

    phases: tuple[Phase, ...]
    connections: tuple[Declaration, ...]
    resolve: Callable[..., Any]  # (references with their YAML paths, Place, Redaction) -> the fact of resolved secrets

    def of(self, sections: Mapping[type, object]) -> Self:
        """What makes a castle that has these sections. Raises Impossible where two of its phases make the same fact."""
        phases, connections = self.phases, self.connections
        while True:
            there = {*_OF_EVERY_RUN, *sections, *(one.makes for one in (*phases, *connections))}
            left = [phase for phase in phases if not phase.lacks(there)]
            linked = [connection for connection in connections if not connection.lacks(there)]
            if len(left) + len(linked) == len(phases) + len(connections):
                break
            phases, connections = tuple(left), tuple(linked)
        makers = Counter(phase.makes for phase in phases)
        for phase in phases:
            if makers[phase.makes] > 1:
                raise Impossible(f"{phase.name} is not the only phase that makes {phase.makes.__name__}")
        found = sections.get(Patience)
        chosen = found.patience if isinstance(found, Patience) else {}
        own = (replace(_trimmed(one, there), patience=chosen.get(one.name, one.patience)) for one in phases)
        return replace(self, phases=tuple(own), connections=connections)


def _trimmed(phase: Phase, there: Collection[type]) -> Phase:
    """Without those of its other functions that lack something."""
    return replace(
        phase,
        still=None if phase.still and phase.still.lacks(there) else phase.still,
        found=None if phase.found and phase.found.lacks(there) else phase.found,
        undo=None if phase.undo and phase.undo.lacks(there) else phase.undo,
        changes=None if phase.changes and phase.changes.lacks(there) else phase.changes,
    )
