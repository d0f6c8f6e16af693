"""Where a run is killed, and how: drawn from a seed over the progress of an undisturbed run."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

# As `kill -9 -PGID` (the terminal's whole group), `kill -9 PID` of the program itself, and the signals that ask.
WAYS = (*("group",) * 6, *("main",) * 6, *("SIGTERM",) * 3, *("SIGHUP",) * 3, *("SIGINT",) * 2)
HAND_OVER = "hand-over"


@dataclass(frozen=True)
class Point:
    """So many seconds after the journal has got so many lines; or after the hand-over has got its value from the cluster."""

    at: float  # seconds of the undisturbed run: only for the order
    way: str
    lines: int
    seconds: float
    event: str = ""

    def __str__(self) -> str:
        after = f"at the {self.event}" if self.event else f"{self.lines} lines of the journal"
        return f"{after} + {self.seconds:.2f} s"


def drawn(seed: int, lives: int, moments: Sequence[float], over: float, handed: float) -> list[list[Point]]:
    """The points of each life, in order.

    `moments` are the seconds at which the undisturbed run wrote the lines of its journal, `over` when it ended, `handed` when it
    began to hand over. Progress is half lines and half time: where much is written little time goes by, and the other way round.
    """
    draw = Random(seed)
    ways = list(WAYS)
    draw.shuffle(ways)
    points = []
    number = len(ways) - 2
    for at in range(number):
        moment = _moment((at + draw.random()) / number, moments, over)
        lines = sum(line <= moment for line in moments)
        since = moments[lines - 1] if lines else 0.0
        points.append(Point(moment, ways[at], lines, moment - since))
    found = [sorted(points[life::lives], key=lambda point: point.at) for life in range(lives)]
    for life, way in enumerate(ways[number:]):
        last = Point(handed, way, 0, draw.uniform(0, 0.4), HAND_OVER)
        found[life % lives] = sorted([*found[life % lives], last], key=lambda point: point.at)
    return found


def _moment(progress: float, moments: Sequence[float], over: float) -> float:
    """The second at which the undisturbed run had made that progress, by halving."""
    low, high = 0.0, over
    for _ in range(40):
        middle = (low + high) / 2
        made = (sum(line <= middle for line in moments) / len(moments) + middle / over) / 2
        low, high = (middle, high) if made < progress else (low, middle)
    return high
