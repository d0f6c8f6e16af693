"""What the operator knows better than `rebirth check`: findings that are told no more, each with a reason."""

from typing import Annotated

from pydantic import StringConstraints

from rebirth.castle.model import Section, Text, in_our_words

FILE = ".rebirth.yaml"  # at the top of a repository: the same section where there is no castle


class Ignored(Section):
    """Findings of one rule, in files whose path in the repository (or the castle directory) fits `where`."""

    rule: Annotated[str, StringConstraints(pattern=r"^R\d{2}$"), in_our_words("must be the id of a rule, such as R13")]
    where: Text = "*"  # a pattern of the shell; * stands for slashes, too
    reason: Text


class Check(Section):
    ignore: list[Ignored] = []


class RepositoryFile(Section):
    """`.rebirth.yaml`."""

    check: Check = Check()
