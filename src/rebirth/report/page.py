"""The timeline as one self-contained page: no script, nothing fetched, every text escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from rebirth.report.gantt import gantt
from rebirth.report.history import History, section
from rebirth.report.text import branch, not_run
from rebirth.report.timeline import Step, Timeline

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def render(
    timeline: Timeline,
    layer_of: Mapping[str, str],
    earlier: Timeline | None = None,
    history: History | None = None,
) -> str:
    """The whole page. `earlier` is a run to compare with, `history` all that is known of the castle."""
    heading = f"{timeline.castle}: {timeline.command}"
    return _PAGE.substitute(
        title=escape(heading),
        style=STYLE,
        heading=escape(heading),
        when=_when(timeline, earlier),
        figures="\n".join(_figures(timeline, earlier)),
        failures=_failures(timeline),
        chart=gantt(timeline, layer_of, earlier),
        legend="".join(_legend(timeline, earlier)),
        paths="\n".join(_paths(timeline)),
        layers=_layers(timeline, layer_of),
        waits=_waits(timeline),
        history=section(history) if history else "",
    )


def _when(timeline: Timeline, earlier: Timeline | None) -> str:
    words = f"started {timeline.when}"
    words += f"; <b>unproved: {escape(timeline.unproved)}</b>" if timeline.unproved else ""
    return words + (f"; compared with the run of {earlier.when}" if earlier else "")


def _figures(timeline: Timeline, earlier: Timeline | None) -> Iterable[str]:
    if timeline.online is not None:
        yield _figure(timeline.online, "online after", "good", earlier.online if earlier else None)
    if timeline.ok:
        yield _figure(timeline.total, "everything in place after", "good", earlier.total if earlier else None)
    else:
        yield _figure(timeline.total, f"{timeline.outcome} after", "bad", None)


def _figure(seconds: float, words: str, kind: str, before: float | None) -> str:
    was = f' <span class="soft">(before: {before:.1f} s)</span>' if before is not None else ""
    return f'<li class="{kind}">{words} <b>{seconds:.1f} s</b>{was}</li>'


def _failures(timeline: Timeline) -> str:
    if not timeline.failed and not timeline.error and not timeline.skipped:
        return ""
    lines = []
    for span in timeline.failed:
        lines.append(f'<p>✗ <b>{escape(span.phase)}</b> <span class="error">{escape(span.error)}</span></p>')
        lines += [f"<p>{escape(span.hint)}</p>"] if span.hint else []
    if timeline.error and not timeline.failed:
        lines.append(f'<p class="error">{escape(timeline.error)}</p>')
    if timeline.skipped:
        names = ", ".join(sorted(timeline.skipped))
        words = not_run(timeline.skipped)
        lines.append(f'<details class="soft"><summary>{escape(words)}</summary>{escape(names)}</details>')
    return "<h2>What failed</h2>\n" + "\n".join(lines)


def _legend(timeline: Timeline, earlier: Timeline | None) -> Iterable[str]:
    kinds = {"critical": "▸ on the critical path", "plain": "beside it"}
    if any(span.outcome == "failed" for span in timeline.spans):
        kinds["failed"] = "✗ failed"
    if earlier:
        kinds["before"] = "the run before"
    if timeline.flux:
        kinds["flux"] = "● a Flux object is Ready"
    for kind, words in kinds.items():
        yield f'<span><i class="{kind}"></i>{words}</span>'


def _paths(timeline: Timeline) -> Iterable[str]:
    whole = timeline.critical_path()
    yield "<h2>The critical path</h2>"
    if not whole:
        yield '<p class="soft">No step had to run.</p>'
        return
    yield "<p>Each step that the end waited for, and the pauses between them, in seconds: together they are the whole run.</p>"
    yield _path(timeline, whole)
    if apart := branch(timeline):
        shared, own = apart
        yield "<h2>The critical path to online</h2>"
        yield f"<p>As above until <b>{escape(shared)}</b>, then:</p>" if shared else ""
        yield _path(timeline, own, to_the_end=False)


def _path(timeline: Timeline, steps: Sequence[Step], *, to_the_end: bool = True) -> str:
    rows: list[tuple[str, float, float, float]] = []
    pause = 0.0
    for step in steps:
        if step.phase:
            rows.append((escape(step.phase), step.start, pause, step.seconds))
        pause = 0.0 if step.phase else step.seconds
    ended = steps[-1].start + steps[-1].seconds
    if to_the_end:
        rows.append((_soft("ending the run"), ended, 0.0, timeline.total - ended))
    body = [[name, f"{start:.2f}", f"{before:.2f}", f"{took:.2f}"] for name, start, before, took in rows]
    paused, took = sum(row[2] for row in rows), sum(row[3] for row in rows)
    ends = timeline.total if to_the_end else ended
    foot = [f"in all {ends:.2f} s", "", f"{paused:.2f}", f"{took:.2f}"]
    return _table(["step", "start", "pause before it", "took"], body, foot)


def _layers(timeline: Timeline, layer_of: Mapping[str, str]) -> str:
    rows = [
        [escape(layer), f"{span:.1f} s", f"{total:.1f} s"] for layer, (span, total) in timeline.layers(layer_of).items()
    ]
    return _table(["layer", "from first start to last end", "sum of its steps"], rows)


def _waits(timeline: Timeline) -> str:
    rows = [
        [escape(span.phase) if first else "", escape(what), f"{seconds:.1f} s"]
        for span in timeline.spans
        for first, (what, seconds) in _marked(sorted(span.waited_for, key=lambda wait: -wait[1]))
    ]
    return _table(["step", "until", "for"], rows) if rows else '<p class="soft">Nothing.</p>'


def _marked(waits: Sequence[tuple[str, float]]) -> Iterable[tuple[bool, tuple[str, float]]]:
    return ((index == 0, wait) for index, wait in enumerate(waits))


def _soft(words: str) -> str:
    return f'<span class="soft">{words}</span>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], foot: Sequence[str] = ()) -> str:
    """Cells are markup already; the cells of columns that hold seconds stand on the right."""
    on_the_right = [head not in {"step", "layer", "until"} for head in heads]

    def row(cells: Sequence[str], tag: str = "td") -> str:
        marked = zip(cells, on_the_right, strict=True)
        return (
            "<tr>" + "".join(f"<{tag}{' class=n' if right else ''}>{cell}</{tag}>" for cell, right in marked) + "</tr>"
        )

    body = "\n".join(row(cells) for cells in rows)
    end = f"<tfoot>{row(foot)}</tfoot>" if foot else ""
    return (
        f"<div class=scroll><table>\n<thead>{row(heads, 'th')}</thead>\n<tbody>\n{body}\n</tbody>{end}\n</table></div>"
    )
