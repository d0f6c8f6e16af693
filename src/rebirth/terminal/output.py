"""Standard output: how wide it is, whether it gets colours, and what is written to it. Imports nothing of ours: it is all that some answers need."""

import os
import shutil
import sys
from collections.abc import Mapping
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

_PIPED = 80  # columns where nobody says how wide it is
_WIDEST = 130


def width() -> int:
    """Columns of standard output: as COLUMNS says, else the terminal's, else those of a narrow one."""
    return min(shutil.get_terminal_size((_PIPED, 24)).columns, _WIDEST)


def colours(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether standard output gets colours: NO_COLOR forbids them, FORCE_COLOR asks for them, else a terminal has them."""
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return bool(environment.get("FORCE_COLOR")) or sys.stdout.isatty()


def write(words: str) -> None:
    """To standard output; who has closed it wants no more (`| head`)."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without arrows gets question marks
    try:
        sys.stdout.write(words)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_text(words: "Text") -> None:
    """The same with styles, where standard output gets colours; lines are neither folded nor filled up."""
    from rich.console import Console

    out = StringIO()
    Console(file=out, force_terminal=colours(), width=width(), highlight=False).print(words, soft_wrap=True)
    write(out.getvalue())
