"""How long a castle took to come online, run after run: a picture, its trend in words, and its drills."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from statistics import median

from rebirth.errors import SpecError
from rebirth.report import drills
from rebirth.report.drills import Drill
from rebirth.report.timeline import read, runs

_LAST = 200  # runs that are shown
_TREND = 5  # runs that a median is made of
_WIDTH, _HEIGHT, _LEFT, _FOOT = 900, 190, 60, 24  # SVG units


@dataclass(frozen=True)
class Point:
    """A create that did something."""

    run: str
    at: float  # seconds since the epoch
    ok: bool
    online: float | None  # seconds


@dataclass(frozen=True)
class History:
    points: tuple[Point, ...]  # the oldest first
    drills: tuple[Drill, ...]

    @property
    def online(self) -> list[float]:
        return [point.online for point in self.points if point.online is not None]

    @property
    def trend(self) -> str:
        """The last runs against those before them; "" where there are too few to say."""
        seconds = self.online
        if len(seconds) < 2 * _TREND:
            return ""
        before, last = median(seconds[-2 * _TREND : -_TREND]), median(seconds[-_TREND:])
        change = (last / before - 1) * 100 if before else 0.0
        words = "as before" if abs(change) < 5 else f"{abs(change):.0f} % {'slower' if change > 0 else 'faster'}"
        return f"the last {_TREND} were online after {last:.0f} s in the median, the {_TREND} before after {before:.0f} s: {words}"

    def as_data(self) -> dict[str, object]:
        return {
            "runs": [asdict(point) for point in self.points],
            "trend": self.trend,
            "drills": [drills.as_data(drill) for drill in self.drills],
        }


def history(logs: Path) -> History:
    """Of the creates, and the drills, that are recorded there."""
    found = []
    for folder in runs(logs)[-_LAST:]:
        with suppress(SpecError):
            run = read(folder)
            if run.command == "create" and run.worked and run.finished:
                found.append(Point(folder.name, run.started, run.ok, run.online))
    return History(tuple(found), tuple(drills.drills(logs)))


def section(found: History) -> str:
    """For a page: nothing where there is no more than the run that the page is of."""
    if len(found.points) < 2 and not found.drills:
        return ""
    parts = ["<h2>History</h2>"]
    if len(found.online) > 1:
        parts += [f'<div class="chart">{chart(found)}</div>', f'<p class="soft">{escape(_words(found))}</p>']
    parts += [_table(found.drills)] if found.drills else []
    return "\n".join(parts)


def _words(found: History) -> str:
    seconds = found.online
    failed = sum(not point.ok for point in found.points)
    said = f"{len(seconds)} runs came online, in the median after {median(seconds):.0f} s"
    said += f"; {failed} failed (hatched)" if failed else ""
    return f"{said}; {found.trend}." if found.trend else f"{said}."


def chart(found: History) -> str:
    """A dot a run, by its place among them; the line is the median of the last few."""
    longest = max(found.online, default=1.0) * 1.1
    step = (_WIDTH - _LEFT - 20) / max(len(found.points) - 1, 1)

    def place(number: int, seconds: float) -> tuple[float, float]:
        return round(_LEFT + 8 + number * step, 1), round((_HEIGHT - _FOOT) * (1 - seconds / longest) + 4, 1)

    words = escape(f"Seconds until online, of {len(found.points)} runs", quote=True)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}" xmlns="http://www.w3.org/2000/svg">'
    ]
    for part in range(4):
        seconds = longest / 1.1 * part / 3
        _, y = place(0, seconds)
        parts.append(f'<line class="tick" x1="{_LEFT}" y1="{y}" x2="{_WIDTH}" y2="{y}"/>')
        parts.append(f'<text class="soft" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{seconds:.0f} s</text>')
    known = [(number, point.online) for number, point in enumerate(found.points) if point.online is not None]
    medians = [
        place(number, median(seconds for _, seconds in known[max(0, at - _TREND + 1) : at + 1]))
        for at, (number, _) in enumerate(known)
    ]
    parts += [f'<path class="path" d="M{a} {b}L{c} {d}"/>' for (a, b), (c, d) in pairwise(medians)]
    for number, point in enumerate(found.points):
        x, y = place(number, point.online if point.online is not None else 0)
        kind = "plain" if point.ok else "failed"
        title = f"{point.run}: " + (f"online after {point.online:.1f} s" if point.online is not None else "not online")
        parts.append(f'<g><title>{escape(title)}</title><circle class="{kind}" cx="{x}" cy="{y}" r="4"/></g>')
    return "\n".join([*parts, "</svg>"])


def _table(found: Sequence[Drill]) -> str:
    heads = ("drill", "rounds", "went well", "online: median", "p95", "faults met", "survived")
    head = "".join(f"<th{'' if name == 'drill' else ' class=n'}>{name}</th>" for name in heads)
    body = "\n".join(f"<tr>{''.join(_cells(drill))}</tr>" for drill in reversed(found))
    return f"<div class=scroll><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"


def _cells(drill: Drill) -> Iterator[str]:
    where = "lab" if drill.lab else "real"
    yield f"<td>{escape(drill.name)} ({where})</td>"
    online = drill.figures().get("online")
    seconds: Iterable[str] = (f"{online.median:.1f} s", f"{online.p95:.1f} s") if online else ("", "")
    met = sum(met for _, met, _ in drill.faults().values())
    survived = sum(survived for *_, survived in drill.faults().values())
    for cell in (len(drill.rounds), drill.survived, *seconds, met, survived):
        yield f"<td class=n>{cell}</td>"
