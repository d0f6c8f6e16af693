"""Every error a user can meet, sorted by what happens next.

Rebirth                 all of them; carries a hint
├── SpecError           edit the castle                      exit 2
├── Impossible          the proof has findings               exit 3
├── Broken              a person has to look                 exit 1
└── NotYet              the engine tries again               never seen by a user, unless time runs out
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class Rebirth(Exception):  # noqa: N818 - the tree's names say what happens next
    """Something a user is told: one message saying what and where, one hint saying what to do."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file that the operator wrote."""

    file: str
    line: int  # 1-based; 0 where the whole file is meant
    path: str  # YAML path, such as machines.nodes[0].address
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class SpecError(Rebirth):
    """The castle directory says something that cannot be used; all problems are reported at once."""

    exit_code = 2

    def __init__(self, problems: list[Problem] | str, *, hint: str = "") -> None:
        self.problems = [Problem("", 0, "", problems)] if isinstance(problems, str) else problems
        message = problems if isinstance(problems, str) else "\n".join(map(str, problems))
        super().__init__(message, hint=hint or next((p.hint for p in self.problems if p.hint), ""))


class Impossible(Rebirth):
    """The bootstrap cannot finish: the proof has findings."""

    exit_code = 3


class Broken(Rebirth):
    """An outside system or a program refused in a way that trying again does not mend.

    `system` and `operation` name who refused what; `status` is the system's own code (an HTTP status, an exit code).
    Never carries a response body: bodies may hold secrets.
    """

    def __init__(
        self, message: str, *, system: str = "", operation: str = "", status: int | None = None, hint: str = ""
    ) -> None:
        where = (
            f"{system}: {operation}: "
            if system and operation
            else f"{system or operation}: "
            if system or operation
            else ""
        )
        super().__init__(f"{where}{message}", hint=hint)
        self.system = system
        self.operation = operation
        self.status = status


class DoesNotHold(Broken):
    """A fact is not true, and the command that asked may not make it true."""


class CannotTell(Broken):
    """Whether a fact is true could not be asked."""


_FULL = "Make room there, and run the same command again: it goes on from here."
_RIGHTS = "Give the user that runs rebirth the right to it, and run the same command again."
_PLACE = "Something else is in that place: move it away, and run the same command again."
_LOCAL = {  # what the system says of files -> what a person may do
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FULL),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _RIGHTS),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG), _PLACE),
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE), "Raise the limit of open files (ulimit -n), and run the same command again."
    ),
    errno.EROFS: "Mount it with the right to write, and run the same command again.",
    errno.EIO: "The disk is failing: see the kernel's log.",
    errno.ENOMEM: "Free some memory, and run the same command again.",
}


def of_this_machine(error: OSError, operation: str) -> Broken | None:
    """A file that could not be written or read here, for a reason that a person can mend; None where it is something else."""
    if (hint := _LOCAL.get(error.errno or 0)) is None:
        return None
    place = str(error.filename) if error.filename is not None else "this machine"
    return Broken(error.strerror or type(error).__name__, system=place, operation=operation, hint=hint)


class NotYet(Rebirth):
    """What was asked is not true yet, and may become true by itself: the engine tries again.

    The message says what was seen last, so that a time-out can tell it.
    """


class Differs(NotYet):
    """What was made is there and works, and is not as castle.yaml says now."""


class NoAnswer(NotYet):
    """Who was asked did not answer: what was asked may be true already, or not."""


@contextmanager
def understood(system: str, operation: str, setting: str) -> Iterator[None]:
    """While an answer is taken apart: what is not the API's own raises NotYet, and never a KeyError.

    A proxy or a maintenance page may answer in the system's place and go away again; `setting` names the address to check.
    """
    try:
        yield
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        hint = f"Is {setting} right? A proxy, a portal or another server may be answering there."
        raise NoAnswer(f"{system}: {operation}: the answer does not match {system}'s API", hint=hint) from None
