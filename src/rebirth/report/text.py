"""The timeline for a terminal: what fits into its width, and no blanks at the ends of lines."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.text import Text

from rebirth.report.timeline import Span, Step, Timeline

_NAMES, _SECONDS = 24, 7  # columns of a phase's name, and of seconds
_BAR = 48  # columns of bars, where there is room
_MARKS = {"failed": "✗", "holds": "=", "running": "…"}  # outcome -> before the name
_SHORT = 10  # rows of a table that is only the essential


def render(timeline: Timeline, layer_of: Mapping[str, str], earlier: Timeline | None = None, width: int = 80) -> Text:
    """All of it: every phase with its bar, waits, Flux, layers, the critical path, what failed, and the two times that count."""
    title = f"{timeline.castle}: {timeline.command}, {timeline.when}"
    against = [f"compared with the run of {earlier.when}"] if earlier else []
    parts = [
        [Text(title, style="bold"), *(Text(line, style="dim") for line in against)],
        list(_phases(timeline, earlier, timeline.ran, width)),
        list(_waits(timeline, width)),
        list(_flux(timeline, width)),
        list(_layers(timeline, layer_of)),
        list(_critical(timeline, width)),
        list(failures(timeline, width)),
        list(_summary(timeline)),
    ]
    return _joined(parts)


def essential(timeline: Timeline, earlier: Timeline | None = None, width: int = 80) -> Text:
    """The phases that took longest, in the order of their starts, and the critical path."""
    ran = timeline.ran
    longest = sorted(ran, key=lambda span: -span.seconds)[:_SHORT]
    shown = [span for span in ran if span in longest]
    words = f"The {len(shown)} longest of {len(ran)} steps" if len(shown) < len(ran) else "Steps"
    return _joined([
        [Text(words, style="bold"), *_phases(timeline, earlier, shown, width)],
        list(_critical(timeline, width, to_online=False)),
    ])  # fmt: skip


def _joined(parts: Iterable[Sequence[Text]]) -> Text:
    blocks = [Text("\n").join(part) for part in parts if part]
    return Text("\n\n").join(blocks)


def _phases(timeline: Timeline, earlier: Timeline | None, spans: Sequence[Span], width: int) -> Iterator[Text]:
    before = {span.phase: span.seconds for span in earlier.spans if span.outcome == "done"} if earlier else {}
    critical = {step.phase for step in timeline.critical_path()}
    heads = ("start", "took", *(("before",) if earlier else ()))
    yield Text(f"  {'step':{_NAMES}}" + "".join(f"{head:>{_SECONDS}}" for head in heads), style="dim")
    columns = max(10, min(_BAR, width - 2 - _NAMES - _SECONDS * len(heads) - 2))
    scale = columns / max(timeline.total, 0.001)
    for span in spans:
        numbers = [f"{span.start:.1f}", f"{span.seconds:.1f}"]
        if earlier:
            numbers.append(f"{before[span.phase]:.1f}" if span.phase in before else "")
        on_path = span.phase in critical
        mark = _MARKS.get(span.outcome, "*" if on_path else " ") + " "
        color = "red" if span.outcome == "failed" else "cyan" if on_path else "blue"
        line = Text.assemble(
            (mark, color),
            (f"{span.phase:{_NAMES}}", "bold" if on_path else ""),
            "".join(f"{number:>{_SECONDS}}" for number in numbers),
            ("  " + _bar(span, scale, columns), color),
        )
        line.rstrip()
        yield line
    words = {"*": "on the critical path", "=": "was in place already", "✗": "failed", "…": "interrupted"}
    used = {_MARKS.get(span.outcome, "*" if span.phase in critical else "") for span in spans}
    if said := [f"{mark} {meaning}" for mark, meaning in words.items() if mark in used]:
        yield Text("  " + ", ".join(said), style="dim")


def _bar(span: Span, scale: float, columns: int) -> str:
    """Nothing for what took no time; it ends where the chart ends."""
    if span.seconds < 0.05:
        return ""
    long = max(1, round(span.seconds * scale))
    start = min(int(span.start * scale), columns - 1)
    return " " * start + "█" * min(long, columns - start)


def _waits(timeline: Timeline, width: int) -> Iterator[Text]:
    found = [(seconds, span.phase, what) for span in timeline.spans for what, seconds in span.waited_for]
    if longest := sorted(found, key=lambda wait: -wait[0])[:_SHORT]:
        yield Text("Longest waits", style="bold")
    for seconds, phase, what in longest:
        yield from folded(f"{seconds:7.1f} s  {phase}: {what}", width, 11)


def _flux(timeline: Timeline, width: int) -> Iterator[Text]:
    if timeline.flux:
        yield Text("Flux: Ready after", style="bold")
    for node in timeline.flux:
        yield from folded(f"{node.at:7.1f} s  {node.label}", width, 11)


def _layers(timeline: Timeline, layer_of: Mapping[str, str]) -> Iterator[Text]:
    layers = timeline.layers(layer_of)
    if layers:
        yield Text(f"{'Layer':12} {'first start to last end':>24} {'sum of its steps':>18}", style="bold")
    for layer, (span, total) in layers.items():
        yield Text(f"{layer:12} {span:22.1f} s {total:16.1f} s")


def _critical(timeline: Timeline, width: int, *, to_online: bool = True) -> Iterator[Text]:
    steps = timeline.critical_path()
    if not steps:
        yield Text("No step had to run.")
        return
    length = sum(step.seconds for step in steps)
    rest = timeline.total - length
    end = f" → ending the run {rest:.1f}" if rest >= 0.05 else ""
    yield from folded(f"Critical path ({length:.1f} s): {_path(steps)}{end}", width, 2)
    if to_online and (apart := branch(timeline)):
        shared, own = apart
        words = f"as above until {shared}, then " if shared else ""
        yield from folded(f"to online ({timeline.online:.1f} s): {words}{_path(own)}", width, 2)


def branch(timeline: Timeline) -> tuple[str, Sequence[Step]] | None:
    """Where the critical path to online leaves that of the whole run: the last phase of both, and its own steps. None: it is a part of it."""
    whole = timeline.critical_path()
    online = timeline.critical_path(timeline.goal) if timeline.online is not None else ()
    shared = 0
    while shared < min(len(whole), len(online)) and whole[shared] == online[shared]:
        shared += 1
    if shared == len(online):
        return None
    last = next((step.phase for step in reversed(online[:shared]) if step.phase), "")
    return last, online[shared:]


def _path(steps: Sequence[Step]) -> str:
    return " → ".join(f"{step.phase or 'between steps'} {step.seconds:.1f}" for step in steps if step.seconds >= 0.05)


def failures(timeline: Timeline, width: int, *, names: bool = False) -> Iterator[Text]:
    """What failed, the root first; what did not run because of it is counted, or named."""
    if timeline.failed or timeline.error:
        yield Text("What failed", style="bold red")
    for span in timeline.failed:
        yield from folded(f"✗ {span.phase} after {span.seconds:.1f} s: {span.error}", width, 2)
        if span.hint:
            yield from folded(f"  hint: {span.hint}", width, 4)
    if timeline.error and not timeline.failed:
        yield from folded(f"✗ {timeline.error}", width, 2)
    if timeline.skipped:
        yield from folded(not_run(timeline.skipped, names=names), width, 2)


def not_run(skipped: Sequence[str], *, names: bool = False) -> str:
    """How many later steps did not run; and which."""
    one = len(skipped) == 1
    words = f"{len(skipped)} later step{'' if one else 's'} did not run"
    return f"{words}: {', '.join(sorted(skipped))}" if names else words


def _summary(timeline: Timeline) -> Iterator[Text]:
    style = "bold green" if timeline.ok else "bold"
    if timeline.unproved:
        yield Text(f"unproved: {timeline.unproved}", style=style)
    if timeline.online is not None:
        yield Text(f"online after {timeline.online:.1f} s", style=style)
    if timeline.ok:
        yield Text(f"everything in place after {timeline.total:.1f} s", style=style)
    else:
        yield Text(f"{timeline.outcome} after {timeline.total:.1f} s", style=style)


def folded(words: str, width: int, margin: int) -> Iterator[Text]:
    """Lines no longer than `width`; all but the first begin with `margin` blanks."""
    for paragraph in words.splitlines():
        for line in textwrap.wrap(paragraph, width, subsequent_indent=" " * margin, break_on_hyphens=False):
            yield Text(line)
