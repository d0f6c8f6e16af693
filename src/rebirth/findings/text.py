"""Findings for people: each with its chain drawn, why it cannot work, and what to do instead."""

import textwrap
from collections import Counter
from collections.abc import Iterator

from rebirth.findings.certainty import Word
from rebirth.findings.data import diff_of
from rebirth.findings.places import Places
from rebirth.findings.taken import NOBODY, Taken
from rebirth.findings.verdict import Seen, Verdict
from rebirth.proof.rules import Finding, Severity
from rebirth.proof.rules.finding import tell
from rebirth.proof.things import Edge, Unknown

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}
_INFOS = 3  # of one rule that are shown unless all are asked for
_PLACES = 4  # of one cause that are shown unless all are asked for
_NAMES = 8  # of what is not fully checked, or assumed to exist, unless all are asked for
_DIM, _BOLD, _GREEN, _RED, _CUT = "2", "1", "32", "31", "1;35"


class Text:
    """Lines of a certain width, with colours or without."""

    def __init__(self, places: Places, *, width: int = 100, colours: bool = False) -> None:
        self._places, self._width, self._colours = places, max(width, 40), colours

    def render(self, verdict: Verdict, *, verbose: bool = False) -> str:
        lines: list[str] = []
        infos = Counter(finding.rule for finding in verdict.findings if finding.severity is Severity.INFO)
        told: Counter[str] = Counter()
        for finding in verdict.findings:
            brief = finding.severity is Severity.INFO and not verbose
            told[finding.rule] += brief
            if not brief or told[finding.rule] <= _INFOS:
                lines += [*self.finding(finding, brief=brief, verbose=verbose), ""]
        for rule, count in sorted(infos.items()):
            if not verbose and count > _INFOS:
                lines += [f"and {_plural(count - _INFOS, 'more info')} of {rule} (-v shows them)", ""]
        if verbose:
            for finding, ignore in verdict.ignored:
                lines += self._wrapped(f"ignored {finding.rule}: ", finding.message)
                lines += [f"  {self._places.text(finding.place)}", *self._wrapped("  reason: ", ignore.reason), ""]
            lines += [line for unknown in verdict.unknown for line in self._unknown(unknown)]
        return "\n".join([*lines, *self.summary(verdict, verbose=verbose)]) + "\n"

    def finding(self, finding: Finding, *, brief: bool = False, verbose: bool = False) -> list[str]:
        head = f"{finding.severity.value} {finding.rule}: "
        # The chain is drawn below: it need not stand in the message, too.
        message = finding.message if brief else finding.message.removesuffix(f": {tell(finding.chain)}")
        lines = self._wrapped(head, message, style=_BOLD)
        lines[0] = lines[0].replace(head, self._styled(head, _COLOURS[finding.severity]), 1)
        if place := self._places.text(finding.place):
            lines.append(f"  at {place}")
        lines += self._more(finding, verbose=verbose)
        if brief:
            return lines
        if finding.chain:
            lines += ["", *self.chain(finding.links or finding.chain, closed=finding.closed, cut=finding.cut)]
            lines += self._also(finding, verbose=verbose)
        if finding.why or finding.instead or finding.fixes:
            lines.append("")
        lines += self._wrapped("  why:     ", finding.why) if finding.why else []
        lines += self._wrapped("  instead: ", finding.instead) if finding.instead else []
        lines += self._patch(diff_of(finding, self._places))
        return lines

    def _more(self, finding: Finding, *, verbose: bool) -> Iterator[str]:
        """The other places of one cause."""
        if finding.more:
            yield f"  and {_plural(len(finding.more), 'more place')}:"
        shown = finding.more if verbose else finding.more[:_PLACES]
        for one in shown:
            yield from self._wrapped(f"    {self._places.text(one.place)}  ", one.message)
        if rest := len(finding.more) - len(shown):
            yield f"    and {rest} more (-v lists them)"

    def _also(self, finding: Finding, *, verbose: bool) -> Iterator[str]:
        """More cycles that are gone with this one."""
        if not finding.also:
            return
        yield f"  {_plural(len(finding.also), 'more cycle')} through the same link:"
        shown = finding.also if verbose else finding.also[:_PLACES]
        for cycle in shown:
            yield from self._wrapped("    ", tell(cycle))
        if rest := len(finding.also) - len(shown):
            yield f"    and {rest} more (-v lists them)"

    def chain(self, links: tuple[Edge, ...], *, closed: bool = False, cut: Edge | None = None) -> list[str]:
        """A thing a line, and between two of them why the upper one needs the lower one."""
        if len(links) > 1 and not closed and len({edge.by for edge in links}) == 1:
            return self._fork(links)
        first, rail, last = ("╭─▶ ", "│   ", "╰── ") if closed else ("    ", "    ", "    ")
        inside = links[0].by.label == links[0].needs.label  # steps of one thing: told apart by how far it has come
        lines = [f"  {first}{links[0].by if inside else links[0].by.label}"]
        for at, edge in enumerate(links):
            lines += self._edge(edge, rail, is_cut=edge is cut and len(links) > 1)
            if closed and at == len(links) - 1:
                lines.append(f"  {last}{edge.needs if inside else edge.needs.label}, where it began")
            else:
                lines.append(f"  {rail}{edge.needs}")
        return lines

    def _fork(self, links: tuple[Edge, ...]) -> list[str]:
        """Several that make one thing, or need it, side by side."""
        lines = [f"      {links[0].by.label}"]
        for edge in links:
            last = edge is links[-1]
            branch, under = ("      ╰─▶ ", "          ") if last else ("      ├─▶ ", "      │   ")
            lines += self._wrapped(branch, f"{because(edge)}: {edge.needs.label}")
            if place := self._places.text(edge.place):
                lines.append(under + self._styled(place, _DIM))
        return lines

    def _edge(self, edge: Edge, rail: str, *, is_cut: bool) -> list[str]:
        words, place = because(edge), self._places.text(edge.place)
        mark = "  ✂ cheapest to cut" if is_cut else ""
        margin = f"  {rail}  ↓ "
        under = f"  {rail}    "
        room = self._width - len(margin)
        if len(words) + 2 + len(place) + len(mark) <= room:
            at = f"  {self._styled(place, _DIM)}" if place else ""
            return [f"{margin}{words}{at}{self._styled(mark, _CUT)}"]
        lines = textwrap.wrap(words, room, break_on_hyphens=False, break_long_words=False) or [""]
        if mark:
            marked = lines[-1] + mark
            lines[-1:] = [marked] if len(marked) <= room else [lines[-1], mark.strip()]
        shown = [line.replace(mark.strip(), self._styled(mark.strip(), _CUT)) if mark else line for line in lines]
        told = [margin + shown[0], *(under + line for line in shown[1:])]
        return [*told, under + self._styled(place, _DIM)] if place else told

    def _patch(self, patch: str) -> Iterator[str]:
        for line in patch.splitlines():
            colour = {"+": _GREEN, "-": _RED}.get(line[:1], _DIM)
            yield "    " + self._styled(line, colour)

    def _unknown(self, unknown: Unknown) -> list[str]:
        place = self._places.text(unknown.place)
        lines = self._wrapped("unknown: ", f"{unknown.what}: {unknown.why}")
        return [*lines, f"  at {place}"] if place else lines

    def summary(self, verdict: Verdict, *, verbose: bool = False) -> list[str]:
        seen = verdict.seen
        counts = [_plural(verdict.count(s), s.value) for s in Severity if verdict.count(s)]
        none = "No new problems" if verdict.known else "No problems"
        word = ", ".join(counts) or f"{none} found in {_plural(seen.kustomizations, 'Kustomization')}"
        colour = next((_COLOURS[s] for s in Severity if verdict.count(s)), "1;32")
        apart = {"ignored": len(verdict.ignored), "known and not shown": verdict.known}
        lines = [self._styled(word, colour) + "".join(f"; {count} {what}" for what, count in apart.items() if count)]
        read = (
            f"read {_plural(seen.files, 'file')}: {_plural(seen.kustomizations, 'Kustomization')}, "
            f"{_plural(seen.charts, 'chart')}, {_plural(seen.objects, 'object')}"
        )
        if verbose:
            read += f"; looked at {_plural(seen.things, 'thing')} and {_plural(seen.needs, 'need')}"
        lines += self._wrapped("", read)
        lines += self._starts(seen, verbose=verbose)
        if verdict.unknown:
            gaps = [f"{unknown.what} ({unknown.why})" for unknown in verdict.unknown]
            lines += self._wrapped("", f"Not fully checked: {_some(gaps, verbose=verbose)}")
        lines += self._taken(verdict.taken, whole=verdict.whole, verbose=verbose)
        return [*lines, *self._word(verdict, verbose=verbose)]

    def _word(self, verdict: Verdict, *, verbose: bool) -> list[str]:
        """Whether it can finish; and what would be needed to tell."""
        lines = self._wrapped("verdict: ", verdict.word.value)
        colour = {Word.CAN: _GREEN, Word.CANNOT: _RED}.get(verdict.word, _COLOURS[Severity.WARNING])
        lines[0] = lines[0].replace(verdict.word.value, self._styled(verdict.word.value, colour))
        if verdict.word is Word.CANNOT_TELL:
            lines += self._wrapped("  it takes ", _some([*verdict.needed], verbose=verbose))
        return lines

    def _starts(self, seen: Seen, *, verbose: bool) -> list[str]:
        """Where Flux starts, who says so, and how much of the repository is read from there."""
        if not seen.starts:
            return []
        told = [f"{cluster} ({self._places.text(place) or why})" for cluster, why, place in seen.starts]
        share = f"; {seen.share[0]} of {_plural(seen.share[1], 'YAML file')} with objects read" if seen.share[1] else ""
        return self._wrapped("", f"Flux starts in {_some(told, verbose=verbose)}{share}")

    def _taken(self, taken: tuple[Taken, ...], *, whole: bool, verbose: bool) -> Iterator[str]:
        """What was taken as there; with `verbose` each with who needs it."""
        if not whole and not taken:
            yield from self._wrapped("", "No castle.yaml: what is made beside the repository is not known.")
        for why in dict.fromkeys(one.why for one in taken):
            found = [one for one in taken if one.why == why]
            labels = _some([one.thing.label for one in found], verbose=verbose)
            head = f"ssumed to exist: {labels}" + (f" ({why})" if why != NOBODY else "")
            yield from self._wrapped("", f"A{head}" if whole else f"No castle.yaml; a{head}")
        for one in taken if verbose else ():
            if one.by:
                yield from self._wrapped("  ", f"{one.thing.label} is needed by {one.by.by.label}: {because(one.by)}")
                if place := self._places.text(one.by.place):
                    yield f"    at {place}"

    def _wrapped(self, head: str, words: str, style: str = "") -> list[str]:
        """`words` behind `head`, folded below their own beginning (or by two where that is far right)."""
        under = " " * (len(head) if len(head) <= 12 else 2)
        lines = textwrap.wrap(
            words,
            self._width,
            initial_indent=head,
            subsequent_indent=under,
            break_on_hyphens=False,
            break_long_words=False,
        ) or [head.rstrip()]
        return [
            head + self._styled(line[len(head) :], style) if at == 0 else self._styled(line, style)
            for at, line in enumerate(lines)
        ]

    def _styled(self, words: str, style: str) -> str:
        return f"\x1b[{style}m{words}\x1b[0m" if self._colours and style and words else words


def because(edge: Edge) -> str:
    """Why the one needs the other, and what stands there."""
    if edge.words.startswith(edge.need.value):
        return edge.words
    return edge.need.value + (f" ({edge.words})" if edge.words else "")


def _some(names: list[str], *, verbose: bool) -> str:
    """A list that fits the screen."""
    shown = names if verbose else names[:_NAMES]
    more = f" and {len(names) - len(shown)} more (-v lists them)" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")
