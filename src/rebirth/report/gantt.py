"""The steps of a run as bars over time, and below them Flux: inline SVG, its colours from the page's style sheet."""

from collections.abc import Iterable, Mapping
from html import escape
from itertools import pairwise

from rebirth.report.timeline import Ready, Span, Timeline

# Sizes in SVG units; the page scales the whole.
_NAMES, _LAYERS, _BARS, _MARGIN = 178, 82, 640, 60
_ROW, _BAR, _HEAD = 22, 11, 40
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)  # seconds between ticks
_LONGEST = 26  # characters of a name
# In failed bars, so that they differ in more than hue.
_HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="hatch" d="M0 0V6" stroke-width="3"/></pattern></defs>'
)
_LEFT = _NAMES + _LAYERS
_WIDTH = _LEFT + _BARS + _MARGIN


def gantt(timeline: Timeline, layer_of: Mapping[str, str], earlier: Timeline | None = None) -> str:
    """One row a step, in the order of their starts, and one a node of Flux; the critical path is joined by a line.

    What is told by colour is told by form, too: the critical path has bold names and a mark, what failed is hatched.
    """
    spans = timeline.ran
    longest = max(timeline.total, *(span.end for span in earlier.spans), 0.001) if earlier else timeline.total
    scale = _BARS / max(longest, 0.001)
    height = _HEAD + _ROW * (len(spans) + len(timeline.flux)) + 8
    critical = [step.phase for step in timeline.critical_path() if step.phase]
    before = {span.phase: span for span in earlier.spans if span.outcome == "done"} if earlier else {}
    rows = {span.phase: index for index, span in enumerate(spans)}
    parts = [
        _HATCH,
        *_stripes(len(spans) + len(timeline.flux)),
        *_ticks(longest, scale, height),
        *_path(critical, {span.phase: span for span in spans}, rows, scale),
        *(
            part
            for span in spans
            for part in _row(span, rows[span.phase], scale, layer_of, span.phase in critical, before.get(span.phase))
        ),
        *(part for row, node in enumerate(timeline.flux, len(spans)) for part in _node(node, row, scale, timeline)),
        *_online(timeline, scale, height),
    ]
    words = escape(f"Steps of {timeline.command} on {timeline.castle} over {timeline.total:.1f} seconds", quote=True)
    head = f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{words}" xmlns="http://www.w3.org/2000/svg">'
    return "\n".join([head, *parts, "</svg>"])


def _x(seconds: float, scale: float) -> float:
    return round(_LEFT + seconds * scale, 1)


def _y(row: int) -> int:
    return _HEAD + row * _ROW


def _stripes(rows: int) -> Iterable[str]:
    for row in range(0, rows, 2):
        yield f'<rect class="stripe" x="0" y="{_y(row)}" width="{_WIDTH}" height="{_ROW}"/>'


def _ticks(longest: float, scale: float, height: int) -> Iterable[str]:
    step = next((step for step in _STEPS if longest / step <= 10), _STEPS[-1])
    for number in range(int(longest / step) + 1):
        x = _x(number * step, scale)
        yield f'<line class="tick" x1="{x}" y1="{_HEAD}" x2="{x}" y2="{height - 8}"/>'
        yield f'<text class="soft" x="{x}" y="{_HEAD - 8}" text-anchor="middle">{number * step:g} s</text>'


def _row(
    span: Span, row: int, scale: float, layer_of: Mapping[str, str], critical: bool, before: Span | None
) -> Iterable[str]:
    y, base = _y(row), _y(row) + 15
    kind = "failed" if span.outcome == "failed" else "critical" if critical else "plain"
    weight = ' font-weight="600"' if critical else ""
    mark = "✗ " if kind == "failed" else "▸ " if critical else ""
    yield f'<text x="4" y="{base}"{weight}>{mark}{escape(span.phase)}</text>'
    yield f'<text class="soft" x="{_NAMES}" y="{base}">{escape(layer_of.get(span.phase, ""))}</text>'
    x, width = _x(span.start, scale), max(1.5, round(span.seconds * scale, 1))
    top = y + (_ROW - _BAR) / 2 - (2 if before else 0)
    words = f"{span.seconds:.1f}" if span.outcome in {"done", "failed"} else span.outcome.replace("holds", "in place")
    yield (
        f'<g><title>{escape(_told(span, before))}</title><rect class="{kind}" x="{x}" y="{top}" width="{width}"'
        f' height="{_BAR}" rx="2"/>'
        + (f'<rect class="hatched" x="{x}" y="{top}" width="{width}" height="{_BAR}"/>' if kind == "failed" else "")
        + f'<text class="soft" x="{round(x + width + 5, 1)}" y="{base - (2 if before else 0)}">{words}</text></g>'
    )
    if before:
        left, width = _x(before.start, scale), max(1.5, round(before.seconds * scale, 1))
        yield f'<rect class="before" x="{left}" y="{top + _BAR + 1}" width="{width}" height="3"/>'


def _node(node: Ready, row: int, scale: float, timeline: Timeline) -> Iterable[str]:
    """A line from when Flux was there to when the node was Ready."""
    began = next((span.start for span in timeline.spans if span.phase == node.phase), 0.0)
    y, x = _y(row) + _ROW / 2, _x(node.at, scale)
    kind, name = escape(node.kind), node.name.rpartition("/")[2]
    shown = escape(name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…")
    yield f'<text x="14" y="{_y(row) + 15}">{shown}</text>'
    yield f'<text class="soft" x="{_NAMES}" y="{_y(row) + 15}">{kind}</text>'
    yield (
        f"<g><title>{kind} {escape(node.name)}: Ready after {node.at:.1f} s</title>"
        f'<line class="flux" x1="{_x(min(began, node.at), scale)}" y1="{y}" x2="{x}" y2="{y}"/>'
        f'<circle class="flux" cx="{x}" cy="{y}" r="4"/>'
        f'<text class="soft" x="{round(x + 8, 1)}" y="{_y(row) + 15}">{node.at:.1f}</text></g>'
    )


def _told(span: Span, before: Span | None) -> str:
    lines = [f"{span.phase}: {span.outcome}", f"from {span.start:.2f} s to {span.end:.2f} s: {span.seconds:.2f} s"]
    lines += [f"could start when {span.after} was done"] if span.after else []
    lines += [f"waited until {what}: {seconds:.1f} s" for what, seconds in span.waited_for]
    lines += [span.error] if span.error else []
    lines += [f"the run before: {before.seconds:.2f} s"] if before else []
    return "\n".join(lines)


def _path(critical: list[str], spans: Mapping[str, Span], rows: Mapping[str, int], scale: float) -> Iterable[str]:
    for left, right in pairwise(critical):
        x1, y1 = _x(spans[left].end, scale), _y(rows[left]) + _ROW // 2
        x2, y2 = _x(spans[right].start, scale), _y(rows[right]) + _ROW // 2
        yield f'<path class="path" d="M{x1} {y1} V{y2} H{x2}"/>'


def _online(timeline: Timeline, scale: float, height: int) -> Iterable[str]:
    if timeline.online is not None:
        x = _x(timeline.online, scale)
        yield f'<line class="online" x1="{x}" y1="{_HEAD}" x2="{x}" y2="{height - 8}"/>'
        yield f'<text class="online-words" x="{x}" y="{_HEAD - 24}" text-anchor="end">online</text>'
