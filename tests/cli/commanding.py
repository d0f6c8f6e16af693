"""A command of rebirth within the process of the tests, which has everything imported: as a process of its own would run it."""

import os
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from rebirth.cli import main


def within(folder: Path, environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of `rebirth <arguments>` in that folder. Neither stream is a terminal."""
    out, complaints = StringIO(), StringIO()
    before, argv = dict(os.environ), sys.argv
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["rebirth", *arguments]
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(complaints), pytest.raises(SystemExit) as end:
            main()
    finally:
        sys.argv = argv
        os.environ.clear()
        os.environ.update(before)
    code = end.value.code or 0
    assert isinstance(code, int)
    return code, out.getvalue(), complaints.getvalue()
