"""Every point at which a run can be killed, one after the other: before and after each write outside, in each line of the journal."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from simulation.faults import Plan
from simulation.host import Stuck
from simulation.life import Life, Living, folder, undisturbed

_SEED = "sweep"  # one world: a point's number is the same in each life
_SETTLES = 120.0
KINDS = (
    "create", "create, and the next", "create, and again at once", "create, then destroy",
    "destroy", "destroy, and the next", "destroy, and again at once",
)  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """`number` is a point of an undisturbed run."""

    kind: str
    number: int
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.number} {self.name}"


@cache
def points() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of a create and of a destroy that nothing happens to."""
    with folder() as place:
        living = Living(_SEED, Plan(), place, records=False)
        with living.world.host.process():
            living.create()
            created = tuple(living.life.points)
            living.world.host.wait(_SETTLES)
            living.destroy()
            destroyed = tuple(living.life.points)
        living.finish()
    return created, destroyed


def cuts(every: int = 1) -> Iterator[Cut]:
    """All of them, or every so-manieth."""
    created, destroyed = points()
    for kind in KINDS:
        names = destroyed if kind.startswith("destroy") else created
        yield from (Cut(kind, number, name) for number, name in enumerate(names) if number % every == 0)


def swept(cut: Cut) -> Life:
    """One life, cut off there."""
    expected = undisturbed()
    with folder() as place:
        living = Living(str(_SEED), Plan(), place, records=False)
        with living.world.host.process():
            try:
                _live(living, cut, expected)
            except Stuck as stuck:
                living.auditor.complain(f"stuck: {stuck}")
            return living.finish()


def _live(living: Living, cut: Cut, expected: dict[str, object]) -> None:
    created, destroyed = points()
    host, auditor = living.world.host, living.auditor
    if cut.kind.startswith("create"):
        _killed(living, living.create, cut, created)
        if cut.kind.endswith("destroy"):
            living.until_well(living.destroy, [])
            host.wait(_SETTLES)
            auditor.gone(living.said)
            return
        living.until_well(living.create, [])
        host.wait(_SETTLES)
        auditor.online(expected)
        living.unchanged()
        return
    living.until_well(living.create, [])
    host.wait(_SETTLES)
    _killed(living, living.destroy, cut, destroyed)
    living.until_well(living.destroy, [])
    host.wait(_SETTLES)
    auditor.gone(living.said)


def _killed(living: Living, command: Callable[..., object], cut: Cut, names: tuple[str, ...]) -> None:
    """Once; or a second time: at the next point where the second run comes by there, or at once."""
    if command(cut.number) is not None:
        living.auditor.complain(f"was not killed at {cut}")
    if "next" in cut.kind:
        following = names[min(cut.number + 1, len(names) - 1)]
        command(lambda number, name: name == following)
    if "at once" in cut.kind:
        command(0)
