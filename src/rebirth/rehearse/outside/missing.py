"""What was asked for outside and is not there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

HINT = "`rebirth fetch` brings it"


@dataclass(frozen=True)
class Missing:
    """`kind`: chart, chart repository, artifact, Git repository, file."""

    kind: str
    name: str
    asked_by: str = ""  # the Flux objects that name it, where that is known

    def __str__(self) -> str:
        by = f", which {self.asked_by} names" if self.asked_by else ""
        return f"{self.kind} {self.name}{by}"

    @property
    def answer(self) -> str:
        """What whoever asks is told. Nothing in it says that it is worth asking again."""
        return f"not fetched: {self.kind} {self.name} ({HINT})"


@dataclass
class Refusals:
    """Each thing once, in the order in which it was asked for first."""

    _seen: dict[tuple[str, str], Missing] = field(default_factory=dict)

    def add(self, kind: str, name: str, asked_by: Iterable[str] = ()) -> Missing:
        return self._seen.setdefault((kind, name), Missing(kind, name, ", ".join(asked_by)))

    def __iter__(self) -> Iterator[Missing]:
        return iter(self._seen.values())

    def __len__(self) -> int:
        return len(self._seen)
