"""What tests of the lab's world share."""

import asyncio
import os
from pathlib import Path

import pytest

from proof.virtual_time import Hurried

_GO = """#!/bin/sh
case "$1" in
env) printf 'go1.26.1\\namd64\\n' ;;
build) while [ $# -gt 0 ]; do if [ "$1" = -o ]; then : > "$2"; fi; shift; done ;;
*) exit 1 ;;
esac
"""


def pytest_asyncio_loop_factories(config, item):
    return {"real": asyncio.new_event_loop} if item.get_closest_marker("lab") else {"hurried": Hurried}


@pytest.fixture
def paper_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Go that says its version and builds empty files: what is tested hangs on no Go of this machine."""
    programs = tmp_path / "paper-go"
    programs.mkdir()
    (programs / "go").write_text(_GO)
    (programs / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
