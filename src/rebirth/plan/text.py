"""The plan for people."""

import textwrap
from collections.abc import Iterator, Mapping

from rebirth.findings.places import Places
from rebirth.plan.schedule import Plan

_MARGIN = 22  # columns before the names
_NAMES = 8  # of what is taken as there
_LEAST = 12  # columns that are worth a column


def render(
    plan: Plan,
    places: Places,
    *,
    width: int = 100,
    measured: str = "",
    cards: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """`cards`: machine -> MAC address and address, which a router reserves for it."""
    lines = [*_table(plan, width), "", *_chain(plan, width)]
    if plan.never:
        names = ", ".join(node.label for node in plan.never)
        lines += ["", *_fold(f"never ready: {names}", width), "  `rebirth check` says why"]
    if plan.held:
        lines += ["", "could start earlier:", *_held(plan, places, width)]
    if cards:
        lines += ["", *_reservations(cards)]
    lines += ["", *_footing(plan, measured, width)]
    return "\n".join(lines) + "\n"


def _table(plan: Plan, width: int) -> Iterator[str]:
    longest = max((len(node.label) for node in plan.nodes), default=4)
    names = min(longest, width - _MARGIN)
    room = width - _MARGIN - names - 2
    room = room if room >= _LEAST else 0  # for who came last before it
    yield f"{'wave':>4}  {'start':>6}  {'ready':>6}  {'what':{names}}  {'after' * bool(room)}".rstrip()
    for node in plan.nodes:
        times = f"{node.wave or '-':>4}  {clock(node.start):>6}  {clock(node.ready):>6}"
        after = _cut(node.after.rpartition(" ")[2], room)
        yield f"{times}  {_cut(node.label, names):{names}}  {after}".rstrip()


def _cut(words: str, room: int) -> str:
    return words if len(words) <= room else f"{words[: room - 1]}…" if room else ""


def _chain(plan: Plan, width: int) -> Iterator[str]:
    if not plan.longest:
        return
    goal, length = ("online", plan.online) if plan.online is not None else ("all ready", plan.total)
    yield f"critical path, {goal} after {clock(length)}:"
    at = 0.0
    for step in plan.longest:
        at += step.seconds
        if step.seconds:
            times = f"  {clock(at):>6}  +{clock(step.seconds)}  "
            yield times + _cut(step.label, max(_LEAST, width - len(times)))
    if plan.online is not None:
        yield f"all ready after {clock(plan.total)}"


def _held(plan: Plan, places: Places, width: int) -> Iterator[str]:
    for held in plan.held:
        gain = f"; {clock(held.seconds)} earlier" if held.seconds >= 0.5 else ""
        yield from _fold(f"{held.node} waits for {held.by}, but uses nothing of it{gain}", width, "  ")
        yield f"    {places.text(held.edge.place)}"


def _reservations(cards: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    longest = max(map(len, cards))
    yield "reservations that the machines' DHCP server needs:"
    for name, (mac, address) in cards.items():
        yield f"  {name:{longest}}  {mac}  {address}"


def _footing(plan: Plan, measured: str, width: int) -> Iterator[str]:
    words = (
        f"times: from the run {measured}, otherwise rules of thumb"
        if measured
        else "times: rules of thumb, since no run was recorded yet"
    )
    yield from _fold(words, width)
    if names := [*dict.fromkeys(thing.label for thing in plan.assumed)]:
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        yield from _fold(f"assumed to exist, since nothing here makes it: {', '.join(names[:_NAMES])}{more}", width)
    for note in plan.notes:
        yield from _fold(note, width)


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
