"""The forms in which `check` says what it found, by name.

What makes a form is imported when it is asked for: `rebirth --help` names the forms, and does not wait for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rebirth.findings.places import Places
    from rebirth.findings.verdict import Verdict


_ENDLESS = 10_000  # columns: nothing is folded


class Besides(Protocol):
    """What is said besides the findings."""

    def lines(self, width: int) -> list[str]: ...

    def data(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Answer:
    """A verdict, and how it is to be said."""

    verdict: "Verdict"
    places: "Places"
    strict: bool = False  # warnings count as errors
    verbose: bool = False
    width: int = 100  # columns of text
    colours: bool = False
    besides: Besides | None = None


def _text(answer: Answer) -> str:
    from rebirth.findings.text import Text

    text = Text(answer.places, width=answer.width, colours=answer.colours)
    lines = answer.besides.lines(answer.width) if answer.besides else []
    return text.render(answer.verdict, verbose=answer.verbose) + "".join(f"{line}\n" for line in lines)


def _json(answer: Answer) -> str:
    from rebirth.findings import data

    return data.render(answer.verdict, answer.places, answer.besides.data() if answer.besides else {})


def _sarif(answer: Answer) -> str:
    from rebirth.findings import sarif

    return sarif.render(answer.verdict, answer.places)


def _github(answer: Answer) -> str:
    from rebirth.findings import github

    return github.render(answer.verdict, answer.places, answer.besides.lines(_ENDLESS) if answer.besides else [])


def _gitlab(answer: Answer) -> str:
    from rebirth.findings import gitlab

    return gitlab.render(answer.verdict, answer.places)


def _junit(answer: Answer) -> str:
    from rebirth.findings import junit

    return junit.render(answer.verdict, answer.places, strict=answer.strict)


FORMS: Mapping[str, Callable[[Answer], str]] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
    "gitlab": _gitlab,
    "junit": _junit,
}
