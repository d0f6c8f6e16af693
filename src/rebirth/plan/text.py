"""The plan for people."""

import textwrap
from collections.abc import Iterator

from rebirth.findings.places import Places
from rebirth.plan.schedule import Node, Plan


def render(plan: Plan, places: Places, *, width: int = 100, measured: str = "") -> str:
    lines = [*_table(plan, width), "", *_chain(plan, width)]
    if plan.never:
        names = ", ".join(node.label for node in plan.never)
        lines += ["", *_fold(f"never ready: {names}", width), "  `rebirth check` says why"]
    if plan.held:
        lines += ["", "could start earlier:", *_held(plan, places, width)]
    lines += ["", *_footing(plan, measured, width)]
    return "\n".join(lines) + "\n"


def _table(plan: Plan, width: int) -> Iterator[str]:
    names = max((len(node.label) for node in plan.nodes), default=4)
    room = max(12, width - 24 - names)
    yield f"{'wave':>4}  {'start':>6}  {'ready':>6}  {'what':{names}}  after"
    for node in plan.nodes:
        yield f"{node.wave or '-':>4}  {clock(node.start):>6}  {clock(node.ready):>6}  {_what(node, names, room)}".rstrip()


def _what(node: Node, names: int, room: int) -> str:
    after = node.after.rpartition(" ")[2]
    return f"{node.label:{names}}  {after if len(after) <= room else after[: room - 1] + '…'}"


def _chain(plan: Plan, width: int) -> list[str]:
    if not plan.longest:
        return []
    goal = "online" if plan.online is not None else f"{plan.longest[-1].label} ready"
    length = plan.online if plan.online is not None else plan.total
    steps = " → ".join(
        f"{step.label.rpartition(' ')[2]} {clock(step.seconds)}" for step in plan.longest if step.seconds
    )
    lines = _fold(f"longest chain, {goal} after {clock(length)}: {steps}", width)
    return [*lines, f"all ready after {clock(plan.total)}"]


def _held(plan: Plan, places: Places, width: int) -> Iterator[str]:
    for held in plan.held:
        gain = f"; {clock(held.seconds)} earlier" if held.seconds >= 0.5 else ""
        yield from _fold(f"{held.node} waits for {held.by}, but needs nothing of it{gain}", width, "  ")
        yield f"    {places.text(held.edge.place)}"


def _footing(plan: Plan, measured: str, width: int) -> Iterator[str]:
    words = f"times: as in the run {measured}, else rules of thumb" if measured else "times: rules of thumb, no run yet"
    yield from _fold(words, width)
    if plan.assumed:
        count = len(plan.assumed)
        yield from _fold(f"taken as there: {count} thing{'s' * (count != 1)} that nothing in these files makes", width)


def _fold(words: str, width: int, margin: str = "") -> list[str]:
    return textwrap.wrap(
        words,
        width,
        initial_indent=margin,
        subsequent_indent=margin + "  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def clock(seconds: float | None) -> str:
    """Minutes and seconds."""
    if seconds is None:
        return "never"
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"
