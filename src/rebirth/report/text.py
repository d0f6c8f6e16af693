"""The timeline for a terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rebirth.report.timeline import ONLINE, Step, Timeline

_BAR = 32  # characters


def render(timeline: Timeline, layer_of: Mapping[str, str], earlier: Timeline | None = None) -> RenderableType:
    """A table of phases with a bar each, the layers, the critical path, and the two times that count."""
    return Group(_phases(timeline, earlier), _layers(timeline, layer_of), _critical(timeline), _summary(timeline))


def _phases(timeline: Timeline, earlier: Timeline | None) -> Table:
    table = Table(title=f"{timeline.castle}: {timeline.command}", title_justify="left", box=None, pad_edge=False)
    for name in ("phase", "start", "took", *(("before",) if earlier else ()), "", "waited longest for"):
        table.add_column(
            name,
            justify="right" if name in {"start", "took", "before"} else "left",
            no_wrap=name != "waited longest for",
        )
    before = {span.phase: span.seconds for span in earlier.spans} if earlier else {}
    critical = {step.phase for step in timeline.critical_path()}
    scale = _BAR / max(timeline.total, 0.001)
    for span in timeline.spans:
        if span.outcome == "skipped":
            continue
        bar = " " * int(span.start * scale) + "█" * max(1, round(span.seconds * scale))
        longest = max(span.waited_for, key=lambda wait: wait[1], default=("", 0.0))
        waited = f"{longest[0]} ({longest[1]:.1f} s)" if longest[0] else {"done": ""}.get(span.outcome, span.outcome)
        old = (f"{before[span.phase]:.1f}" if span.phase in before else "",) if earlier else ()
        style = "bold" if span.phase in critical else ""
        color = {"failed": "red", "skipped": "yellow"}.get(span.outcome, "cyan" if span.phase in critical else "blue")
        table.add_row(
            Text(span.phase, style=style),
            f"{span.start:.1f}",
            f"{span.seconds:.1f}",
            *old,
            Text(bar[:_BAR].ljust(_BAR), style=color),
            Text(waited, style="dim"),
        )
    return table


def _layers(timeline: Timeline, layer_of: Mapping[str, str]) -> Table:
    table = Table(title="\nThe protocol's layers", title_justify="left", box=None, pad_edge=False)
    for name in ("layer", "from first start to last end", "sum of its phases"):
        table.add_column(name, justify="left" if name == "layer" else "right")
    for layer, (span, total) in timeline.layers(layer_of).items():
        table.add_row(layer, f"{span:.1f} s", f"{total:.1f} s")
    return table


def _critical(timeline: Timeline) -> Text:
    steps = timeline.critical_path()
    if not steps:
        return Text("\nNo phase had to run.")
    length = sum(step.seconds for step in steps)
    rest = timeline.total - length
    words = f"\nCritical path ({length:.1f} s): {_joined(steps)}"
    words += f" → ending the run {rest:.1f}" if rest >= 0.05 else ""
    to_online = timeline.critical_path(ONLINE) if timeline.online is not None else ()
    if to_online and to_online[-1].phase != steps[-1].phase:
        words += f"\nto online ({timeline.online:.1f} s): {_joined(to_online)}"
    return Text(words)


def _joined(steps: Sequence[Step]) -> str:
    return " → ".join(f"{step.phase or 'between phases'} {step.seconds:.1f}" for step in steps if step.seconds >= 0.05)


def _summary(timeline: Timeline) -> Text:
    lines = []
    if timeline.online is not None:
        lines.append(f"online after {timeline.online:.1f} s")
    if timeline.unproved:
        lines.append(f"unproved: {timeline.unproved}")
    if timeline.ok:
        lines.append(f"everything ready after {timeline.total:.1f} s")
    return Text("\n" + "\n".join(lines), style="bold green" if timeline.ok else "bold")
