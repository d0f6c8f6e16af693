"""What the operator knows better than `rebirth check`: findings that are told no more, each with a reason."""

from typing import Annotated

from pydantic import StringConstraints

from rebirth.castle.model import Section, Text, in_our_words


class Ignored(Section):
    """Findings of one rule, in files whose path in the repository (or the castle directory) fits `where`."""

    rule: Annotated[str, StringConstraints(pattern=r"^R\d{2}$"), in_our_words("must be the id of a rule, such as R13")]
    """The id of the rule, such as R13."""
    where: Text = "*"
    """Only in files whose path fits this shell pattern; `*` stands for slashes, too."""
    reason: Text
    """Why it is no problem here; `check -v` prints it."""


class Check(Section):
    """Findings of `rebirth check` that the operator knows better."""

    ignore: list[Ignored] = []
    """Findings that are not reported any more."""


class RepositoryFile(Section):
    """`.rebirth.yaml`."""

    check: Check = Check()
    bootstrap: list[Text] = []
    """Helmfiles that are run before Flux, as paths from the top, where nothing in the repository says so."""
